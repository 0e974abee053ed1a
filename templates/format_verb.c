// SPDX-License-Identifier: Apache-2.0
// Width, precision and flags: integers, floats, padding.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "templates/format_int.h"
#include "templates/unicode.h"

void format_clear(struct format *f)
{
	*f = (struct format){ .out = f->out, .a = f->a, .depth = f->depth };
}

void format_padding(struct format *f, int n)
{
	char c = f->zero && !f->minus ? '0' : ' ';
	if (n <= 0)
		return;
	char *to = buf_room(f->out, (size_t)n);
	if (!to)
		return;
	memset(to, c, (size_t)n);
	f->out->len += (size_t)n;
	buf_end(f->out);
}

void format_pad(struct format *f, const char *s, size_t len)
{
	int room = 0;
	if (f->wid_set && f->wid) {
		size_t n = rune_count(s, len);
		room = n < (size_t)f->wid ? f->wid - (int)n : 0;
	}
	if (!f->minus)
		format_padding(f, room);
	buf_add(f->out, s, len);
	if (f->minus)
		format_padding(f, room);
}

// The sign and prefix that stand before the digits.
static size_t prefix(const struct format *f, unsigned base, bool negative, uint32_t verb,
		     bool upper, bool leading_zero, char to[static 8])
{
	size_t n = 0;
	if (negative)
		to[n++] = '-';
	else if (f->plus)
		to[n++] = '+';
	else if (f->space)
		to[n++] = ' ';
	if (verb == 'O') {
		to[n++] = '0';
		to[n++] = 'o';
	}
	if (!f->sharp)
		return n;
	if (base == 8 && !leading_zero) {
		to[n++] = '0';
	} else if (base == 2 || base == 16) {
		to[n++] = '0';
		to[n++] = base == 2 ? 'b' : upper ? 'X' : 'x';
	}
	return n;
}

void format_integer(struct format *f, uint64_t u, unsigned base, bool is_signed,
		    uint32_t verb, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[72], head[8];
	size_t n = sizeof(text);
	bool negative = is_signed && (int64_t)u < 0;
	int prec = 0;
	if (negative)
		u = 0 - u;
	bool zero = f->zero;
	if (f->prec_set) {
		prec = f->prec;
		if (prec == 0 && u == 0) {
			f->zero = false;
			format_padding(f, f->wid);
			f->zero = zero;
			return;
		}
	} else if (f->zero && !f->minus && f->wid_set) {
		prec = f->wid - (negative || f->plus || f->space ? 1 : 0);
	}
	do {
		text[--n] = digits[u % base];
		u /= base;
	} while (u);
	int zeros = prec - (int)(sizeof(text) - n);
	size_t head_len =
		prefix(f, base, negative, verb, upper, zeros > 0 || text[n] == '0', head);
	AUTO_BUF struct buf whole = BUF_INIT(f->out->max);
	struct format inner = { .out = &whole, .zero = true };
	buf_add(&whole, head, head_len);
	format_padding(&inner, zeros);
	buf_add(&whole, text + n, sizeof(text) - n);
	f->zero = false;
	if (buf_failed(&whole))
		f->out->failed = true;
	format_pad(f, buf_str(&whole), whole.len);
	f->zero = zero;
}

void format_unicode(struct format *f, uint64_t u)
{
	char text[64], utf8[UTF8_MAX];
	bool zero = f->zero;
	int prec = f->prec_set && f->prec > 4 ? f->prec : 4;
	AUTO_BUF struct buf whole = BUF_INIT(f->out->max);
	struct format inner = { .out = &whole, .zero = true };
	int n = snprintf(text, sizeof(text), "%" PRIX64, u);
	buf_puts(&whole, "U+");
	format_padding(&inner, prec - n);
	buf_add(&whole, text, (size_t)n);
	if (f->sharp && u <= RUNE_MAX && unicode_is_print((uint32_t)u)) {
		buf_puts(&whole, " '");
		buf_add(&whole, utf8, rune_encode((uint32_t)u, utf8));
		buf_puts(&whole, "'");
	}
	f->zero = false;
	format_pad(f, buf_str(&whole), whole.len);
	f->zero = zero;
}

// The '#' flag keeps the point and trailing zeros: digits still to come, where to put them.
static void sharpen(struct buf *num, char form, int prec)
{
	int digits = strchr("gGx", form) ? (prec == -1 ? 6 : prec) : 0;
	bool hex = form == 'x' || form == 'X', point = false, nonzero = false;
	size_t tail = num->len;
	for (size_t i = 1; i < num->len; i++) {
		char c = num->data[i];
		if (c == '.') {
			point = true;
		} else if (c == 'p' || c == 'P' || (!hex && (c == 'e' || c == 'E'))) {
			tail = i;
			break;
		} else {
			nonzero |= c != '0';
			digits -= nonzero;
		}
	}
	char rest[16] = "";
	size_t rest_len = num->len - tail;
	if (rest_len >= sizeof(rest))
		return;
	memcpy(rest, num->data + tail, rest_len);
	buf_truncate(num, tail);
	if (!point) {
		if (num->len == 2 && num->data[1] == '0')
			digits--;
		buf_putc(num, '.');
	}
	for (; digits > 0; digits--)
		buf_putc(num, '0');
	buf_add(num, rest, rest_len);
}

void format_float_verb(struct format *f, double v, char form, int prec)
{
	AUTO_BUF struct buf num = BUF_INIT(f->out->max);
	bool zero = f->zero;
	if (f->prec_set)
		prec = f->prec;
	AUTO_BUF struct buf plain = BUF_INIT(f->out->max);
	format_float(&plain, v, form, prec);
	const char *text = buf_str(&plain);
	if (*text != '-' && *text != '+')
		buf_putc(&num, '+');
	buf_add(&num, text, plain.len);
	if (buf_failed(&num) || buf_failed(&plain)) {
		f->out->failed = true;
		return;
	}
	if (f->space && num.data[0] == '+' && !f->plus)
		num.data[0] = ' ';
	if (num.data[1] == 'I' || num.data[1] == 'N') {
		size_t skip = num.data[1] == 'N' && !f->space && !f->plus;
		f->zero = false;
		format_pad(f, num.data + skip, num.len - skip);
		f->zero = zero;
		return;
	}
	if (f->sharp && form != 'b')
		sharpen(&num, form, prec);
	if (!f->plus && num.data[0] == '+') {
		format_pad(f, num.data + 1, num.len - 1);
		return;
	}
	if (f->zero && !f->minus && f->wid_set && (size_t)f->wid > num.len) {
		buf_putc(f->out, num.data[0]);
		format_padding(f, f->wid - (int)num.len);
		buf_add(f->out, num.data + 1, num.len - 1);
		return;
	}
	format_pad(f, num.data, num.len);
}
