// SPDX-License-Identifier: Apache-2.0
// Go's literals. Values are computed with C's strtod, after the syntax has been checked
// here, since C accepts other spellings than Go.
#include "templates/literal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "templates/unicode.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

// n digits of the given base at p; false when there are fewer.
static bool fixed(const char *p, const char *end, int n, int base, uint32_t *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		if (p + i >= end || digit(p[i]) >= base)
			return false;
		*ret = *ret * (uint32_t)base + (uint32_t)digit(p[i]);
	}
	return true;
}

// One escape behind its backslash. *ret_byte: the value is a byte, not a rune.
static bool escape(const char **p, const char *end, char quote, uint32_t *ret,
		   bool *ret_byte)
{
	static const char letters[] = "abfnrtv\\";
	static const char values[] = "\a\b\f\n\r\t\v\\";
	if (*p >= end)
		return false;
	char c = *(*p)++;
	const char *hit = c ? strchr(letters, c) : NULL;
	*ret_byte = false;
	if (hit) {
		*ret = (unsigned char)values[hit - letters];
		return true;
	}
	if (c == '\'' || c == '"') {
		*ret = (unsigned char)c;
		return c == quote;
	}
	int n = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
	if (n) {
		if (!fixed(*p, end, n, 16, ret))
			return false;
		*p += n;
		*ret_byte = c == 'x';
		return *ret_byte ||
		       (*ret <= RUNE_MAX && (*ret < 0xD800 || *ret >= 0xE000));
	}
	(*p)--;
	if (!fixed(*p, end, 3, 8, ret) || *ret > 255)
		return false;
	*p += 3;
	*ret_byte = true;
	return true;
}

static bool raw(struct str in, struct buf *to)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.p[i] == '`')
			return false;
		if (in.p[i] != '\r')
			buf_putc(to, in.p[i]);
	}
	return true;
}

bool literal_string(struct str quoted, struct buf *to)
{
	if (quoted.len < 2 || quoted.p[0] != quoted.p[quoted.len - 1])
		return false;
	char quote = quoted.p[0];
	const char *p = quoted.p + 1, *end = quoted.p + quoted.len - 1;
	if (quote == '`')
		return raw((struct str){ p, (size_t)(end - p) }, to);
	while (p < end) {
		if (*p == quote || *p == '\n')
			return false;
		if (*p != '\\') {
			size_t width = 0;
			uint32_t r = rune_decode(p, (size_t)(end - p), &width);
			char utf8[UTF8_MAX];
			buf_add(to, utf8, rune_encode(r, utf8));
			p += width;
			continue;
		}
		p++;
		uint32_t value = 0;
		bool byte = false;
		if (!escape(&p, end, quote, &value, &byte))
			return false;
		char utf8[UTF8_MAX] = { (char)value };
		buf_add(to, utf8, byte ? 1 : rune_encode(value, utf8));
	}
	return true;
}

bool literal_rune(struct str quoted, struct number *ret)
{
	const char *p = quoted.p + 1, *end = quoted.p + quoted.len;
	uint32_t r = 0;
	bool byte = false;
	if (quoted.len < 3 || *p == '\'')
		return false;
	if (*p == '\\') {
		p++;
		if (!escape(&p, end, '\'', &r, &byte))
			return false;
	} else {
		size_t width = 0;
		r = rune_decode(p, (size_t)(end - p), &width);
		p += width;
	}
	if (end - p != 1 || *p != '\'')
		return false;
	*ret = (struct number){ .is_int = true, .is_uint = true, .is_float = true };
	ret->i = (int64_t)r;
	ret->u = r;
	ret->f = (double)r;
	return true;
}

// Whether '_' stands only between digits or behind a prefix.
static bool underscores_ok(struct str s)
{
	char before = '^';
	size_t i = s.len && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
	bool hex = false;
	if (s.len - i >= 2 && s.p[i] == '0' && strchr("bBoOxX", s.p[i + 1])) {
		before = '0';
		hex = (s.p[i + 1] | 0x20) == 'x';
		i += 2;
	}
	for (; i < s.len; i++) {
		char c = s.p[i];
		if (isdigit((unsigned char)c) || (hex && isxdigit((unsigned char)c))) {
			before = '0';
		} else if (c == '_') {
			if (before != '0')
				return false;
			before = '_';
		} else {
			if (before == '_')
				return false;
			before = '!';
		}
	}
	return before != '_';
}

bool literal_uint(struct str text, unsigned base, uint64_t *ret)
{
	struct str s = text;
	bool any_base = base == 0;
	if (any_base) {
		base = 10;
		if (s.len && s.p[0] == '0') {
			char c = s.len >= 3 ? (char)(s.p[1] | 0x20) : 0;
			base = c == 'b' ? 2 : c == 'o' ? 8 : c == 'x' ? 16 : 8;
			size_t skip = c == 'b' || c == 'o' || c == 'x' ? 2 : 1;
			s = (struct str){ s.p + skip, s.len - skip };
			if (skip == 1 && s.len == 0) {
				*ret = 0;
				return true;
			}
		}
	}
	if (!s.len)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (any_base && s.p[i] == '_')
			continue;
		if (digit(s.p[i]) >= (int)base ||
		    __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit(s.p[i]), &value))
			return false;
	}
	*ret = value;
	return !any_base || !memchr(text.p, '_', text.len) || underscores_ok(text);
}

bool literal_int(struct str text, unsigned base, int64_t *ret)
{
	uint64_t u = 0;
	bool negative = text.len && text.p[0] == '-';
	size_t skip = text.len && (negative || text.p[0] == '+') ? 1 : 0;
	if (!literal_uint((struct str){ text.p + skip, text.len - skip }, base, &u))
		return false;
	if (u > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return false;
	*ret = negative ? (int64_t)(0 - u) : (int64_t)u;
	return true;
}

static bool float_word(struct str s, double *ret)
{
	bool negative = s.len && s.p[0] == '-';
	size_t skip = s.len && (negative || s.p[0] == '+') ? 1 : 0;
	struct str w = { s.p + skip, s.len - skip };
	if ((w.len == 3 && !strncasecmp(w.p, "inf", 3)) ||
	    (w.len == 8 && !strncasecmp(w.p, "infinity", 8))) {
		*ret = negative ? -INFINITY : INFINITY;
		return true;
	}
	*ret = NAN;
	return skip == 0 && w.len == 3 && !strncasecmp(w.p, "nan", 3);
}

// Digits, at most one point, an exponent (which hexadecimal needs).
static bool float_syntax(const char *s)
{
	s += *s == '-' || *s == '+';
	bool hex = s[0] == '0' && (s[1] | 0x20) == 'x';
	size_t digits = 0;
	bool point = false;
	for (s += hex ? 2 : 0; *s; s++) {
		if (*s == '.' && !point)
			point = true;
		else if (digit(*s) < (hex ? 16 : 10))
			digits++;
		else
			break;
	}
	if (!digits)
		return false;
	if ((*s | 0x20) != (hex ? 'p' : 'e'))
		return !*s && !hex;
	s++;
	s += *s == '-' || *s == '+';
	if (!isdigit((unsigned char)*s))
		return false;
	while (isdigit((unsigned char)*s))
		s++;
	return !*s;
}

bool literal_float(struct str text, double *ret, bool *ret_range)
{
	*ret_range = false;
	if (float_word(text, ret))
		return true;
	if (memchr(text.p, '_', text.len) && !underscores_ok(text))
		return false;
	AUTO_BUF struct buf plain = BUF_INIT(text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] != '_')
			buf_putc(&plain, text.p[i]);
	const char *s = buf_str(&plain);
	if (strlen(s) != plain.len || !float_syntax(s))
		return false;
	*ret = strtod(s, NULL);
	*ret_range = isinf(*ret);
	return !*ret_range;
}

static void extract_ints(struct number *n)
{
	// Both limits are exact doubles; a value outside has no integer form.
	if (!n->is_int && n->f >= -0x1p63 && n->f < 0x1p63 &&
	    (double)(int64_t)n->f == n->f) {
		n->is_int = true;
		n->i = (int64_t)n->f;
	}
	if (!n->is_uint && n->f >= 0 && n->f < 0x1p64 && (double)(uint64_t)n->f == n->f) {
		n->is_uint = true;
		n->u = (uint64_t)n->f;
	}
}

static void simplify(struct number *n)
{
	n->is_complex = true;
	if (n->im == 0) {
		n->is_float = true;
		n->f = n->re;
		extract_ints(n);
	}
}

bool literal_number(struct str text, struct number *ret, const char **ret_why)
{
	bool range = false;
	*ret = (struct number){ .is_int = false };
	*ret_why = "illegal number syntax";
	if (text.len && text.p[text.len - 1] == 'i' &&
	    literal_float((struct str){ text.p, text.len - 1 }, &ret->im, &range)) {
		simplify(ret);
		return true;
	}
	ret->im = 0;
	bool hex = text.len > 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x';
	for (size_t i = 0; i < text.len; i++)
		ret->float_syntax |= strchr(".eEpP", text.p[i]) != NULL;
	bool float_like = ret->float_syntax;
	if (hex && !memchr(text.p, 'p', text.len) && !memchr(text.p, 'P', text.len))
		ret->float_syntax = false;
	ret->is_uint = literal_uint(text, 0, &ret->u);
	ret->is_int = literal_int(text, 0, &ret->i);
	if (ret->is_int && ret->i == 0)
		ret->is_uint = true;
	if (ret->is_int || ret->is_uint) {
		ret->is_float = true;
		ret->f = ret->is_int ? (double)ret->i : (double)ret->u;
		return true;
	}
	if (!literal_float(text, &ret->f, &range))
		return false;
	if (!float_like) {
		*ret_why = "the integer is too large";
		return false;
	}
	ret->is_float = true;
	extract_ints(ret);
	return true;
}

bool literal_complex(struct str text, struct number *ret)
{
	size_t split = 0;
	bool range = false;
	*ret = (struct number){ .is_int = false };
	for (size_t i = 1; i + 1 < text.len; i++)
		if ((text.p[i] == '+' || text.p[i] == '-') &&
		    !strchr("eEpP", text.p[i - 1]))
			split = i;
	if (!split || text.p[text.len - 1] != 'i')
		return false;
	struct str re = { text.p, split }, im = { text.p + split, text.len - split - 1 };
	if (!literal_float(re, &ret->re, &range) || !literal_float(im, &ret->im, &range))
		return false;
	simplify(ret);
	return true;
}
