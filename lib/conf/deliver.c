// SPDX-License-Identifier: Apache-2.0
// deliver "container" {…}: the containers to which files go, and the folder of each.
#include <string.h>

#include "lib/base/file.h"
#include "lib/conf/load.h"

enum { DELIVER_MAX = 1000 };

static bool deliver_known(const char *name)
{
	return options_find(STANZA_DELIVER, name);
}

bool path_is_under(const char *path, const char *folder, const char **ret_rest)
{
	size_t len = strlen(folder);
	if (strncmp(path, folder, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return false;
	*ret_rest = path[len] ? path + len + 1 : "";
	return true;
}

static bool absolute(struct load *l, const struct node *at, const char *what,
		     const char *path)
{
	struct err why = ERR_INIT;
	const struct node *n = node_place(at, what);
	if (!path)
		return node_err(at, l->e, "%s is missing", what);
	if (path[0] != '/' || !path[1])
		return node_err(n, l->e, "'%.200s' must be an absolute path", path);
	return file_path_ok(path + 1, &why) || node_err(n, l->e, "%s", why.text);
}

static bool check_deliver(struct load *l, const struct node *at,
			  const struct conf_deliver *d)
{
	const char *rest;
	if (!d->container)
		return node_err(
			at, l->e,
			"a deliver block wants the container's name, as in deliver "
			"\"app\" {…}");
	if (!notify_is_container(d->container))
		return node_err(
			node_place(at, "container"), l->e,
			"'%.63s' is no container's name (small letters, digits, '-')",
			d->container);
	if (!absolute(l, at, "folder", d->folder) || !absolute(l, at, "mount", d->mount))
		return false;
	if (d->env_socket && !absolute(l, at, "env_socket", d->env_socket))
		return false;
	if (d->uid < -1 || d->uid > UINT32_MAX - 1)
		return node_err(node_place(at, "uid"), l->e,
				"a user's number is wanted, or -1 when it is unknown");
	for (size_t i = 0; i + 1 < l->conf->n_deliver; i++) {
		const struct conf_deliver *o = &l->conf->deliver[i];
		if (path_is_under(d->folder, o->folder, &rest) ||
		    path_is_under(o->folder, d->folder, &rest))
			return node_err(
				node_place(at, "folder"), l->e,
				"'%.100s' overlaps with that of '%s'; each container's "
				"folder is its own",
				d->folder, o->container);
		if (strcmp(o->container, d->container) == 0 &&
		    (path_is_under(d->mount, o->mount, &rest) ||
		     path_is_under(o->mount, d->mount, &rest)))
			return node_err(node_place(at, "mount"), l->e,
					"container '%s' has two overlapping mounts",
					d->container);
	}
	return true;
}

bool load_deliver(struct load *l)
{
	struct conf *c = l->conf;
	struct node_blocks blocks = { 0 };
	if (!stanza_all(l, "deliver", deliver_known, &blocks))
		return false;
	if (blocks.n > DELIVER_MAX)
		return node_err(blocks.list[DELIVER_MAX].body, l->e,
				"more than %d deliver blocks", DELIVER_MAX);
	for (size_t i = 0; i < blocks.n; i++) {
		c->deliver = pool_append(l->pool, c->deliver, &c->n_deliver,
					 sizeof(*c->deliver));
		struct conf_deliver *d = &c->deliver[c->n_deliver - 1];
		if (!stanza_defaults(l, STANZA_DELIVER, d))
			return false;
		if (blocks.list[i].label && *blocks.list[i].label)
			d->container = blocks.list[i].label;
		if (!stanza_read(l, STANZA_DELIVER, blocks.list[i].body, d, NULL) ||
		    !check_deliver(l, blocks.list[i].body, d))
			return false;
	}
	return true;
}
