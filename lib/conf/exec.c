// SPDX-License-Identifier: Apache-2.0
// Exec mode: the exec stanza and the variables of env_template.
#include <string.h>

#include "lib/conf/load.h"

enum { VARIABLES_MAX = 10000 };

static bool variable_known(const char *name)
{
	return options_find(STANZA_ENV_TEMPLATE, name);
}

static bool check_name(struct load *l, const struct node *at,
		       const struct conf_template *t)
{
	const struct node *n = node_place(at, "name");
	if (!t->name || !*t->name)
		return node_err(at, l->e,
				"the variable's name is missing: env_template \"NAME\" "
				"{…}");
	if (strchr(t->name, '='))
		return node_err(n, l->e, "'%.100s' is no variable's name: it holds '='",
				t->name);
	for (size_t i = 0; i + 1 < l->conf->n_variables; i++)
		if (strcmp(l->conf->variables[i].name, t->name) == 0 &&
		    template_shares_container(&l->conf->variables[i], t))
			return node_err(n, l->e,
					"the variable '%.100s' stands here twice",
					t->name);
	return true;
}

// The socket of a wrapped command is how a container gets a variable.
static bool check_sockets(struct load *l, const struct node *at,
			  const struct conf_template *t)
{
	for (const char *const *c = t->containers; c && *c; c++)
		for (size_t i = 0; i < l->conf->n_deliver; i++)
			if (strcmp(l->conf->deliver[i].container, *c) == 0 &&
			    !l->conf->deliver[i].env_socket)
				return node_err(node_place(at, "containers"), l->e,
						"deliver '%.63s' has no env_socket where "
						"its command could get the variable",
						*c);
	return true;
}

static bool read_variable(struct load *l, struct node_block block)
{
	struct conf *c = l->conf;
	c->variables = pool_append(l->pool, c->variables, &c->n_variables,
				   sizeof(*c->variables));
	struct conf_template *t = &c->variables[c->n_variables - 1];
	if (!stanza_defaults(l, STANZA_ENV_TEMPLATE, t) ||
	    !stanza_read(l, STANZA_ENV_TEMPLATE, block.body, t, NULL))
		return false;
	if (!t->name)
		t->name = block.label;
	// A variable cannot be taken from a running process.
	t->has_on_revoked = true;
	t->on_revoked = REVOKED_KEEP;
	return template_check_text(l, block.body, t) && check_name(l, block.body, t) &&
	       check_sockets(l, block.body, t);
}

bool conf_gives_variables(const struct conf *c)
{
	for (size_t i = 0; i < c->n_deliver; i++)
		if (c->deliver[i].env_socket)
			return true;
	return false;
}

static bool load_stanza(struct load *l)
{
	struct conf_exec *x = &l->conf->exec;
	const struct node *body;
	if (!stanza_defaults(l, STANZA_EXEC, x) || !stanza_single(l, "exec", &body))
		return false;
	if (body && !stanza_read(l, STANZA_EXEC, body, x, NULL))
		return false;
	if (!notify_signal(x->stop_signal, &x->stop_signo))
		return node_err(node_place(body, "restart_stop_signal"), l->e,
				"'%.20s' is no signal; write SIGTERM, SIGINT or a number",
				x->stop_signal);
	if (body && !x->command && !conf_gives_variables(l->conf) &&
	    !l->opts->has_command)
		return node_err(body, l->e,
				"command is missing: command = [\"/bin/app\", \"…\"], or "
				"-- COMMAND behind the agent's options");
	return true;
}

bool load_exec(struct load *l)
{
	struct node_blocks blocks = { 0 };
	if (!load_stanza(l) || !stanza_all(l, "env_template", variable_known, &blocks))
		return false;
	if (blocks.n > VARIABLES_MAX)
		return node_err(blocks.list[VARIABLES_MAX].body, l->e,
				"more than %d variables", VARIABLES_MAX);
	for (size_t i = 0; i < blocks.n; i++)
		if (!read_variable(l, blocks.list[i]))
			return false;
	return true;
}
