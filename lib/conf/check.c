// SPDX-License-Identifier: Apache-2.0
// What can be judged only when everything has been read: whether there is anything to do, and
// whether stanzas fit to each other.
#include <string.h>

#include "lib/conf/load.h"

static const json_t *other(const struct load *l, const char *key)
{
	return json_array_get(json_object_get(l->conf->other, key), 0);
}

// true, "true", "force": the proxy may use the agent's token.
static bool uses_token(const json_t *stanza)
{
	const json_t *v = json_object_get(stanza, "use_auto_auth_token");
	const char *text = json_string_value(v);
	return json_is_true(v) ||
	       (text && (strcmp(text, "true") == 0 || strcmp(text, "force") == 0));
}

static bool check_proxy(struct load *l)
{
	bool listens = other(l, "listener");
	const json_t *cache = other(l, "cache"), *proxy = other(l, "api_proxy");
	if (cache && !listens && l->conf->n_templates == 0)
		return node_err(stanza_place(l, "cache"), l->e,
				"it has no effect without a listener or a template");
	if (proxy && !listens)
		return node_err(stanza_place(l, "api_proxy"), l->e,
				"it has no effect without a listener");
	if (uses_token(cache) && uses_token(proxy))
		return node_err(
			stanza_place(l, "cache"), l->e,
			"use_auto_auth_token stands here and in api_proxy; api_proxy "
			"is the place for it");
	return true;
}

// Variables go to a command: ours, or those of the containers that ask at a socket.
static bool check_exec(struct load *l)
{
	const struct conf *c = l->conf;
	if (c->n_variables == 0 || c->exec.command || l->opts->has_command ||
	    conf_gives_variables(c))
		return true;
	return node_err(stanza_place(l, "env_template"), l->e,
			"it wants an exec stanza with the command that gets the "
			"variables (or -- COMMAND, or a deliver block with env_socket)");
}

// Two writers of one file would take turns.
static bool check_sinks(struct load *l)
{
	const struct conf *c = l->conf;
	for (size_t i = 0; i < c->n_sinks; i++)
		for (size_t k = 0; k < c->n_templates; k++)
			if (strcmp(c->sinks[i].path, c->templates[k].destination) == 0)
				return node_err(stanza_place(l, "sink"), l->e,
						"a template writes '%.200s', "
						"too; give each its own file",
						c->sinks[i].path);
	return true;
}

bool check_conf(struct load *l)
{
	const struct conf *c = l->conf;
	if (!check_proxy(l) || !check_exec(l) || !check_sinks(l))
		return false;
	if (c->n_templates == 0 && c->n_sinks == 0 && c->n_variables == 0 &&
	    !other(l, "listener"))
		return node_err(
			l->documents[0], l->e,
			"nothing to do: there is no template, no sink and no listener");
	return true;
}
