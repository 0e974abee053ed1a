// SPDX-License-Identifier: Apache-2.0
// The pre-lexer: jansson has only 64-bit integers and doubles, and would change 1.10 to
// 1.1000000000000001 in a secret. So number literals of store data travel as strings that
// begin with a mark which is random in each process.
#include "lib/base/json_number.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { MARK_LEN = 20 };

static const char *mark(void)
{
	static char text[MARK_LEN + 1];
	if (!text[0]) {
		uint64_t r = 0;
		if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
			r = (uint64_t)clock_wall_ms() * 0x9e3779b97f4a7c15u;
		snprintf(text, sizeof(text), "#n:%016llx;", (unsigned long long)r);
	}
	return text;
}

static size_t digits(const char *p, size_t len)
{
	size_t n = 0;
	while (n < len && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

// The length of the number literal at p by RFC 8259 section 6, or 0.
static size_t number_len(const char *p, size_t len)
{
	size_t i = len > 0 && p[0] == '-';
	size_t whole = digits(p + i, len - i);
	if (whole == 0 || (whole > 1 && p[i] == '0'))
		return 0;
	i += whole;
	if (i < len && p[i] == '.') {
		size_t part = digits(p + i + 1, len - i - 1);
		if (part == 0)
			return 0;
		i += 1 + part;
	}
	if (i < len && (p[i] == 'e' || p[i] == 'E')) {
		size_t sign = i + 1 < len && (p[i + 1] == '+' || p[i + 1] == '-');
		size_t part = digits(p + i + 1 + sign, len - i - 1 - sign);
		if (part == 0)
			return 0;
		i += 1 + sign + part;
	}
	return i;
}

// The code unit of an escape \uXXXX at p, or -1.
static long escape_unit(const char *p, size_t len)
{
	if (len < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	long unit = 0;
	for (size_t i = 2; i < 6; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		unit = unit * 16 + d;
	}
	return unit;
}

// Copies one escape of a string; returns how many bytes of input it took.
static size_t copy_escape(const char *p, size_t len, struct buf *to)
{
	long unit = escape_unit(p, len);
	if (unit < 0xd800 || unit > 0xdfff) {
		size_t n = len < 2 ? len : 2;
		buf_add(to, p, n);
		return n;
	}
	long low = unit <= 0xdbff ? escape_unit(p + 6, len - 6) : -1;
	if (low >= 0xdc00 && low <= 0xdfff) {
		buf_add(to, p, 12);
		return 12;
	}
	buf_puts(to, "\\ufffd");
	return 6;
}

static size_t copy_string(const char *p, size_t len, struct buf *to)
{
	size_t i = 1;
	buf_putc(to, '"');
	while (i < len) {
		size_t plain = 0;
		while (i + plain < len && p[i + plain] != '"' && p[i + plain] != '\\')
			plain++;
		buf_add(to, p + i, plain);
		i += plain;
		if (i == len)
			break;
		if (p[i] == '"') {
			buf_putc(to, '"');
			return i + 1;
		}
		i += copy_escape(p + i, len - i, to);
	}
	return i;
}

// A number as the key of a member is no JSON and must not become a valid string.
static bool is_key(const char *p, size_t len)
{
	size_t i = 0;
	while (i < len && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r'))
		i++;
	return i < len && p[i] == ':';
}

void json_number_mark(const char *text, size_t len, struct buf *to)
{
	size_t i = 0;
	while (i < len) {
		size_t n;
		if (text[i] == '"') {
			i += copy_string(text + i, len - i, to);
		} else if ((n = number_len(text + i, len - i)) > 0 &&
			   !is_key(text + i + n, len - i - n)) {
			buf_printf(to, "\"%s%.*s\"", mark(), (int)n, text + i);
			i += n;
		} else {
			buf_putc(to, text[i++]);
		}
	}
}

const char *json_number_text(const json_t *j)
{
	if (!json_is_string(j) || json_string_length(j) <= MARK_LEN)
		return NULL;
	const char *s = json_string_value(j);
	return memcmp(s, mark(), MARK_LEN) == 0 ? s + MARK_LEN : NULL;
}

json_t *json_number_new(const char *text, size_t len)
{
	AUTO_FREE char *s = mem_printf("%s%.*s", mark(), (int)len, text);
	return json_string(s);
}

bool json_number_int(const json_t *j, int64_t *ret)
{
	const char *text = json_number_text(j);
	return text && str_int64(text, ret, NULL);
}
