// SPDX-License-Identifier: Apache-2.0
// TOML as BurntSushi/toml writes it: plain keys first, tables behind them, two blanks a
// level; a list of maps becomes an array of tables.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "templates/emit.h"
#include "templates/format.h"
#include "templates/gotime.h"
#include "templates/literal.h"
#include "templates/object.h"

struct toml_out {
	struct buf *out;
	struct arena *a;
	struct err *e;
	struct str path[EMIT_DEPTH_MAX];
	size_t depth;
	unsigned inline_depth;
};

enum toml_kind { TOML_NONE, TOML_PLAIN, TOML_TABLE, TOML_TABLES, TOML_BAD };

static bool fail_type(struct toml_out *t, const struct val *v)
{
	return err_set(t->e, ERR_CONFIG, 0, "a value of type %s has no TOML form",
		       val_type(v));
}

static bool is_table(const struct val *v)
{
	return (v->kind == VAL_MAP && v->map) ||
	       (v->kind == VAL_OBJECT && !val_is_nil(v));
}

// TOML_BAD: a list with nil in it.
static enum toml_kind kind_of(struct toml_out *t, const struct val *v)
{
	if (val_is_nil(v))
		return TOML_NONE;
	if (is_table(v))
		return TOML_TABLE;
	if (v->kind != VAL_LIST)
		return TOML_PLAIN;
	bool tables = list_len(v->list) > 0;
	for (size_t i = 0; i < list_len(v->list); i++) {
		struct val item = list_at(t->a, v->list, i);
		if (val_is_nil(&item))
			return TOML_BAD;
		tables = tables && is_table(&item);
	}
	return tables ? TOML_TABLES : TOML_PLAIN;
}

static void quoted(struct buf *out, struct str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		static const char special[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
		const char *hit = s.p[i] ? strchr(special, s.p[i]) : NULL;
		if (hit)
			buf_printf(out, "\\%c", letters[hit - special]);
		else if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
			buf_printf(out, "\\u%04x", s.p[i]);
		else
			buf_putc(out, s.p[i]);
	}
	buf_putc(out, '"');
}

static void key_name(struct buf *out, struct str key)
{
	bool bare = key.len > 0;
	for (size_t i = 0; i < key.len; i++) {
		char c = key.p[i];
		bare = bare &&
		       ((c >= '0' && c <= '9') ||
			((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-');
	}
	if (bare)
		buf_add(out, key.p, key.len);
	else
		quoted(out, key);
}

static void indent(struct toml_out *t)
{
	for (size_t i = 1; i < t->depth; i++)
		buf_puts(t->out, "  ");
}

static void newline(struct toml_out *t)
{
	if (t->out->len)
		buf_putc(t->out, '\n');
}

static bool floating(struct toml_out *t, double f)
{
	if (isnan(f) || isinf(f)) {
		buf_puts(t->out, isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
		return true;
	}
	size_t start = t->out->len;
	format_float(t->out, f, 'f', -1);
	if (!memchr(buf_str(t->out) + start, '.', t->out->len - start))
		buf_puts(t->out, ".0");
	return true;
}

static bool number(struct toml_out *t, struct str s)
{
	int64_t i = 0;
	double f = 0;
	bool range = false;
	if (!s.len || literal_int(s, 10, &i)) {
		buf_printf(t->out, "%" PRId64, i);
		return true;
	}
	if (literal_float(s, &f, &range))
		return floating(t, f);
	return err_set(t->e, ERR_CONFIG, 0, "a number fits neither int64 nor float64");
}

static bool element(struct toml_out *t, const struct val *v);

static bool list(struct toml_out *t, struct list *l)
{
	buf_putc(t->out, '[');
	for (size_t i = 0; i < list_len(l) && !buf_failed(t->out); i++) {
		struct val item = list_at(t->a, l, i);
		if (i)
			buf_puts(t->out, ", ");
		if (!element(t, &item))
			return false;
	}
	buf_putc(t->out, ']');
	return true;
}

// The i-th member of a map or struct.
static bool member(struct toml_out *t, const struct val *v, size_t i, struct str *ret_key,
		   struct val *ret)
{
	if (v->kind == VAL_OBJECT)
		return object_nth(t->a, v, i, ret_key, ret);
	if (i >= map_len(v->map))
		return false;
	const struct entry *e = map_entries(t->a, v->map) + i;
	*ret_key = (struct str){ e->key.s.p, e->key.s.len };
	*ret = e->value;
	return true;
}

static bool check_map(struct toml_out *t, const struct val *v)
{
	if (v->kind == VAL_MAP && v->map->type == MAP_YAML)
		return fail_type(t, v);
	return true;
}

static bool inline_table(struct toml_out *t, const struct val *v)
{
	struct str key;
	struct val value;
	bool first = true;
	if (!check_map(t, v))
		return false;
	buf_putc(t->out, '{');
	for (int sub = 0; sub < 2; sub++)
		for (size_t i = 0; member(t, v, i, &key, &value); i++) {
			enum toml_kind kind = kind_of(t, &value);
			bool table = kind == TOML_TABLE || kind == TOML_TABLES;
			if (kind == TOML_NONE || table != (sub == 1))
				continue;
			if (!first)
				buf_puts(t->out, ", ");
			first = false;
			key_name(t->out, key);
			buf_puts(t->out, " = ");
			if (!element(t, &value))
				return false;
		}
	buf_putc(t->out, '}');
	return true;
}

static bool element(struct toml_out *t, const struct val *v)
{
	if (++t->inline_depth > EMIT_DEPTH_MAX)
		return err_set(t->e, ERR_LIMIT, 0, "nested deeper than %d",
			       EMIT_DEPTH_MAX);
	bool ok = true;
	switch ((enum val_kind)v->kind) {
	case VAL_STR:
		quoted(t->out, (struct str){ v->s.p, v->s.len });
		break;
	case VAL_NUMBER:
		ok = number(t, (struct str){ v->s.p, v->s.len });
		break;
	case VAL_BOOL:
		buf_puts(t->out, v->b ? "true" : "false");
		break;
	case VAL_INT:
		if (val_is_unsigned(v))
			buf_printf(t->out, "%" PRIu64, v->u);
		else
			buf_printf(t->out, "%" PRId64, v->i);
		break;
	case VAL_FLOAT:
		ok = floating(t, v->f);
		break;
	case VAL_LIST:
		ok = list(t, v->list);
		break;
	case VAL_MAP:
	case VAL_OBJECT:
		ok = is_table(v) ? inline_table(t, v) : fail_type(t, v);
		break;
	case VAL_TIME:
		gotime_format(t->out, v, str_of("2006-01-02T15:04:05.999999999Z07:00"));
		break;
	default:
		ok = fail_type(t, v);
	}
	t->inline_depth--;
	return ok;
}

static bool members(struct toml_out *t, const struct val *v);

static void header(struct toml_out *t, const char *open, const char *close)
{
	indent(t);
	buf_puts(t->out, open);
	for (size_t i = 0; i < t->depth; i++) {
		if (i)
			buf_putc(t->out, '.');
		key_name(t->out, t->path[i]);
	}
	buf_puts(t->out, close);
	newline(t);
}

static bool tables(struct toml_out *t, struct list *l)
{
	for (size_t i = 0; i < list_len(l) && !buf_failed(t->out); i++) {
		struct val item = list_at(t->a, l, i);
		newline(t);
		header(t, "[[", "]]");
		if (!members(t, &item))
			return false;
	}
	return true;
}

static bool encode(struct toml_out *t, const struct val *v)
{
	switch (kind_of(t, v)) {
	case TOML_TABLE:
		if (t->depth == 1)
			newline(t);
		header(t, "[", "]");
		return members(t, v);
	case TOML_TABLES:
		return tables(t, v->list);
	case TOML_BAD:
		return err_set(t->e, ERR_CONFIG, 0, "a list with nil has no TOML form");
	case TOML_NONE:
		return true;
	case TOML_PLAIN:
		break;
	}
	indent(t);
	key_name(t->out, t->path[t->depth - 1]);
	buf_puts(t->out, " = ");
	if (!element(t, v))
		return false;
	newline(t);
	return true;
}

static bool members(struct toml_out *t, const struct val *v)
{
	struct str key;
	struct val value;
	if (!check_map(t, v))
		return false;
	if (t->depth >= EMIT_DEPTH_MAX)
		return err_set(t->e, ERR_LIMIT, 0, "nested deeper than %d",
			       EMIT_DEPTH_MAX);
	t->depth++;
	for (int sub = 0; sub < 2; sub++)
		for (size_t i = 0; member(t, v, i, &key, &value) && !buf_failed(t->out);
		     i++) {
			enum toml_kind kind = kind_of(t, &value);
			bool table = kind == TOML_TABLE || kind == TOML_TABLES;
			if (table != (sub == 1))
				continue;
			t->path[t->depth - 1] = key;
			if (!encode(t, &value))
				return false;
		}
	t->depth--;
	return true;
}

bool emit_toml(struct buf *out, struct arena *a, const struct val *v, struct err *e)
{
	struct toml_out t = { .out = out, .a = a, .e = e };
	if (val_is_nil(v))
		return v->kind == VAL_MAP || fail_type(&t, v);
	if (is_table(v))
		return members(&t, v);
	switch (kind_of(&t, v)) {
	case TOML_TABLES:
		return err_set(e, ERR_CONFIG, 0, "a list of maps needs a key");
	case TOML_BAD:
		return err_set(e, ERR_CONFIG, 0, "a list with nil has no TOML form");
	default:
		return element(&t, v);
	}
}
