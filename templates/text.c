// SPDX-License-Identifier: Apache-2.0
// Searching, trimming, replacing and splitting of text.
#include "templates/text.h"

#include <stdint.h>
#include <string.h>

#include "templates/unicode.h"

size_t text_find(struct str s, struct str what)
{
	if (!what.len)
		return 0;
	const char *p = what.len <= s.len ? memmem(s.p, s.len, what.p, what.len) : NULL;
	return p ? (size_t)(p - s.p) : SIZE_MAX;
}

bool text_contains(struct str s, struct str what)
{
	return text_find(s, what) != SIZE_MAX;
}

bool text_starts(struct str s, struct str prefix)
{
	return prefix.len <= s.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

bool text_ends(struct str s, struct str suffix)
{
	return suffix.len <= s.len &&
	       memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0;
}

static bool in_set(uint32_t r, struct str set)
{
	for (size_t i = 0, width; i < set.len; i += width)
		if (rune_decode(set.p + i, set.len - i, &width) == r)
			return true;
	return false;
}

struct str text_trim(struct str s, struct str cutset, bool left, bool right)
{
	size_t width = 0;
	while (left && s.len && in_set(rune_decode(s.p, s.len, &width), cutset)) {
		s.p += width;
		s.len -= width;
	}
	while (right && s.len && in_set(rune_decode_last(s.p, s.len, &width), cutset))
		s.len -= width;
	return s;
}

struct str text_trim_space(struct str s)
{
	size_t width = 0;
	while (s.len && unicode_is_space(rune_decode(s.p, s.len, &width))) {
		s.p += width;
		s.len -= width;
	}
	while (s.len && unicode_is_space(rune_decode_last(s.p, s.len, &width)))
		s.len -= width;
	return s;
}

// An empty `from`: before each rune and at the end.
static void replace_between(struct buf *out, struct str s, struct str to, long limit)
{
	size_t i = 0, width = 0;
	for (; limit != 0; limit -= limit > 0) {
		buf_add(out, to.p, to.len);
		if (i >= s.len || buf_failed(out))
			break;
		(void)rune_decode(s.p + i, s.len - i, &width);
		buf_add(out, s.p + i, width);
		i += width;
	}
	buf_add(out, s.p + i, s.len - i);
}

void text_replace(struct buf *out, struct str s, struct str from, struct str to,
		  long limit)
{
	if (!from.len) {
		replace_between(out, s, to, limit);
		return;
	}
	for (; limit != 0 && !buf_failed(out); limit -= limit > 0) {
		size_t at = text_find(s, from);
		if (at == SIZE_MAX)
			break;
		buf_add(out, s.p, at);
		buf_add(out, to.p, to.len);
		s.p += at + from.len;
		s.len -= at + from.len;
	}
	buf_add(out, s.p, s.len);
}

void text_map(struct buf *out, struct str s, uint32_t (*map)(uint32_t))
{
	char utf8[UTF8_MAX];
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t r = rune_decode(s.p + i, s.len - i, &width);
		buf_add(out, utf8, rune_encode(map(r), utf8));
	}
}

// Between runes; an invalid byte becomes U+FFFD, as Go's explode gives it.
static void split_runes(struct arena *a, struct str s, long limit, struct list *l)
{
	for (size_t i = 0, width; i < s.len; i += width) {
		(void)rune_decode(s.p + i, s.len - i, &width);
		if (limit > 0 && l->n + 1 == (size_t)limit)
			width = s.len - i;
		list_add(a, l, val_str(s.p + i, width));
	}
}

struct list *text_split(struct arena *a, struct str s, struct str sep, long limit)
{
	size_t count = 1;
	if (sep.len)
		for (struct str rest = s;;) {
			size_t at = text_find(rest, sep);
			if (at == SIZE_MAX)
				break;
			rest.p += at + sep.len;
			rest.len -= at + sep.len;
			count++;
		}
	struct list *l = list_new(a, LIST_STR, sep.len ? count : rune_count(s.p, s.len));
	if (!sep.len) {
		split_runes(a, s, limit, l);
		return l;
	}
	while (limit < 0 || l->n + 1 < (size_t)limit) {
		size_t at = text_find(s, sep);
		if (at == SIZE_MAX)
			break;
		list_add(a, l, val_str(s.p, at));
		s.p += at + sep.len;
		s.len -= at + sep.len;
	}
	if (limit != 0)
		list_add(a, l, val_str(s.p, s.len));
	return l;
}

void text_title(struct buf *out, struct str s)
{
	char utf8[UTF8_MAX];
	bool start = true;
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t r = rune_decode(s.p + i, s.len - i, &width);
		bool word = unicode_is_letter(r) || unicode_is_digit(r) || r == '_' ||
			    (unicode_cat(r) >= CAT_MC && unicode_cat(r) <= CAT_MN);
		if (word && start)
			buf_add(out, utf8, rune_encode(unicode_title(r), utf8));
		else
			buf_add(out, s.p + i, width);
		// An apostrophe or a point between letters does not end a word.
		bool inner = !start && (r == '\'' || r == '.' || r == ':' || r == 0x2019);
		size_t next = 0;
		uint32_t after = i + width < s.len ? rune_decode(s.p + i + width,
								 s.len - i - width, &next)
						   : 0;
		start = !(word || (inner && unicode_is_letter(after)));
	}
}
