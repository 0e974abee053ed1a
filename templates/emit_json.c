// SPDX-License-Identifier: Apache-2.0
// JSON as Go's encoding/json writes it: sorted keys, floats as ECMAScript has them, <, >
// and & escaped unless told not to.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "templates/emit.h"
#include "templates/format.h"
#include "templates/gotime.h"
#include "templates/object.h"
#include "templates/unicode.h"

struct json_out {
	struct buf *out;
	struct arena *a;
	struct emit_json how;
	struct err *e;
	unsigned depth;
};

static void string(const struct json_out *j, struct str s)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	struct buf *out = j->out;
	buf_putc(out, '"');
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t c = rune_decode(s.p + i, s.len - i, &width);
		const char *plain = c && c < 0x80 ? strchr(special, (int)c) : NULL;
		bool html = (c == '<' || c == '>' || c == '&') && !j->how.unescaped;
		if (width == 1 && c == RUNE_ERROR)
			buf_puts(out, "\\ufffd");
		else if (plain)
			buf_printf(out, "\\%c", letters[plain - special]);
		else if (c < ' ' || html || c == 0x2028 || c == 0x2029)
			buf_printf(out, "\\u%04x", c);
		else
			buf_add(out, s.p + i, width);
	}
	buf_putc(out, '"');
}

static bool floating(const struct json_out *j, double f)
{
	if (!isfinite(f))
		return err_set(j->e, ERR_CONFIG, 0, "infinity and NaN have no JSON form");
	double abs = fabs(f);
	if (abs == 0 || (abs >= 1e-6 && abs < 1e21)) {
		format_float(j->out, f, 'f', -1);
		return true;
	}
	AUTO_BUF struct buf text = BUF_INIT(64);
	format_float(&text, f, 'e', -1);
	const char *s = buf_str(&text);
	size_t n = text.len;
	// e-09 is e-9 in ECMAScript.
	bool short_exp =
		n >= 4 && s[n - 4] == 'e' && (s[n - 3] == '-') && s[n - 2] == '0';
	buf_add(j->out, s, short_exp ? n - 2 : n);
	if (short_exp)
		buf_putc(j->out, s[n - 1]);
	return true;
}

static void newline(const struct json_out *j)
{
	if (!j->how.pretty)
		return;
	buf_putc(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		buf_puts(j->out, "  ");
}

static void begin(struct json_out *j, char bracket)
{
	buf_putc(j->out, bracket);
	j->depth++;
}

static void end(struct json_out *j, char bracket, bool any)
{
	j->depth--;
	if (any)
		newline(j);
	buf_putc(j->out, bracket);
}

static bool null(const struct json_out *j)
{
	buf_puts(j->out, "null");
	return true;
}

static bool value(struct json_out *j, const struct val *v);

static void key(struct json_out *j, struct str name, bool first)
{
	if (!first)
		buf_putc(j->out, ',');
	newline(j);
	string(j, name);
	buf_puts(j->out, j->how.pretty ? ": " : ":");
}

struct member {
	struct str name;
	const json_t *value;
};

static int by_name(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t least = x->name.len < y->name.len ? x->name.len : y->name.len;
	int c = memcmp(x->name.p, y->name.p, least);
	return c ? c : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static bool json(struct json_out *j, const json_t *from);

// A document that no template has looked into is written as it lies there.
static bool json_map(struct json_out *j, const json_t *from)
{
	json_t *o = (json_t *)(uintptr_t)from; // jansson's iterators want it writable
	size_t n = 0;
	AUTO_FREE struct member *members =
		mem_calloc(json_object_size(o) + 1, sizeof(*members));
	for (void *it = json_object_iter(o); it; it = json_object_iter_next(o, it))
		members[n++] = (struct member){
			{ json_object_iter_key(it), json_object_iter_key_len(it) },
			json_object_iter_value(it),
		};
	qsort(members, n, sizeof(*members), by_name);
	begin(j, '{');
	for (size_t i = 0; i < n && !buf_failed(j->out); i++) {
		key(j, members[i].name, i == 0);
		if (!json(j, members[i].value))
			return false;
	}
	end(j, '}', n);
	return true;
}

static bool json_list(struct json_out *j, const json_t *from)
{
	size_t n = json_array_size(from);
	begin(j, '[');
	for (size_t i = 0; i < n && !buf_failed(j->out); i++) {
		if (i)
			buf_putc(j->out, ',');
		newline(j);
		if (!json(j, json_array_get(from, i)))
			return false;
	}
	end(j, ']', n);
	return true;
}

static bool json(struct json_out *j, const json_t *from)
{
	if (j->depth > EMIT_DEPTH_MAX)
		return err_set(j->e, ERR_LIMIT, 0, "nested deeper than %d",
			       EMIT_DEPTH_MAX);
	if (json_is_object(from))
		return json_map(j, from);
	if (json_is_array(from))
		return json_list(j, from);
	struct val v = val_json(j->a, from);
	return value(j, &v);
}

static bool map(struct json_out *j, const struct val *v)
{
	struct map *m = v->map;
	if (!m || m->type == MAP_YAML) {
		if (m)
			return err_set(j->e, ERR_CONFIG, 0,
				       "a value of type %s has no JSON form",
				       val_type(v));
		return null(j);
	}
	if (m->json)
		return json(j, m->json);
	const struct entry *entries = map_entries(j->a, m);
	begin(j, '{');
	for (size_t i = 0; i < m->n && !buf_failed(j->out); i++) {
		struct str name = { entries[i].key.s.p, entries[i].key.s.len };
		key(j, name, i == 0);
		if (!value(j, &entries[i].value))
			return false;
	}
	end(j, '}', m->n);
	return true;
}

static bool bytes(struct json_out *j, struct list *l)
{
	char *p = arena_alloc(j->a, l->n + 1);
	for (size_t i = 0; i < l->n; i++)
		p[i] = (char)list_at(j->a, l, i).i;
	buf_putc(j->out, '"');
	codec_b64_encode(p, l->n, B64_STD, j->out);
	buf_putc(j->out, '"');
	return true;
}

static bool list(struct json_out *j, const struct val *v)
{
	struct list *l = v->list;
	if (!l)
		return null(j);
	if (l->type == LIST_BYTES)
		return bytes(j, l);
	if (l->json)
		return json(j, l->json);
	begin(j, '[');
	for (size_t i = 0; i < l->n && !buf_failed(j->out); i++) {
		struct val item = list_at(j->a, l, i);
		if (i)
			buf_putc(j->out, ',');
		newline(j);
		if (!value(j, &item))
			return false;
	}
	end(j, ']', l->n);
	return true;
}

static bool object(struct json_out *j, const struct val *v)
{
	struct str name;
	struct val field;
	if (val_is_nil(v))
		return null(j);
	begin(j, '{');
	for (size_t i = 0; object_nth(j->a, v, i, &name, &field); i++) {
		key(j, name, i == 0);
		if (!value(j, &field))
			return false;
	}
	end(j, '}', v->object->type != OBJ_SCRATCH);
	return true;
}

static bool value(struct json_out *j, const struct val *v)
{
	if (j->depth > EMIT_DEPTH_MAX)
		return err_set(j->e, ERR_LIMIT, 0, "nested deeper than %d",
			       EMIT_DEPTH_MAX);
	switch ((enum val_kind)v->kind) {
	case VAL_NONE:
	case VAL_NIL:
		buf_puts(j->out, "null");
		return true;
	case VAL_BOOL:
		buf_puts(j->out, v->b ? "true" : "false");
		return true;
	case VAL_INT:
		if (val_is_unsigned(v))
			buf_printf(j->out, "%llu", (unsigned long long)v->u);
		else
			format_int(j->out, v->i);
		return true;
	case VAL_FLOAT:
		return floating(j, v->f);
	case VAL_STR:
		string(j, (struct str){ v->s.p, v->s.len });
		return true;
	case VAL_NUMBER:
		buf_add(j->out, v->s.p, v->s.len);
		return true;
	case VAL_LIST:
		return list(j, v);
	case VAL_MAP:
		return map(j, v);
	case VAL_OBJECT:
		return object(j, v);
	case VAL_TIME:
		buf_putc(j->out, '"');
		gotime_format(j->out, v, str_of("2006-01-02T15:04:05.999999999Z07:00"));
		buf_putc(j->out, '"');
		return true;
	case VAL_COMPLEX:
	case VAL_CHAN:
		break;
	}
	return err_set(j->e, ERR_CONFIG, 0, "a value of type %s has no JSON form",
		       val_type(v));
}

bool emit_json(struct buf *out, struct arena *a, const struct val *v,
	       struct emit_json how, struct err *e)
{
	struct json_out j = { out, a, how, e, 0 };
	return value(&j, v);
}
