// SPDX-License-Identifier: Apache-2.0
// YAML into JSON values, by libyaml's documents.
#include "cmd/yaml_json.h"

#include <string.h>
#include <yaml.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "templates/yaml.h"

struct reading {
	const char *file;
	yaml_document_t *doc;
	unsigned values, level;
	struct err *e;
};

static json_t *convert(struct reading *r, int index);

static json_t *fail(struct reading *r, const yaml_node_t *n, const char *why)
{
	err_set(r->e, ERR_CONFIG, 0, "%s:%zu: %s", r->file, n->start_mark.line + 1, why);
	return NULL;
}

static json_t *scalar(const yaml_node_t *n)
{
	const char *text = (const char *)n->data.scalar.value;
	size_t len = n->data.scalar.length;
	struct val v;
	json_t *real;
	if (n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
	    (n->tag && strcmp((const char *)n->tag, YAML_STR_TAG) != 0 &&
	     str_starts((const char *)n->tag, "!")))
		return json_str(text, len);
	switch (yaml_resolve((struct str){ text, len }, &v)) {
	case YAML_NULL:
		return json_null();
	case YAML_BOOL:
		return json_boolean(v.b);
	case YAML_INT:
		if (v.kind != VAL_INT)
			return json_str(text, len);
		return val_is_unsigned(&v) && v.u > INT64_MAX
			       ? json_real((double)v.u) // as Kubernetes' own reader
			       : json_integer(v.i);
	case YAML_FLOAT:
		real = json_real(v.f); // not of .inf and .nan
		return real ? real : json_str(text, len);
	default:
		return json_str(text, len);
	}
}

static json_t *sequence(struct reading *r, const yaml_node_t *n)
{
	json_t *list = json_array();
	for (const yaml_node_item_t *i = n->data.sequence.items.start;
	     i < n->data.sequence.items.top; i++) {
		json_t *one = convert(r, *i);
		if (!one) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, one);
	}
	return list;
}

// `<<: *base`, or a list of them: what is written beside it wins.
static bool merge(struct reading *r, const yaml_node_t *at, json_t *to,
		  const json_t *from)
{
	if (!from)
		return false;
	if (json_is_object(from))
		return json_object_update_missing(to, (json_t *)(uintptr_t)from) == 0;
	if (!json_is_array(from)) {
		fail(r, at, "<< wants a mapping, or a list of them");
		return false;
	}
	for (size_t i = 0; i < json_array_size(from); i++)
		json_object_update_missing(to, json_array_get(from, i));
	return true;
}

static bool is_merge(const yaml_node_t *key)
{
	return key && key->type == YAML_SCALAR_NODE &&
	       strcmp((const char *)key->data.scalar.value, "<<") == 0 &&
	       key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool member(struct reading *r, const yaml_node_pair_t *pair, json_t *to)
{
	const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
	if (!key || key->type != YAML_SCALAR_NODE) {
		fail(r, key, "a key is a text");
		return false;
	}
	const char *name = (const char *)key->data.scalar.value;
	json_t *value = convert(r, pair->value);
	if (!value)
		return false;
	if (strlen(name) != key->data.scalar.length || json_object_get(to, name)) {
		json_decref(value);
		err_set(r->e, ERR_CONFIG, 0,
			"%s:%zu: the key '%.253s' stands here for the second time; keep "
			"one of them",
			r->file, key->start_mark.line + 1, name);
		return false;
	}
	return json_object_set_new(to, name, value) == 0;
}

static json_t *mapping(struct reading *r, const yaml_node_t *n)
{
	AUTO_JSON json_t *o = json_object();
	const yaml_node_pair_t *first = n->data.mapping.pairs.start,
			       *end = n->data.mapping.pairs.top;
	for (const yaml_node_pair_t *p = first; p < end; p++)
		if (!is_merge(yaml_document_get_node(r->doc, p->key)) && !member(r, p, o))
			return NULL;
	for (const yaml_node_pair_t *p = first; p < end; p++) { // wherever it stands
		const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
		AUTO_JSON json_t *base = is_merge(key) ? convert(r, p->value) : NULL;
		if (is_merge(key) && !merge(r, key, o, base))
			return NULL;
	}
	return TAKE(o);
}

static json_t *convert(struct reading *r, int index)
{
	const yaml_node_t *n = yaml_document_get_node(r->doc, index);
	json_t *ret = NULL;
	if (++r->values > YAML_VALUES_MAX || r->level >= YAML_LEVELS_MAX)
		return fail(r, n, "too many values or levels");
	r->level++;
	if (n->type == YAML_SCALAR_NODE)
		ret = scalar(n);
	else if (n->type == YAML_SEQUENCE_NODE)
		ret = sequence(r, n);
	else
		ret = mapping(r, n);
	r->level--;
	return ret ? ret : fail(r, n, "it cannot be read");
}

static bool read_document(const char *file, yaml_document_t *doc, json_t *to,
			  struct err *e)
{
	struct reading r = { .file = file, .doc = doc, .e = e };
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	json_t *value = convert(&r, 1);
	if (!root || !value)
		return false;
	if (json_is_null(value))
		json_decref(value);
	else
		json_array_append_new(to, value);
	return true;
}

// A document does not tell `!!str 5` from 5, the events do. Its nodes are in their order.
static void mark_texts(yaml_parser_t *events, yaml_document_t *doc)
{
	for (yaml_node_t *n = doc->nodes.start; n < doc->nodes.top; n++) {
		yaml_event_t event;
		bool scalar = n->type == YAML_SCALAR_NODE, found = !scalar;
		while (!found && yaml_parser_parse(events, &event)) {
			found = event.type == YAML_SCALAR_EVENT ||
				event.type == YAML_STREAM_END_EVENT;
			if (event.type == YAML_SCALAR_EVENT && event.data.scalar.tag &&
			    n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			    strcmp((const char *)event.data.scalar.tag, YAML_STR_TAG) ==
				    0)
				n->data.scalar.style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
			yaml_event_delete(&event);
		}
	}
}

static bool read_all(const char *file, yaml_parser_t *parser, yaml_parser_t *events,
		     json_t *to, struct err *e)
{
	for (;;) {
		yaml_document_t doc;
		if (!yaml_parser_load(parser, &doc))
			return err_set(e, ERR_CONFIG, 0, "%s:%zu: %s", file,
				       parser->problem_mark.line + 1,
				       parser->problem ? parser->problem : "no YAML");
		bool end = !yaml_document_get_root_node(&doc);
		mark_texts(events, &doc);
		bool ok = end || read_document(file, &doc, to, e);
		yaml_document_delete(&doc);
		if (end || !ok)
			return ok;
	}
}

bool yaml_read(const char *file, const char *text, size_t len, json_t **ret,
	       struct err *e)
{
	yaml_parser_t parser, events;
	AUTO_JSON json_t *list = json_array();
	if (len > YAML_TEXT_MAX)
		return err_set(e, ERR_LIMIT, 0, "%s: more than %d bytes", file,
			       YAML_TEXT_MAX);
	if (!yaml_parser_initialize(&parser) || !yaml_parser_initialize(&events))
		return err_set(e, ERR_BUG, 0, "libyaml does not start");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	yaml_parser_set_input_string(&events, (const unsigned char *)text, len);
	bool ok = read_all(file, &parser, &events, list, e);
	yaml_parser_delete(&events);
	yaml_parser_delete(&parser);
	if (ok)
		*ret = TAKE(list);
	return ok;
}
