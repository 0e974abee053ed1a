// SPDX-License-Identifier: Apache-2.0
// Templates, and what holds for all of them.
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/conf/load.h"

enum { TEMPLATES_MAX = 10000 };

static bool template_known(const char *name)
{
	return options_find(STANZA_TEMPLATE, name);
}

// `secret` alone is rendered by the stock template json, and its one #key as it is; with a
// template it is the template's data.
static bool check_source(struct load *l, const struct node *at, struct conf_template *t)
{
	unsigned given = !!t->source + !!t->contents + !!t->stock;
	if (given == 0 && t->secret && !strchr(t->secret, '#'))
		t->stock = "json";
	if (given > 1 || (given == 0 && !t->secret))
		return node_err(at, l->e,
				"%s of source, contents and stock; give exactly one",
				given ? "more than one" : "none");
	if (t->stock && !t->secret)
		return node_err(node_place(at, "stock"), l->e,
				"it wants secret = \"path\" beside it");
	return true;
}

static bool check_delimiters(struct load *l, const struct node *at,
			     struct conf_template *t)
{
	if (!t->left_delimiter)
		t->left_delimiter = "{{";
	if (!t->right_delimiter)
		t->right_delimiter = "}}";
	const char *both[] = { t->left_delimiter, t->right_delimiter };
	for (size_t i = 0; i < 2; i++)
		if (strpbrk(both[i], " \t\r\n\"'`") || strlen(both[i]) > 16)
			return node_err(
				node_place(at, i ? "right_delimiter" : "left_delimiter"),
				l->e,
				"it holds a blank or a quote, or is longer than 16 "
				"letters; write something like << and >>");
	if (strcmp(both[0], both[1]) == 0)
		return node_err(node_place(at, "right_delimiter"), l->e,
				"it is the same as left_delimiter");
	return true;
}

static bool names_container(const struct conf_template *t, const char *container)
{
	for (const char *const *c = t->containers; c && *c; c++)
		if (strcmp(*c, container) == 0)
			return true;
	return !t->containers;
}

static bool check_containers(struct load *l, const struct node *at,
			     const struct conf_template *t)
{
	const struct conf *c = l->conf;
	for (const char *const *name = t->containers; name && *name; name++) {
		const char *near;
		const char *names[64];
		size_t n = 0;
		bool found = false;
		for (size_t i = 0; i < c->n_deliver; i++) {
			found |= strcmp(c->deliver[i].container, *name) == 0;
			if (n < ARRAY_LEN(names))
				names[n++] = c->deliver[i].container;
		}
		if (found)
			continue;
		near = str_nearest(*name, names, n);
		return node_err(node_place(at, "containers"), l->e,
				"no deliver block is for '%.63s'%s%s%s", *name,
				near ? "; did you mean '" : "", near ? near : "",
				near ? "'?" : "");
	}
	return true;
}

// The mounts of the chosen containers that hold the destination: at least one of all, and one
// of each named container.
static bool check_mounts(struct load *l, const struct node *at,
			 const struct conf_template *t)
{
	const struct conf *c = l->conf;
	const char *rest, *mount = NULL;
	const struct node *n = node_place(at, "destination");
	struct err why = ERR_INIT;
	bool fits = false;
	for (size_t i = 0; i < c->n_deliver; i++) {
		const struct conf_deliver *d = &c->deliver[i];
		if (!names_container(t, d->container))
			continue;
		mount = d->mount;
		if (!path_is_under(t->destination, d->mount, &rest))
			continue;
		fits = true;
		if (!*rest)
			return node_err(n, l->e,
					"'%.200s' is the mount itself; name a file in it",
					t->destination);
		if (!file_path_ok(rest, &why))
			return node_err(n, l->e, "%s", why.text);
	}
	return fits ||
	       node_err(n, l->e,
			"'%.200s' lies outside of what the application sees; it must "
			"be under %.100s",
			t->destination, mount ? mount : "a mount of deliver");
}

static bool check_destination(struct load *l, const struct node *at,
			      const struct conf_template *t)
{
	const struct node *n = node_place(at, "destination");
	const char *d = t->destination;
	if (!d)
		return node_err(at, l->e, "destination is missing: the file to write");
	size_t len = strlen(d);
	if (len >= 4096)
		return node_err(n, l->e, "longer than 4095 bytes");
	if (d[len - 1] == '/')
		return node_err(n, l->e, "'%.200s' is a folder; name a file", d);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)d[i] < ' ' || d[i] == 0x7f)
			return node_err(n, l->e, "it holds a control letter");
	if (l->conf->n_deliver > 0) {
		if (d[0] != '/')
			return node_err(n, l->e, "'%.200s' must be an absolute path", d);
		return check_mounts(l, at, t);
	}
	return d[0] == '/' || load_warn(l, n,
					"'%.200s' is relative to the folder "
					"in which the agent was "
					"started; write an absolute path",
					d);
}

// Whether both files appear in one container (each container has a folder of its own).
bool template_shares_container(const struct conf_template *a,
			       const struct conf_template *b)
{
	if (!a->containers || !b->containers)
		return true;
	for (const char *const *c = a->containers; *c; c++)
		if (names_container(b, *c))
			return true;
	return false;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

// The peer takes two templates with equal source, contents and destination for one.
static bool check_others(struct load *l, const struct node *at,
			 const struct conf_template *t, bool *ret_same)
{
	const struct conf *c = l->conf;
	const struct node *n = node_place(at, "destination");
	const char *rest;
	*ret_same = false;
	for (size_t i = 0; i + 1 < c->n_templates; i++) {
		const struct conf_template *o = &c->templates[i];
		if (!template_shares_container(o, t))
			continue;
		if (strcmp(o->destination, t->destination) == 0) {
			*ret_same = same_text(o->source, t->source) &&
				    same_text(o->contents, t->contents) &&
				    same_text(o->stock, t->stock) &&
				    same_text(o->secret, t->secret);
			return *ret_same || node_err(n, l->e,
						     "a second template writes '%.200s'; "
						     "give each its own "
						     "file",
						     t->destination);
		}
		if (path_is_under(t->destination, o->destination, &rest) ||
		    path_is_under(o->destination, t->destination, &rest))
			return node_err(
				n, l->e,
				"'%.150s' and that of '%.100s' are file and folder of "
				"one name",
				t->destination, o->name);
	}
	return true;
}

bool template_check_text(struct load *l, const struct node *at, struct conf_template *t)
{
	if (t->containers && !t->containers[0])
		t->containers = NULL;
	return check_source(l, at, t) && check_delimiters(l, at, t) &&
	       check_containers(l, at, t);
}

static bool read_exec(struct load *l, const struct node *body, struct conf_template *t)
{
	struct node_block exec;
	struct conf_template own = { .command_timeout_ms = t->command_timeout_ms };
	if (!stanza_inner(l, body, "exec", NULL, &exec))
		return false;
	if (!exec.body)
		return true;
	if (!stanza_defaults(l, STANZA_TEMPLATE_EXEC, &own) ||
	    !stanza_read(l, STANZA_TEMPLATE_EXEC, exec.body, &own, NULL))
		return false;
	if (!own.exec_enabled)
		return true;
	for (size_t i = 0; i < own.n_notify; i++) {
		t->notify =
			pool_append(l->pool, t->notify, &t->n_notify, sizeof(*t->notify));
		t->notify[t->n_notify - 1] = own.notify[i];
	}
	t->command_timeout_ms = own.command_timeout_ms;
	return true;
}

static bool read_template(struct load *l, struct node_block block,
			  struct conf_template *t)
{
	const struct node *at = block.body;
	if (!stanza_defaults(l, STANZA_TEMPLATE, t) ||
	    !stanza_read(l, STANZA_TEMPLATE, at, t, NULL) || !read_exec(l, at, t))
		return false;
	if (t->command_timeout_ms == 0)
		t->command_timeout_ms = 30000;
	if (!t->name)
		t->name = block.label && *block.label ? block.label : t->destination;
	for (size_t i = 0; i < t->n_notify; i++)
		if (t->notify[i].kind == NOTIFY_COMMAND)
			t->notify[i].timeout_ms = t->command_timeout_ms;
	return template_check_text(l, at, t) && check_destination(l, at, t);
}

static bool load_template_config(struct load *l)
{
	struct conf_template_config *t = &l->conf->template_config;
	const struct node *body;
	if (!stanza_defaults(l, STANZA_TEMPLATE_CONFIG, t) ||
	    !stanza_single(l, "template_config", &body))
		return false;
	if (!body)
		return true;
	if (!stanza_read(l, STANZA_TEMPLATE_CONFIG, body, t, NULL))
		return false;
	if (t->static_interval_ms == 0) // the default, as the peer
		t->static_interval_ms = 300000;
	if (t->lease_renewal_threshold <= 0 || t->lease_renewal_threshold > 1)
		return node_err(node_place(body, "lease_renewal_threshold"), l->e,
				"a number above 0 and at most 1 is wanted");
	return true;
}

bool load_templates(struct load *l)
{
	struct conf *c = l->conf;
	struct node_blocks blocks = { 0 };
	if (!load_template_config(l) ||
	    !stanza_all(l, "template", template_known, &blocks))
		return false;
	if (blocks.n > TEMPLATES_MAX)
		return node_err(blocks.list[TEMPLATES_MAX].body, l->e,
				"more than %d templates", TEMPLATES_MAX);
	for (size_t i = 0; i < blocks.n; i++) {
		bool same;
		c->templates = pool_append(l->pool, c->templates, &c->n_templates,
					   sizeof(*c->templates));
		struct conf_template *t = &c->templates[c->n_templates - 1];
		bool good = read_template(l, blocks.list[i], t) &&
			    check_others(l, blocks.list[i].body, t, &same);
		if (!good && !load_goes_on(l))
			return false;
		if (!good || same) {
			*t = (struct conf_template){ 0 };
			c->n_templates--;
		}
	}
	return true;
}
