// SPDX-License-Identifier: Apache-2.0
// Replacement of all matches, and the references in its text.
#include <string.h>

#include "templates/regexp_int.h"
#include "templates/unicode.h"

// A reference behind '$': "1", "name", "{name}".
static bool reference(struct str t, struct str *ret_name, size_t *ret_len)
{
	size_t i = 0, width = 0;
	bool brace = t.len && t.p[0] == '{';
	if (brace)
		i++;
	size_t start = i;
	for (; i < t.len; i += width) {
		uint32_t r = rune_decode(t.p + i, t.len - i, &width);
		if (r != '_' && !unicode_is_letter(r) && !unicode_is_digit(r))
			break;
	}
	if (i == start || (brace && (i >= t.len || t.p[i] != '}')))
		return false;
	*ret_name = (struct str){ t.p + start, i - start };
	*ret_len = i + brace;
	return true;
}

// The group of a name of digits, or -1 for other names.
static long number_of(struct str name)
{
	long n = 0;
	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] < '0' || name.p[i] > '9' || n >= 100000000)
			return -1;
		n = n * 10 + (name.p[i] - '0');
	}
	return name.p[0] == '0' && name.len > 1 ? -1 : n;
}

// False when the group took no part.
static bool put_group(struct str s, const size_t *caps, size_t group, struct buf *out)
{
	if (caps[2 * group] == SIZE_MAX || caps[2 * group + 1] == SIZE_MAX)
		return false;
	buf_add(out, s.p + caps[2 * group], caps[2 * group + 1] - caps[2 * group]);
	return true;
}

static void put_reference(const struct regexp *re, struct str s, const size_t *caps,
			  struct str name, struct buf *out)
{
	long n = number_of(name);
	if (n >= 0) {
		if ((size_t)n < re->groups)
			(void)put_group(s, caps, (size_t)n, out);
		return;
	}
	// Of groups with one name the first that took part counts.
	for (size_t i = 0; i < re->groups; i++)
		if (re->names[i].len == name.len &&
		    memcmp(re->names[i].p, name.p, name.len) == 0 &&
		    put_group(s, caps, i, out))
			return;
}

static void expand(const struct regexp *re, struct str s, const size_t *caps,
		   struct str t, struct buf *out)
{
	while (t.len) {
		const char *dollar = memchr(t.p, '$', t.len);
		size_t before = dollar ? (size_t)(dollar - t.p) : t.len;
		buf_add(out, t.p, before);
		if (!dollar)
			return;
		t = (struct str){ t.p + before + 1, t.len - before - 1 };
		struct str name;
		size_t len = 1;
		if (t.len && t.p[0] == '$') {
			buf_putc(out, '$');
		} else if (!reference(t, &name, &len)) {
			buf_putc(out, '$');
			continue;
		} else {
			put_reference(re, s, caps, name, out);
		}
		t = (struct str){ t.p + len, t.len - len };
	}
}

void regexp_replace_all(struct regexp *re, struct str s, struct str with, struct buf *out,
			struct regexp_budget *b)
{
	size_t *caps = arena_calloc(re->arena, 2 * re->groups, sizeof(size_t));
	size_t copied = 0, pos = 0;
	while (pos <= s.len && !buf_failed(out) && regexp_find(re, s, pos, caps, b)) {
		buf_add(out, s.p + copied, caps[0] - copied);
		// No replacement for an empty match right behind another match.
		if (caps[1] > copied || caps[0] == 0)
			expand(re, s, caps, with, out);
		copied = caps[1];
		size_t width = 0;
		if (pos < s.len)
			(void)rune_decode(s.p + pos, s.len - pos, &width);
		if (pos + width > caps[1])
			pos += width;
		else if (pos + 1 > caps[1])
			pos++;
		else
			pos = caps[1];
	}
	if (!b->failed)
		buf_add(out, s.p + copied, s.len - copied);
}
