// SPDX-License-Identifier: Apache-2.0
// One value under one verb.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "templates/format_int.h"
#include "templates/gotime.h"
#include "templates/object.h"
#include "templates/unicode.h"

enum { FORMAT_DEPTH_MAX = 100 };

static void bad_verb(struct format *f, const struct val *v, uint32_t verb)
{
	char utf8[UTF8_MAX];
	buf_puts(f->out, "%!");
	buf_add(f->out, utf8, rune_encode(verb, utf8));
	buf_putc(f->out, '(');
	if (v->kind == VAL_NONE || v->kind == VAL_NIL) {
		buf_puts(f->out, "<nil>");
	} else {
		buf_puts(f->out, val_type(v));
		buf_putc(f->out, '=');
		format_value(f, v, 'v');
	}
	buf_putc(f->out, ')');
}

static struct str truncate(const struct format *f, struct str s)
{
	if (!f->prec_set)
		return s;
	int n = f->prec;
	for (size_t i = 0, width; i < s.len; i += width) {
		if (--n < 0)
			return (struct str){ s.p, i };
		(void)rune_decode(s.p + i, s.len - i, &width);
	}
	return s;
}

static void quoted(struct format *f, struct str s)
{
	AUTO_BUF struct buf text = BUF_INIT(f->out->max);
	s = truncate(f, s);
	if (f->sharp && format_can_backquote(s)) {
		buf_putc(&text, '`');
		buf_add(&text, s.p, s.len);
		buf_putc(&text, '`');
	} else {
		format_quote(&text, s, '"', f->plus);
	}
	if (buf_failed(&text))
		f->out->failed = true;
	format_pad(f, buf_str(&text), text.len);
}

static void hex_bytes(struct format *f, struct str s, bool upper)
{
	size_t len = f->prec_set && (size_t)f->prec < s.len ? (size_t)f->prec : s.len;
	if (len == 0) {
		if (f->wid_set)
			format_padding(f, f->wid);
		return;
	}
	size_t width = 2 * len;
	if (f->space)
		width = width * (f->sharp ? 2 : 1) + len - 1;
	else if (f->sharp)
		width += 2;
	int room = f->wid_set && (size_t)f->wid > width ? f->wid - (int)width : 0;
	if (!f->minus)
		format_padding(f, room);
	for (size_t i = 0; i < len; i++) {
		if (f->space && i)
			buf_putc(f->out, ' ');
		if (f->sharp && (f->space || i == 0))
			buf_puts(f->out, upper ? "0X" : "0x");
		buf_printf(f->out, upper ? "%02X" : "%02x", (unsigned char)s.p[i]);
		if (buf_failed(f->out))
			return;
	}
	if (f->minus)
		format_padding(f, room);
}

static void string(struct format *f, const struct val *v, struct str s, uint32_t verb)
{
	if (verb == 'q' || (verb == 'v' && f->sharp_v)) {
		quoted(f, s);
	} else if (verb == 'v' || verb == 's') {
		s = truncate(f, s);
		format_pad(f, s.p, s.len);
	} else if (verb == 'x' || verb == 'X') {
		hex_bytes(f, s, verb == 'X');
	} else {
		bad_verb(f, v, verb);
	}
}

static void rune_verb(struct format *f, uint64_t u, bool quote)
{
	char utf8[UTF8_MAX];
	AUTO_BUF struct buf text = BUF_INIT(64);
	uint32_t r = u > RUNE_MAX ? RUNE_ERROR : (uint32_t)u;
	if (quote)
		format_quote_rune(&text, r, f->plus);
	else
		buf_add(&text, utf8, rune_encode(r, utf8));
	format_pad(f, buf_str(&text), text.len);
}

static void integer(struct format *f, const struct val *v, uint32_t verb)
{
	bool is_signed = !val_is_unsigned(v);
	switch (verb) {
	case 'v':
		if (f->sharp_v && !is_signed) {
			bool sharp = f->sharp;
			f->sharp = true;
			format_integer(f, v->u, 16, false, 'v', false);
			f->sharp = sharp;
			return;
		}
		format_integer(f, v->u, 10, is_signed, verb, false);
		return;
	case 'd':
		format_integer(f, v->u, 10, is_signed, verb, false);
		return;
	case 'b':
		format_integer(f, v->u, 2, is_signed, verb, false);
		return;
	case 'o':
	case 'O':
		format_integer(f, v->u, 8, is_signed, verb, false);
		return;
	case 'x':
	case 'X':
		format_integer(f, v->u, 16, is_signed, verb, verb == 'X');
		return;
	case 'c':
	case 'q':
		rune_verb(f, v->u, verb == 'q');
		return;
	case 'U':
		format_unicode(f, v->u);
		return;
	default:
		bad_verb(f, v, verb);
	}
}

static bool float_verb(uint32_t verb, char *ret_form, int *ret_prec)
{
	if (!verb || verb > 'z' || !strchr("vbgGxXfeEF", (int)verb))
		return false;
	*ret_form = verb == 'v' ? 'g' : verb == 'F' ? 'f' : (char)verb;
	*ret_prec = strchr("feEF", (int)verb) ? 6 : -1;
	return true;
}

static void floating(struct format *f, const struct val *v, uint32_t verb)
{
	char form = 'g';
	int prec = -1;
	if (!float_verb(verb, &form, &prec)) {
		bad_verb(f, v, verb);
		return;
	}
	if (v->kind == VAL_FLOAT) {
		format_float_verb(f, v->f, form, prec);
		return;
	}
	bool plus = f->plus;
	buf_putc(f->out, '(');
	format_float_verb(f, v->c.re, form, prec);
	f->plus = true;
	format_float_verb(f, v->c.im, form, prec);
	buf_puts(f->out, "i)");
	f->plus = plus;
}

// A value inside another: nil is spelled out.
static void element(struct format *f, const struct val *v, uint32_t verb, bool is_any)
{
	if (v->kind == VAL_NONE || v->kind == VAL_NIL) {
		if (f->sharp_v && is_any)
			buf_puts(f->out, "interface {}(nil)");
		else
			buf_puts(f->out, "<nil>");
		return;
	}
	format_value(f, v, verb);
}

static struct str bytes_of(struct format *f, struct list *l)
{
	char *p = arena_alloc(f->a, l->n + 1);
	for (size_t i = 0; i < l->n; i++)
		p[i] = (char)list_at(f->a, l, i).i;
	return (struct str){ p, l->n };
}

static void list(struct format *f, const struct val *v, uint32_t verb)
{
	struct list *l = v->list;
	if (l && l->type == LIST_BYTES && strchr("sqxX", (int)verb) && verb < 0x80) {
		string(f, v, bytes_of(f, l), verb);
		return;
	}
	if (f->sharp_v) {
		buf_puts(f->out, val_type(v));
		if (!l) {
			buf_puts(f->out, "(nil)");
			return;
		}
	}
	buf_putc(f->out, f->sharp_v ? '{' : '[');
	for (size_t i = 0; i < list_len(l) && !buf_failed(f->out); i++) {
		struct val item = list_at(f->a, l, i);
		if (i)
			buf_puts(f->out, f->sharp_v ? ", " : " ");
		element(f, &item, verb, l->type == LIST_ANY);
	}
	buf_putc(f->out, f->sharp_v ? '}' : ']');
}

static void map(struct format *f, const struct val *v, uint32_t verb)
{
	struct map *m = v->map;
	if (f->sharp_v) {
		buf_puts(f->out, val_type(v));
		if (!m) {
			buf_puts(f->out, "(nil)");
			return;
		}
	}
	buf_puts(f->out, f->sharp_v ? "{" : "map[");
	const struct entry *e = map_entries(f->a, m);
	for (size_t i = 0; i < map_len(m) && !buf_failed(f->out); i++) {
		if (i)
			buf_puts(f->out, f->sharp_v ? ", " : " ");
		element(f, &e[i].key, verb, false);
		buf_putc(f->out, ':');
		element(f, &e[i].value, verb, m->type != MAP_STR);
	}
	buf_putc(f->out, f->sharp_v ? '}' : ']');
}

static void object(struct format *f, const struct val *v, uint32_t verb)
{
	struct str name;
	struct val value;
	if (val_is_nil(v)) {
		buf_puts(f->out, "<nil>");
		return;
	}
	buf_puts(f->out, f->depth == 1 ? "&{" : "0x1");
	if (f->depth > 1)
		return;
	for (size_t i = 0; object_nth(f->a, v, i, &name, &value); i++) {
		if (i)
			buf_putc(f->out, ' ');
		if (f->plus_v) {
			buf_add(f->out, name.p, name.len);
			buf_putc(f->out, ':');
		}
		element(f, &value, verb, true);
	}
	buf_putc(f->out, '}');
}

static void value(struct format *f, const struct val *v, uint32_t verb)
{
	struct str s = { v->s.p, v->s.len };
	switch ((enum val_kind)v->kind) {
	case VAL_NONE:
	case VAL_NIL:
		if (verb == 'v')
			format_pad(f, "<nil>", 5);
		else
			bad_verb(f, v, verb);
		return;
	case VAL_BOOL:
		if (verb == 't' || verb == 'v')
			format_pad(f, v->b ? "true" : "false", v->b ? 4 : 5);
		else
			bad_verb(f, v, verb);
		return;
	case VAL_INT:
		integer(f, v, verb);
		return;
	case VAL_FLOAT:
	case VAL_COMPLEX:
		floating(f, v, verb);
		return;
	case VAL_STR:
	case VAL_NUMBER:
		string(f, v, s, verb);
		return;
	case VAL_LIST:
		list(f, v, verb);
		return;
	case VAL_MAP:
		map(f, v, verb);
		return;
	case VAL_OBJECT:
		object(f, v, verb);
		return;
	case VAL_CHAN:
		buf_puts(f->out, "0x1");
		return;
	case VAL_TIME: {
		AUTO_BUF struct buf text = BUF_INIT(128);
		gotime_string(&text, v);
		string(f, v, (struct str){ buf_str(&text), text.len }, verb);
		return;
	}
	}
}

void format_value(struct format *f, const struct val *v, uint32_t verb)
{
	if (verb == 'T') {
		struct str name = str_of("<nil>"); // only a type is cut by a precision
		if (v->kind != VAL_NONE && v->kind != VAL_NIL)
			name = truncate(f, str_of(val_type(v)));
		format_pad(f, name.p, name.len);
		return;
	}
	if (verb == 'w') { // for errors only, which a template does not have
		bad_verb(f, v, verb);
		return;
	}
	// Only a map that a template has put into itself can be this deep.
	if (f->depth >= FORMAT_DEPTH_MAX) {
		f->out->failed = true;
		return;
	}
	f->depth++;
	value(f, v, verb);
	f->depth--;
}
