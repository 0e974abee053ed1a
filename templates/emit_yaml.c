// SPDX-License-Identifier: Apache-2.0
// YAML in block style as yaml.v2 writes it: which scalars are quoted and how, where lines
// are folded, how lists are indented in maps. Scalars are written in emit_yaml_scalar.c.
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "templates/emit_yaml_int.h"
#include "templates/format.h"
#include "templates/gotime.h"
#include "templates/literal.h"
#include "templates/object.h"
#include "templates/unicode.h"

enum { INDENT = 2, SIMPLE_KEY_MAX = 128 };

void yaml_put(struct yaml_out *y, char c)
{
	buf_putc(y->out, c);
	// Columns are counted in runes.
	y->column += (c & 0xC0) != 0x80;
}

void yaml_break(struct yaml_out *y)
{
	buf_putc(y->out, '\n');
	y->column = 0;
}

void yaml_indent(struct yaml_out *y)
{
	int indent = y->indent < 0 ? 0 : y->indent;
	if (!y->indention || y->column > indent ||
	    (y->column == indent && !y->whitespace))
		yaml_break(y);
	while (y->column < indent && !buf_failed(y->out))
		yaml_put(y, ' ');
	y->whitespace = true;
	y->indention = true;
}

void yaml_indicator(struct yaml_out *y, const char *s, bool need_space, bool is_space,
		    bool is_indention)
{
	if (need_space && !y->whitespace)
		yaml_put(y, ' ');
	for (; *s; s++)
		yaml_put(y, *s);
	y->whitespace = is_space;
	y->indention = y->indention && is_indention;
}

enum context { IN_ROOT, IN_LIST, IN_MAP_VALUE, IN_KEY };

static bool node(struct yaml_out *y, const struct val *v, enum context context);

// A value as the scalar that it is written as; false for lists and maps.
static bool scalar_of(struct yaml_out *y, const struct val *v, struct yaml_scalar *ret)
{
	AUTO_BUF struct buf text = BUF_INIT(y->out->max);
	int64_t i = 0;
	double f = v->f;
	bool range = false, is_float = v->kind == VAL_FLOAT;
	*ret = (struct yaml_scalar){ .style = YAML_PLAIN };
	switch ((enum val_kind)v->kind) {
	case VAL_BOOL:
		ret->text = str_of(v->b ? "true" : "false");
		return true;
	case VAL_INT:
		buf_printf(&text, val_is_unsigned(v) ? "%" PRIu64 : "%" PRId64, v->u);
		break;
	case VAL_NUMBER:
		if (literal_int((struct str){ v->s.p, v->s.len }, 10, &i)) {
			buf_printf(&text, "%" PRId64, i);
		} else if (literal_float((struct str){ v->s.p, v->s.len }, &f, &range)) {
			is_float = true;
		} else {
			yaml_string(y, (struct str){ v->s.p, v->s.len }, ret);
			return true;
		}
		break;
	case VAL_STR:
		yaml_string(y, (struct str){ v->s.p, v->s.len }, ret);
		return true;
	case VAL_FLOAT:
		break;
	case VAL_TIME:
		gotime_format(&text, v, str_of("2006-01-02T15:04:05.999999999Z07:00"));
		break;
	case VAL_OBJECT:
		if (!val_is_nil(v))
			return false;
		ret->text = str_of("null");
		return true;
	case VAL_LIST:
	case VAL_MAP:
	case VAL_CHAN:
	case VAL_COMPLEX:
		return false;
	case VAL_NONE:
	case VAL_NIL:
		ret->text = str_of("null");
		return true;
	}
	if (is_float) {
		format_float(&text, f, 'g', -1);
		const char *s = buf_str(&text);
		const char *word = !strcmp(s, "+Inf")   ? ".inf"
				   : !strcmp(s, "-Inf") ? "-.inf"
				   : !strcmp(s, "NaN")  ? ".nan"
							: NULL;
		if (word) {
			ret->text = str_of(word);
			return true;
		}
	}
	ret->text = (struct str){ arena_dup(y->a, buf_str(&text), text.len), text.len };
	return true;
}

static bool key_value(struct yaml_out *y, const struct val *key, const struct val *value)
{
	struct yaml_scalar s;
	yaml_indent(y);
	bool scalar = scalar_of(y, key, &s);
	bool simple = scalar && !s.multiline && s.text.len <= SIMPLE_KEY_MAX;
	if (scalar)
		simple = yaml_is_simple(&s, SIMPLE_KEY_MAX);
	if (simple) {
		if (!node(y, key, IN_KEY))
			return false;
		yaml_indicator(y, ":", false, false, false);
	} else {
		yaml_indicator(y, "?", true, false, true);
		if (!node(y, key, IN_MAP_VALUE))
			return false;
		yaml_indent(y);
		yaml_indicator(y, ":", true, false, true);
	}
	return node(y, value, IN_MAP_VALUE);
}

static bool object(struct yaml_out *y, const struct val *v)
{
	struct str name;
	struct val field;
	for (size_t i = 0; object_nth(y->a, v, i, &name, &field); i++) {
		char *lower = arena_dup(y->a, name.p, name.len);
		for (char *c = lower; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		struct val key = val_str(lower, name.len);
		if (!key_value(y, &key, &field))
			return false;
	}
	return true;
}

static int natural_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return yaml_key_order(&x->key, &y->key);
}

static bool mapping(struct yaml_out *y, const struct val *v)
{
	size_t n = v->kind == VAL_MAP ? map_len(v->map) : 1;
	if (v->kind == VAL_OBJECT && v->object->type == OBJ_SCRATCH)
		n = 0;
	if (!n) {
		yaml_indicator(y, "{", true, true, false);
		yaml_indicator(y, "}", false, false, false);
		return true;
	}
	int outer = y->indent;
	y->indent = y->indent < 0 ? 0 : y->indent + INDENT;
	bool ok = true;
	if (v->kind == VAL_OBJECT) {
		ok = object(y, v);
	} else {
		struct entry *sorted = arena_calloc(y->a, n, sizeof(*sorted));
		memcpy(sorted, map_entries(y->a, v->map), n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), natural_order);
		for (size_t i = 0; i < n && ok && !buf_failed(y->out); i++)
			ok = key_value(y, &sorted[i].key, &sorted[i].value);
	}
	y->indent = outer;
	return ok;
}

static bool sequence(struct yaml_out *y, struct list *l, enum context context)
{
	if (!list_len(l)) {
		yaml_indicator(y, "[", true, true, false);
		yaml_indicator(y, "]", false, false, false);
		return true;
	}
	int outer = y->indent;
	bool flat = context == IN_MAP_VALUE && !y->indention;
	if (y->indent < 0)
		y->indent = 0;
	else if (!flat)
		y->indent += INDENT;
	for (size_t i = 0; i < l->n && !buf_failed(y->out); i++) {
		struct val item = list_at(y->a, l, i);
		yaml_indent(y);
		yaml_indicator(y, "-", true, false, true);
		if (!node(y, &item, IN_LIST))
			return false;
	}
	y->indent = outer;
	return true;
}

static bool node(struct yaml_out *y, const struct val *v, enum context context)
{
	struct yaml_scalar s;
	if (++y->depth > EMIT_DEPTH_MAX)
		return err_set(y->e, ERR_LIMIT, 0, "nested deeper than %d",
			       EMIT_DEPTH_MAX);
	bool ok = true;
	if (scalar_of(y, v, &s)) {
		yaml_scalar(y, &s, context == IN_KEY);
	} else if (v->kind == VAL_LIST) {
		ok = sequence(y, v->list, context);
	} else if (v->kind == VAL_MAP || v->kind == VAL_OBJECT) {
		ok = mapping(y, v);
	} else {
		ok = err_set(y->e, ERR_CONFIG, 0, "a value of type %s has no YAML form",
			     val_type(v));
	}
	y->depth--;
	return ok;
}

bool emit_yaml(struct buf *out, struct arena *a, const struct val *v, struct err *e)
{
	struct yaml_out y = { .out = out,
			      .a = a,
			      .e = e,
			      .indent = -1,
			      .whitespace = true,
			      .indention = true };
	if (!node(&y, v, IN_ROOT))
		return false;
	yaml_break(&y);
	return true;
}
