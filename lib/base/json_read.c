// SPDX-License-Identifier: Apache-2.0
// RFC 8259 text into jansson's values. jansson's own reader asks for each byte through two
// calls: 150 instructions a byte with the values, a third of an admission review's cost, against
// 25 here. And it would have to be helped over number texts, NUL bytes, depth and error
// texts that quote the input.
#include <limits.h>
#include <string.h>

#include "lib/base/json_letters.h"
#include "lib/base/json_number.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { REPLACEMENT = 0xfffd, FIRST_HALF = 0xd800, SECOND_HALF = 0xdc00, HALVES = 0x400 };

struct reader {
	const char *text, *p, *end;
	enum json_flags flags;
	unsigned depth, values_left;
	struct buf plain; // a string without its escapes
	struct err *e;
};

static json_t *read_value(struct reader *r);
_Static_assert(JSON_DEPTH_MAX == 64, "a message says 64");

// The place of the fault is r->p.
static void *fault(struct reader *r, const char *what)
{
	int line = 1;
	const char *start = r->text;
	for (const char *p = r->text; p < r->p; p++)
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	err_set(r->e, ERR_CONFIG, 0, "line %d, column %zu: %s", line,
		(size_t)(r->p - start) + 1, what);
	return NULL;
}

static void *unexpected(struct reader *r)
{
	return fault(r, r->p < r->end ? "not valid JSON" : "the text ends too early");
}

// Behind blanks; the byte there, or 0 at the end (no NUL is in the text).
static char next(struct reader *r)
{
	while (r->p < r->end &&
	       (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
	return r->p < r->end ? *r->p : '\0';
}

// The four digits behind "\u" at r->p, or -1; r->p stands behind them.
static long read_unit(struct reader *r)
{
	long unit = 0;
	if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = r->p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		unit = unit * 16 + d;
	}
	r->p += 6;
	return unit;
}

// An escape \uXXXX, the second half of a pair included.
static bool read_unicode(struct reader *r)
{
	const char *from = r->p;
	long rune = read_unit(r);
	if (rune >= FIRST_HALF && rune < SECOND_HALF + HALVES) {
		const char *behind = r->p;
		long low = rune < SECOND_HALF ? read_unit(r) : -1;
		if (low >= SECOND_HALF && low < SECOND_HALF + HALVES) {
			rune = 0x10000 + ((rune - FIRST_HALF) << 10) + low - SECOND_HALF;
		} else { // as Go has it: the lone half is lost, what follows is not
			r->p = behind;
			rune = r->flags & JSON_KEEP_NUMBERS ? REPLACEMENT : -1;
		}
	}
	if (rune >= 0)
		return buf_put_rune(&r->plain, (uint32_t)rune);
	r->p = from;
	return unexpected(r);
}

static bool read_escape(struct reader *r)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	char name = r->end - r->p > 1 ? r->p[1] : '\0';
	const char *known = name ? strchr(names, name) : NULL;
	if (!known)
		return read_unicode(r);
	r->p += 2;
	return buf_putc(&r->plain, values[known - names]);
}

// A string; the bytes lie in the text, or in r->plain until the next string.
static bool read_string(struct reader *r, struct str *ret)
{
	const char *from = ++r->p;
	bool other = false; // than ASCII
	r->p += json_letters(r->p, (size_t)(r->end - r->p), &other);
	*ret = (struct str){ from, (size_t)(r->p - from) };
	if (r->p < r->end && *r->p == '\\') {
		buf_reset(&r->plain);
		buf_add(&r->plain, ret->p, ret->len);
		while (r->p < r->end && *r->p == '\\') {
			if (!read_escape(r))
				return false;
			const char *more = r->p;
			r->p += json_letters(more, (size_t)(r->end - more), &other);
			buf_add(&r->plain, more, (size_t)(r->p - more));
		}
		*ret = (struct str){ buf_str(&r->plain), r->plain.len };
	}
	if (r->p == r->end || *r->p != '"')
		return unexpected(r);
	r->p++;
	if (!other || str_valid_utf8(ret->p, ret->len))
		return true;
	r->p = from;
	return fault(r, "bytes that are not UTF-8");
}

static size_t digits(const char *p, const char *end)
{
	const char *from = p;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - from);
}

// The length of the number at p by RFC 8259 section 6, or 0; *ret_real: with a fraction or an
// exponent.
static size_t number_len(const char *p, const char *end, bool *ret_real)
{
	const char *from = p;
	p += p < end && *p == '-';
	size_t n = digits(p, end);
	if (n == 0 || (n > 1 && *p == '0'))
		return 0;
	p += n;
	*ret_real = false;
	if (p < end && *p == '.') {
		n = digits(p + 1, end);
		if (n == 0)
			return 0;
		p += 1 + n;
		*ret_real = true;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		n = digits(p, end);
		if (n == 0)
			return 0;
		p += n;
		*ret_real = true;
	}
	return (size_t)(p - from);
}

static json_t *read_number(struct reader *r)
{
	bool is_real;
	size_t len = number_len(r->p, r->end, &is_real);
	if (len == 0)
		return unexpected(r);
	const char *from = r->p;
	r->p += len;
	if (r->flags & JSON_KEEP_NUMBERS)
		return json_number_new(from, len);
	AUTO_FREE char *text = mem_strndup(from, len);
	int64_t whole;
	double real;
	if (is_real ? str_double(text, &real, NULL) : str_int64(text, &whole, NULL))
		return is_real ? json_real(real) : json_integer(whole);
	r->p = from;
	return fault(r, "a number is too large");
}

static bool read_member(struct reader *r, json_t *to)
{
	struct str key;
	if (next(r) != '"')
		return unexpected(r);
	const char *at = r->p;
	if (!read_string(r, &key))
		return false;
	AUTO_FREE char *copy = NULL; // of a key that the value's strings would overwrite
	if (key.p == r->plain.data)
		key.p = copy = mem_strndup(key.p, key.len);
	if (memchr(key.p, '\0', key.len) || next(r) != ':')
		return unexpected(r);
	r->p++;
	json_t *value = read_value(r);
	size_t before = json_object_size(to);
	if (!value || json_object_setn_new_nocheck(to, key.p, key.len, value) != 0)
		return false;
	if (json_object_size(to) > before || (r->flags & JSON_KEEP_NUMBERS))
		return true;
	r->p = at;
	return fault(r, "a key is given twice");
}

// The inside of { } or [ ].
static bool read_inside(struct reader *r, json_t *to, char close)
{
	if (++r->depth > JSON_DEPTH_MAX)
		return fault(r, "nested deeper than 64 levels");
	r->p++;
	bool more = next(r) != close;
	while (more) {
		json_t *value = NULL;
		if (close == '}' ? !read_member(r, to)
				 : !(value = read_value(r)) ||
					   json_array_append_new(to, value) != 0)
			return false;
		char c = next(r);
		more = c == ',';
		if (!more && c != close)
			return unexpected(r);
		r->p += more;
	}
	r->p++;
	r->depth--;
	return true;
}

static json_t *read_word(struct reader *r, const char *word, json_t *value)
{
	size_t len = strlen(word);
	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return unexpected(r);
	r->p += len;
	return value;
}

static json_t *read_value(struct reader *r)
{
	AUTO_JSON json_t *inside = NULL;
	struct str s;
	char c = next(r);
	if (r->values_left-- == 0)
		return fault(r, "too many values");
	switch (c) {
	case '{':
		inside = json_object();
		return read_inside(r, inside, '}') ? TAKE(inside) : NULL;
	case '[':
		inside = json_array();
		return read_inside(r, inside, ']') ? TAKE(inside) : NULL;
	case '"':
		return read_string(r, &s) ? json_str(s.p, s.len) : NULL;
	case 't':
		return read_word(r, "true", json_true());
	case 'f':
		return read_word(r, "false", json_false());
	case 'n':
		return read_word(r, "null", json_null());
	default:
		return read_number(r);
	}
}

static bool parse(const char *text, size_t len, size_t max, enum json_flags flags,
		  unsigned max_values, json_t **ret, struct err *e)
{
	if (len > max)
		return err_set(e, ERR_LIMIT, 0,
			       "%zu bytes of JSON; at most %zu are allowed", len, max);
	struct reader r = {
		text, text, text + len, flags, 0, max_values, BUF_INIT(len), e
	};
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	AUTO_JSON json_t *j = NULL;
	if (nul) {
		r.p = nul;
		fault(&r, "a NUL byte");
	} else {
		j = read_value(&r);
	}
	if (j && next(&r) != '\0') {
		json_decref(TAKE(j));
		fault(&r, "something follows the end of the value");
	}
	buf_release(&r.plain);
	*ret = j ? TAKE(j) : *ret;
	return *ret;
}

bool json_parse(const char *text, size_t len, size_t max, enum json_flags flags,
		json_t **ret, struct err *e)
{
	return parse(text, len, max, flags, UINT_MAX, ret, e);
}

bool json_parse_few(const char *text, size_t len, size_t max, unsigned max_values,
		    json_t **ret, struct err *e)
{
	return parse(text, len, max, JSON_PLAIN, max_values, ret, e);
}
