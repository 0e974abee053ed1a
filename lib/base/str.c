// SPDX-License-Identifier: Apache-2.0
// Slices, UTF-8 and the nearest name. The parsers of values are in str_number.c.
#include "lib/base/str.h"

#include <string.h>

#include "lib/base/auto.h"
#include "lib/base/lanes.h"

enum { NAME_LETTERS_MAX = 63 };

struct str str_of(const char *s)
{
	return s ? (struct str){ s, strlen(s) } : (struct str){ "", 0 };
}

bool str_eq(struct str a, const char *b)
{
	size_t len = strlen(b);
	return a.len == len && (len == 0 || memcmp(a.p, b, len) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);
	return len >= tail && memcmp(s + len - tail, suffix, tail) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.p[0]))
		s.p++, s.len--;
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool str_next(struct str *rest, char sep, struct str *ret)
{
	if (rest->len == 0)
		return false;
	const char *at = memchr(rest->p, sep, rest->len);
	size_t len = at ? (size_t)(at - rest->p) : rest->len;
	size_t taken = at ? len + 1 : len;
	*ret = (struct str){ rest->p, len };
	rest->p += taken;
	rest->len -= taken;
	return true;
}

// Length of the sequence that starts with `c`, and the range of its second byte, which rules
// out overlong forms, surrogates and what lies above U+10FFFF (RFC 3629 section 4).
static size_t utf8_shape(unsigned char c, unsigned char *ret_low, unsigned char *ret_high)
{
	*ret_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*ret_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

// Only the last star needs another try, hence no recursion.
bool str_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *from = NULL;
	while (*s) {
		if (*pattern == '*') {
			star = ++pattern;
			from = s;
		} else if (*pattern && (*pattern == '?' || *pattern == *s)) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool str_valid_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	for (size_t i = 0; i < len;) {
		uint64_t ahead;
		if (len - i >= sizeof(ahead)) {
			memcpy(&ahead, p + i, sizeof(ahead));
			if (!(ahead & LANES(0x80))) {
				i += sizeof(ahead);
				continue;
			}
		}
		unsigned char low, high;
		size_t n = utf8_shape(p[i], &low, &high);
		if (n == 0 || n > len - i)
			return false;
		if (n > 1 && (p[i + 1] < low || p[i + 1] > high))
			return false;
		for (size_t k = 2; k < n; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += n;
	}
	return true;
}

// Letter case, and '-' for '_', cost nothing: they are the commonest slips.
static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '-' ? '_' : c;
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

// Insertions, deletions, changes and swaps of neighbours between two short names.
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NAME_LETTERS_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	for (size_t k = 0; k <= b_len; k++)
		last[k] = (unsigned)k;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = (unsigned)i;
		for (size_t k = 1; k <= b_len; k++) {
			bool same = folded(a[i - 1]) == folded(b[k - 1]);
			now[k] = smaller(last[k - 1] + !same,
					 smaller(last[k], now[k - 1]) + 1);
			if (i > 1 && k > 1 && folded(a[i - 1]) == folded(b[k - 2]) &&
			    folded(a[i - 2]) == folded(b[k - 1]))
				now[k] = smaller(now[k], before[k - 2] + 1);
		}
		unsigned *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[b_len];
}

const char *str_nearest(const char *s, const char *const *names, size_t n)
{
	size_t len = strlen(s);
	if (len == 0 || len > NAME_LETTERS_MAX)
		return NULL;
	const char *best = NULL;
	unsigned best_distance = (unsigned)(len / 3) + 1;
	for (size_t i = 0; i < n; i++) {
		size_t name_len = strlen(names[i]);
		if (name_len > NAME_LETTERS_MAX)
			continue;
		unsigned d = distance(s, len, names[i], name_len);
		if (d < best_distance) {
			best = names[i];
			best_distance = d;
		}
	}
	return best;
}
