// SPDX-License-Identifier: Apache-2.0
// The peer's stanzas that the agent's proxy will read: checked against
// the table and kept in conf.other, a list of objects each, labels as the key that they mean.
#include <string.h>

#include "lib/base/json.h"
#include "lib/conf/load.h"

static const struct kept {
	const char *key;
	const char *label; // the key that the label stands for; NULL: takes none
	enum option_stanza stanza;
	bool single;
} kept[] = {
	{ "cache", NULL, STANZA_CACHE, true },
	{ "api_proxy", NULL, STANZA_API_PROXY, true },
	{ "listener", "type", STANZA_LISTENER, false },
	{ "telemetry", NULL, STANZA_TELEMETRY, true },
};

static bool listener_known(const char *name)
{
	return options_find(STANZA_LISTENER, name);
}

static bool persist_known(const char *name)
{
	return options_find(STANZA_CACHE_PERSIST, name);
}

static node_known_fn *known_of(const struct kept *k)
{
	return k->label ? listener_known : NULL;
}

// Values of rows without a field are still looked at: they are set into scratch memory.
static bool check_values(struct load *l, enum option_stanza stanza,
			 const struct node *body)
{
	union {
		void *align;
		int64_t number;
		char bytes[64];
	} scratch = { .align = NULL };
	if (!stanza_read(l, stanza, body, &scratch, NULL))
		return false;
	for (const struct node *m = body->first; m; m = m->next) {
		const struct option_row *row = options_find(stanza, m->key);
		if (row && row->type != OPTION_IGNORED && m->kind != NODE_NULL &&
		    !value_set(l, row, m, &scratch))
			return false;
	}
	return true;
}

// The body as an object: keys as the table spells them, of repeated values the last, the
// label as the key that it stands for.
static json_t *kept_json(const struct node_block *b, enum option_stanza stanza,
			 const char *label_key)
{
	struct node plain = *b->body;
	plain.labels = NULL;
	json_t *o = node_to_json(&plain);
	for (const struct node *m = plain.first; m; m = m->next) {
		const struct option_row *row = options_find(stanza, m->key);
		if (!row || m->kind == NODE_NULL)
			continue;
		bool block = row->type == OPTION_BLOCK;
		json_t *value =
			block ? json_incref(json_object_get(o, m->key)) : node_to_json(m);
		json_object_del(o, m->key);
		json_object_set_new(o, row->key, value);
	}
	if (b->label && label_key && !json_object_get(o, label_key))
		json_object_set_new(o, label_key, json_str(b->label, strlen(b->label)));
	return o;
}

static bool keep_persist(struct load *l, const struct node *cache, json_t *to)
{
	struct node_block persist;
	if (!stanza_inner(l, cache, "persist", persist_known, &persist))
		return false;
	if (!persist.body)
		return true;
	json_object_set_new(to, "persist",
			    kept_json(&persist, STANZA_CACHE_PERSIST, "type"));
	return check_values(l, STANZA_CACHE_PERSIST, persist.body);
}

static bool keep(struct load *l, const struct kept *k)
{
	struct node_blocks blocks = { 0 };
	struct node_block one = { 0 };
	if (k->single) {
		if (!stanza_single(l, k->key, &one.body))
			return false;
		if (!one.body)
			return true;
		blocks = (struct node_blocks){ &one, 1 };
	} else if (!stanza_all(l, k->key, known_of(k), &blocks)) {
		return false;
	}
	json_t *list = blocks.n ? json_array() : NULL;
	if (list)
		json_object_set_new(l->conf->other, k->key, list);
	for (size_t i = 0; i < blocks.n; i++) {
		json_t *o = kept_json(&blocks.list[i], k->stanza, k->label);
		json_array_append_new(list, o);
		if (k->stanza == STANZA_TELEMETRY &&
		    !load_warn(l, blocks.list[i].body,
			       "it has no meaning here: metrics are Prometheus text, at "
			       "metrics_address or a listener"))
			return false;
		if (!check_values(l, k->stanza, blocks.list[i].body) ||
		    (k->stanza == STANZA_CACHE &&
		     !keep_persist(l, blocks.list[i].body, o)))
			return false;
	}
	return true;
}

bool load_peer(struct load *l)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (!keep(l, &kept[i]))
			return false;
	return true;
}
