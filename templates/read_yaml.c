// SPDX-License-Identifier: Apache-2.0
// parseYAML over libyaml's events: the only file that knows libyaml.
#include <string.h>
#include <yaml.h>

#include "lib/base/codec.h"
#include "templates/read.h"
#include "templates/yaml.h"

enum { DEPTH_MAX = 100, ALIASES_MAX = 1000 };

struct anchor {
	const char *name;
	struct val value;
	struct anchor *next;
};

struct reader {
	yaml_parser_t parser;
	struct arena *a;
	struct err *e;
	struct anchor *anchors;
	unsigned depth, aliases;
};

static bool fail(struct reader *r, const char *why)
{
	return err_set(r->e, ERR_CONFIG, 0, "line %zu of the YAML text: %s",
		       r->parser.mark.line + 1, why);
}

static bool next(struct reader *r, yaml_event_t *ev)
{
	if (yaml_parser_parse(&r->parser, ev))
		return true;
	return err_set(r->e, ERR_CONFIG, 0, "line %zu of the YAML text: %s",
		       r->parser.problem_mark.line + 1,
		       r->parser.problem ? r->parser.problem : "syntax error");
}

static void auto_event(yaml_event_t *ev)
{
	yaml_event_delete(ev);
}
#define AUTO_EVENT AUTO(auto_event)

static void remember(struct reader *r, const yaml_char_t *name, struct val v)
{
	if (!name)
		return;
	struct anchor *a = arena_alloc(r->a, sizeof(*a));
	a->name = arena_dup(r->a, (const char *)name, strlen((const char *)name));
	a->value = v;
	a->next = r->anchors;
	r->anchors = a;
}

static bool tagged(struct reader *r, const char *tag, struct str s, struct val *ret)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	enum yaml_tag got = yaml_resolve(s, ret);
	bool is_int = got == YAML_INT;
	if (strncmp(tag, prefix, sizeof(prefix) - 1) != 0) {
		*ret = val_str(s.p, s.len);
		return true;
	}
	tag += sizeof(prefix) - 1;
	if (!strcmp(tag, "binary")) {
		struct err e = ERR_INIT;
		AUTO_BUF struct buf out = BUF_INIT(s.len);
		if (!codec_b64_decode(s.p, s.len, B64_STD | B64_NEWLINES, &out, &e))
			return fail(r, "!!binary holds no base64");
		*ret = val_str(arena_dup(r->a, buf_str(&out), out.len), out.len);
		return true;
	}
	if (!strcmp(tag, "float") && is_int) {
		*ret = val_float(val_is_unsigned(ret) ? (double)ret->u : (double)ret->i);
		return true;
	}
	if ((!strcmp(tag, "int") && is_int) ||
	    (!strcmp(tag, "float") && got == YAML_FLOAT) ||
	    (!strcmp(tag, "bool") && got == YAML_BOOL) ||
	    (!strcmp(tag, "null") && got == YAML_NULL))
		return true;
	*ret = val_str(s.p, s.len);
	return !strcmp(tag, "str") || !strcmp(tag, "timestamp") ||
	       fail(r, "a value is not of the type of its tag");
}

static bool scalar(struct reader *r, const yaml_event_t *ev, struct val *ret)
{
	size_t len = ev->data.scalar.length;
	struct str s = { arena_dup(r->a, (const char *)ev->data.scalar.value, len), len };
	*ret = val_str(s.p, s.len);
	if (ev->data.scalar.tag) {
		if (!tagged(r, (const char *)ev->data.scalar.tag, s, ret))
			return false;
	} else if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		enum yaml_tag tag = yaml_resolve(s, ret);
		if (tag == YAML_TIME)
			*ret = val_str(s.p, s.len);
	}
	remember(r, ev->data.scalar.anchor, *ret);
	return true;
}

static bool value(struct reader *r, const yaml_event_t *ev, struct val *ret);

// "<<": a map, or a list of maps of which the first wins.
static bool merge(struct reader *r, struct map *m, const struct val *from)
{
	if (from->kind == VAL_LIST) {
		for (size_t i = list_len(from->list); i > 0; i--) {
			struct val v = list_at(r->a, from->list, i - 1);
			if (v.kind != VAL_MAP)
				return fail(r, "<< takes maps");
			if (!merge(r, m, &v))
				return false;
		}
		return true;
	}
	if (from->kind != VAL_MAP)
		return fail(r, "<< takes maps");
	const struct entry *e = map_entries(r->a, from->map);
	for (size_t i = 0; i < map_len(from->map); i++)
		map_append(r->a, m, e[i].key, e[i].value);
	return true;
}

static bool mapping(struct reader *r, const yaml_event_t *start, struct val *ret)
{
	struct map *m = map_new(r->a, MAP_YAML), *merged = map_new(r->a, MAP_YAML);
	*ret = val_map(m);
	remember(r, start->data.mapping_start.anchor, *ret);
	for (;;) {
		struct val key, v;
		AUTO_EVENT yaml_event_t k = { 0 };
		AUTO_EVENT yaml_event_t ev = { 0 };
		if (!next(r, &k))
			return false;
		if (k.type == YAML_MAPPING_END_EVENT)
			break;
		bool is_merge = k.type == YAML_SCALAR_EVENT &&
				k.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
				!strcmp((const char *)k.data.scalar.value, "<<");
		if (!value(r, &k, &key) || !next(r, &ev) || !value(r, &ev, &v))
			return false;
		if (key.kind == VAL_MAP || key.kind == VAL_LIST)
			return fail(r, "a map or list cannot be a key");
		if (is_merge) {
			if (!merge(r, merged, &v))
				return false;
			continue;
		}
		map_append(r->a, m, key, v);
	}
	for (size_t i = 0; merged->n > 0 && i < m->n; i++) // what is written wins
		map_append(r->a, merged, m->entries[i].key, m->entries[i].value);
	if (merged->n > 0)
		*m = *merged;
	map_sort(r->a, m);
	return true;
}

static bool sequence(struct reader *r, const yaml_event_t *start, struct val *ret)
{
	struct list *l = list_new(r->a, LIST_ANY, 0);
	*ret = val_list(l);
	remember(r, start->data.sequence_start.anchor, *ret);
	for (;;) {
		struct val v;
		AUTO_EVENT yaml_event_t ev = { 0 };
		if (!next(r, &ev))
			return false;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			l->cap = l->n;
			return true;
		}
		if (!value(r, &ev, &v))
			return false;
		list_add(r->a, l,
			 v.kind == VAL_NONE ? (struct val){ .kind = VAL_NIL } : v);
	}
}

static bool alias(struct reader *r, const yaml_event_t *ev, struct val *ret)
{
	if (++r->aliases > ALIASES_MAX)
		return fail(r, "too many aliases");
	for (const struct anchor *a = r->anchors; a; a = a->next)
		if (!strcmp(a->name, (const char *)ev->data.alias.anchor)) {
			*ret = a->value;
			return true;
		}
	return fail(r, "an alias without its anchor");
}

static bool value(struct reader *r, const yaml_event_t *ev, struct val *ret)
{
	bool ok = false;
	if (++r->depth > DEPTH_MAX)
		return fail(r, "nested too deep");
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		ok = scalar(r, ev, ret);
		break;
	case YAML_MAPPING_START_EVENT:
		ok = mapping(r, ev, ret);
		break;
	case YAML_SEQUENCE_START_EVENT:
		ok = sequence(r, ev, ret);
		break;
	case YAML_ALIAS_EVENT:
		ok = alias(r, ev, ret);
		break;
	default:
		ok = fail(r, "unexpected end");
	}
	r->depth--;
	return ok;
}

static bool document(struct reader *r, struct val *ret)
{
	for (;;) {
		AUTO_EVENT yaml_event_t ev = { 0 };
		if (!next(r, &ev))
			return false;
		if (ev.type == YAML_STREAM_END_EVENT) { // nothing but comments
			*ret = (struct val){ .kind = VAL_NIL };
			return true;
		}
		if (ev.type == YAML_STREAM_START_EVENT ||
		    ev.type == YAML_DOCUMENT_START_EVENT)
			continue;
		return value(r, &ev, ret);
	}
}

bool read_yaml(struct arena *a, struct str text, struct val *ret, struct err *e)
{
	struct reader r = { .a = a, .e = e };
	if (!yaml_parser_initialize(&r.parser))
		return err_set(e, ERR_BUG, 0, "libyaml does not start");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.len);
	bool ok = document(&r, ret);
	yaml_parser_delete(&r.parser);
	return ok;
}
