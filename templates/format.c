// SPDX-License-Identifier: Apache-2.0
// print, println and printf: the walk over operands and the format.
#include "templates/format.h"

#include <string.h>

#include "templates/format_int.h"
#include "templates/unicode.h"

void format_int(struct buf *out, int64_t i)
{
	struct format f = { .out = out };
	format_integer(&f, (uint64_t)i, 10, true, 'd', false);
}

void format_action(struct buf *out, struct arena *a, const struct val *v)
{
	if (v->kind == VAL_STR || v->kind == VAL_NUMBER) {
		buf_add(out, v->s.p, v->s.len);
		return;
	}
	if (v->kind == VAL_NONE) {
		buf_puts(out, "<no value>");
		return;
	}
	size_t start = out->len;
	struct format f = { .out = out, .a = a };
	format_value(&f, v, 'v');
	// A pointer prints as what it points to.
	if (v->kind == VAL_OBJECT && out->len > start && out->data[start] == '&') {
		memmove(out->data + start, out->data + start + 1, out->len - start - 1);
		buf_truncate(out, out->len - 1);
	}
}

void format_print(struct buf *out, struct arena *a, const struct val *args, size_t n)
{
	struct format f = { .out = out, .a = a };
	bool before = false;
	for (size_t i = 0; i < n; i++) {
		bool is_string = val_is_string(&args[i]);
		if (i && !is_string && !before)
			buf_putc(out, ' ');
		format_value(&f, &args[i], 'v');
		before = is_string;
	}
}

void format_println(struct buf *out, struct arena *a, const struct val *args, size_t n)
{
	struct format f = { .out = out, .a = a };
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(out, ' ');
		format_value(&f, &args[i], 'v');
	}
	buf_putc(out, '\n');
}

// A walk over a format.
struct walk {
	struct str s;
	size_t i;
	const struct val *args;
	size_t n, arg; // operands, and the next one
	bool reordered, good;
	bool after_index;
};

enum { NUMBER_MAX = 1000000 }; // of a width or precision

static bool parse_number(const struct walk *w, size_t end, size_t *i, int *ret)
{
	bool found = false;
	*ret = 0;
	for (; *i < end && w->s.p[*i] >= '0' && w->s.p[*i] <= '9'; (*i)++) {
		if (*ret > NUMBER_MAX) {
			*i = end;
			*ret = 0;
			return false;
		}
		*ret = *ret * 10 + (w->s.p[*i] - '0');
		found = true;
	}
	return found;
}

// "[n]" before a verb or '*'.
static void arg_number(struct walk *w)
{
	if (w->i >= w->s.len || w->s.p[w->i] != '[') {
		w->after_index = false;
		return;
	}
	w->reordered = true;
	const char *close = memchr(w->s.p + w->i, ']', w->s.len - w->i);
	if (!close || w->s.len - w->i < 3) {
		w->good = false;
		w->i++;
		w->after_index = false;
		return;
	}
	size_t end = (size_t)(close - w->s.p), i = w->i + 1;
	int n = 0;
	bool ok = parse_number(w, end, &i, &n) && i == end;
	w->i = end + 1;
	w->after_index = ok;
	if (ok && n >= 1 && (size_t)n <= w->n)
		w->arg = (size_t)n - 1;
	else
		w->good = false;
}

// The operand of '*'.
static bool star(struct walk *w, int *ret)
{
	*ret = 0;
	w->i++;
	if (w->arg >= w->n)
		return false;
	const struct val *v = &w->args[w->arg++];
	if (v->kind != VAL_INT || v->i > NUMBER_MAX || v->i < -NUMBER_MAX)
		return false;
	*ret = (int)v->i;
	return true;
}

static void flags(struct walk *w, struct format *f)
{
	for (; w->i < w->s.len; w->i++) {
		switch (w->s.p[w->i]) {
		case '#':
			f->sharp = true;
			break;
		case '0':
			f->zero = true;
			break;
		case '+':
			f->plus = true;
			break;
		case '-':
			f->minus = true;
			break;
		case ' ':
			f->space = true;
			break;
		default:
			return;
		}
	}
}

static void width(struct walk *w, struct format *f)
{
	if (w->i < w->s.len && w->s.p[w->i] == '*') {
		f->wid_set = star(w, &f->wid);
		if (!f->wid_set)
			buf_puts(f->out, "%!(BADWIDTH)");
		if (f->wid < 0) {
			f->wid = -f->wid;
			f->minus = true;
			f->zero = false;
		}
		w->after_index = false;
		return;
	}
	f->wid_set = parse_number(w, w->s.len, &w->i, &f->wid);
	if (w->after_index && f->wid_set)
		w->good = false;
}

static void precision(struct walk *w, struct format *f)
{
	if (w->i + 1 >= w->s.len || w->s.p[w->i] != '.')
		return;
	w->i++;
	if (w->after_index)
		w->good = false;
	arg_number(w);
	if (w->i < w->s.len && w->s.p[w->i] == '*') {
		f->prec_set = star(w, &f->prec);
		if (f->prec < 0) {
			f->prec = 0;
			f->prec_set = false;
		}
		if (!f->prec_set)
			buf_puts(f->out, "%!(BADPREC)");
		w->after_index = false;
		return;
	}
	(void)parse_number(w, w->s.len, &w->i, &f->prec);
	f->prec_set = true;
}

static void put_error(struct format *f, uint32_t verb, const char *what)
{
	char utf8[UTF8_MAX];
	buf_puts(f->out, "%!");
	buf_add(f->out, utf8, rune_encode(verb, utf8));
	buf_puts(f->out, what);
}

// One '%…' with its operand; false at the end of the format.
static bool one_verb(struct walk *w, struct format *f)
{
	w->i++;
	w->good = true;
	w->after_index = false;
	format_clear(f);
	flags(w, f);
	arg_number(w);
	width(w, f);
	precision(w, f);
	if (!w->after_index)
		arg_number(w);
	if (w->i >= w->s.len) {
		buf_puts(f->out, "%!(NOVERB)");
		return false;
	}
	size_t len = 0;
	uint32_t verb = rune_decode(w->s.p + w->i, w->s.len - w->i, &len);
	w->i += len;
	if (verb == '%') {
		buf_putc(f->out, '%');
	} else if (!w->good) {
		put_error(f, verb, "(BADINDEX)");
	} else if (w->arg >= w->n) {
		put_error(f, verb, "(MISSING)");
	} else {
		if (verb == 'v' || verb == 'w') {
			f->sharp_v = f->sharp;
			f->sharp = false;
			f->plus_v = f->plus;
			f->plus = false;
		}
		format_value(f, &w->args[w->arg++], verb);
	}
	return true;
}

static void extra(const struct walk *w, struct format *f)
{
	format_clear(f);
	buf_puts(f->out, "%!(EXTRA ");
	for (size_t i = w->arg; i < w->n; i++) {
		const struct val *v = &w->args[i];
		if (i > w->arg)
			buf_puts(f->out, ", ");
		if (v->kind == VAL_NONE || v->kind == VAL_NIL) {
			buf_puts(f->out, "<nil>");
			continue;
		}
		buf_puts(f->out, val_type(v));
		buf_putc(f->out, '=');
		format_value(f, v, 'v');
	}
	buf_putc(f->out, ')');
}

void format_printf(struct buf *out, struct arena *a, struct str format,
		   const struct val *args, size_t n)
{
	struct format f = { .out = out, .a = a };
	struct walk w = { .s = format, .args = args, .n = n };
	while (w.i < format.len && !buf_failed(out)) {
		const char *percent = memchr(format.p + w.i, '%', format.len - w.i);
		size_t next = percent ? (size_t)(percent - format.p) : format.len;
		buf_add(out, format.p + w.i, next - w.i);
		w.i = next;
		if (percent && !one_verb(&w, &f))
			break;
	}
	if (!w.reordered && w.arg < n)
		extra(&w, &f);
}
