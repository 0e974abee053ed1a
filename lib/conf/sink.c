// SPDX-License-Identifier: Apache-2.0
// Token sinks: those of auto_auth, and `sink "file" {…}` at the top.
#include <string.h>

#include "lib/conf/load.h"

enum { SINKS_MAX = 256 };

static bool sink_known(const char *name)
{
	return options_find(STANZA_SINK, name);
}

static bool check_sink(struct load *l, const struct node *at, const struct conf_sink *s)
{
	if (strcmp(s->type, "file") != 0)
		return node_err(node_place(at, "type"), l->e,
				"'%.40s' is no type of sink; there is only file",
				s->type);
	if (!s->path)
		return node_err(at, l->e,
				"a sink wants config { path = \"/file/for/the/token\" }");
	if (s->dh_type && strcmp(s->dh_type, "curve25519") != 0)
		return node_err(node_place(at, "dh_type"), l->e, "curve25519 is wanted");
	if (!s->dh_type != !s->dh_path)
		return node_err(at, l->e, "dh_type and dh_path go together: give both");
	if (!s->dh_type && (s->derive_key || s->aad || s->aad_env_var))
		return node_err(
			at, l->e,
			"derive_key and aad belong to an encrypted sink: give dh_type "
			"and dh_path");
	for (size_t i = 0; i + 1 < l->conf->n_sinks; i++)
		if (strcmp(l->conf->sinks[i].path, s->path) == 0)
			return node_err(at, l->e, "a second sink writes '%.200s'",
					s->path);
	return true;
}

static bool read_sinks(struct load *l, const struct node_blocks *blocks)
{
	struct conf *c = l->conf;
	if (blocks->n > SINKS_MAX)
		return node_err(blocks->list[SINKS_MAX].body, l->e, "more than %d sinks",
				SINKS_MAX);
	for (size_t i = 0; i < blocks->n; i++) {
		struct node_block b = blocks->list[i], config;
		c->sinks = pool_append(l->pool, c->sinks, &c->n_sinks, sizeof(*c->sinks));
		struct conf_sink *s = &c->sinks[c->n_sinks - 1];
		if (!stanza_defaults(l, STANZA_SINK, s) ||
		    !stanza_defaults(l, STANZA_SINK_CONFIG, s))
			return false;
		if (b.label && *b.label)
			s->type = b.label;
		if (!stanza_read(l, STANZA_SINK, b.body, s, NULL) ||
		    !stanza_inner(l, b.body, "config", NULL, &config) ||
		    (config.body &&
		     !stanza_read(l, STANZA_SINK_CONFIG, config.body, s, NULL)))
			return false;
		if (!s->type)
			s->type = "file";
		if (!check_sink(l, b.body, s))
			return false;
	}
	return true;
}

bool load_peer_sinks(struct load *l, const struct node *auto_auth)
{
	struct node_blocks sinks = { 0 };
	struct node_block wrapper;
	if (!node_collect(l->pool, auto_auth, "sink", sink_known, &sinks, l->e) ||
	    !stanza_inner(l, auto_auth, "sinks", NULL, &wrapper))
		return false;
	if (wrapper.body &&
	    !node_collect(l->pool, wrapper.body, "sink", sink_known, &sinks, l->e))
		return false;
	return read_sinks(l, &sinks);
}

bool load_sinks(struct load *l)
{
	struct node_blocks sinks = { 0 };
	return stanza_all(l, "sink", sink_known, &sinks) && read_sinks(l, &sinks);
}
