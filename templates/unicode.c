// SPDX-License-Identifier: Apache-2.0
// UTF-8 and properties of code points: binary search over the tables, with a short way for
// ASCII.
#include "templates/unicode.h"

#include "templates/unicode_tables.h"

const char *const unicode_cat_names[CAT_COUNT] = {
	"Cc", "Cf", "Cn", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu",
	"Mc", "Me", "Mn", "Nd", "Nl", "No", "Pc", "Pd", "Pe", "Pf",
	"Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs",
};

static bool continues(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

uint32_t rune_decode(const char *s, size_t len, size_t *ret_width)
{
	const unsigned char *p = (const unsigned char *)s;
	*ret_width = 1;
	if (p[0] < 0x80)
		return p[0];
	uint32_t rune = 0;
	size_t width = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (p[0] < 0xC2 || p[0] > 0xF4 || width > len)
		return RUNE_ERROR;
	rune = p[0] & (0xFFU >> (width + 1));
	for (size_t i = 1; i < width; i++) {
		if (!continues(p[i]))
			return RUNE_ERROR;
		rune = rune << 6 | (p[i] & 0x3F);
	}
	if (rune < least[width] || rune > RUNE_MAX || (rune >= 0xD800 && rune < 0xE000))
		return RUNE_ERROR;
	*ret_width = width;
	return rune;
}

uint32_t rune_decode_last(const char *s, size_t len, size_t *ret_width)
{
	size_t from = len > UTF8_MAX ? len - UTF8_MAX : 0;
	for (size_t start = len - 1;; start--) {
		size_t width = 0;
		uint32_t rune = rune_decode(s + start, len - start, &width);
		if (start + width == len && (width > 1 || start == len - 1)) {
			if (rune != RUNE_ERROR || width > 1) {
				*ret_width = width;
				return rune;
			}
		}
		if (start == from)
			break;
	}
	*ret_width = 1;
	return RUNE_ERROR;
}

size_t rune_encode(uint32_t rune, char to[static UTF8_MAX])
{
	if (rune > RUNE_MAX || (rune >= 0xD800 && rune < 0xE000))
		rune = RUNE_ERROR;
	if (rune < 0x80) {
		to[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		to[0] = (char)(0xC0 | rune >> 6);
		to[1] = (char)(0x80 | (rune & 0x3F));
		return 2;
	}
	if (rune < 0x10000) {
		to[0] = (char)(0xE0 | rune >> 12);
		to[1] = (char)(0x80 | (rune >> 6 & 0x3F));
		to[2] = (char)(0x80 | (rune & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | rune >> 18);
	to[1] = (char)(0x80 | (rune >> 12 & 0x3F));
	to[2] = (char)(0x80 | (rune >> 6 & 0x3F));
	to[3] = (char)(0x80 | (rune & 0x3F));
	return 4;
}

size_t rune_count(const char *s, size_t len)
{
	size_t n = 0;
	for (size_t i = 0, width; i < len; i += width, n++)
		(void)rune_decode(s + i, len - i, &width);
	return n;
}

const uint8_t *unicode_run(const uint8_t *p, uint32_t first, uint32_t *ret_last)
{
	uint32_t length = 0;
	unsigned shift = 0;
	for (p++;; p++, shift += 7) {
		length |= (uint32_t)(*p & 0x7F) << shift;
		if (!(*p & 0x80))
			break;
	}
	*ret_last = first + length;
	return p + 1;
}

static unsigned class_of(const struct unicode_table *t, uint32_t rune)
{
	size_t lo = 0, hi = t->n_blocks;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->blocks[mid].first <= rune)
			lo = mid;
		else
			hi = mid;
	}
	uint32_t first = t->blocks[lo].first, last = 0;
	const uint8_t *p = t->runs + t->blocks[lo].offset;
	for (;;) {
		unsigned class = *p;
		p = unicode_run(p, first, &last);
		if (rune <= last)
			return class;
		first = last + 1;
	}
}

enum unicode_cat unicode_cat(uint32_t rune)
{
	return rune > RUNE_MAX ? CAT_CN : (enum unicode_cat)class_of(&unicode_cats, rune);
}

bool unicode_is_letter(uint32_t rune)
{
	if (rune < 0x80)
		return (rune | 0x20) >= 'a' && (rune | 0x20) <= 'z';
	enum unicode_cat cat = unicode_cat(rune);
	return cat >= CAT_LL && cat <= CAT_LU;
}

bool unicode_is_digit(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= '0' && rune <= '9';
	return unicode_cat(rune) == CAT_ND;
}

bool unicode_is_space(uint32_t rune)
{
	if (rune < 0x100)
		return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 ||
		       rune == 0xA0;
	enum unicode_cat cat = unicode_cat(rune);
	return cat == CAT_ZS || cat == CAT_ZL || cat == CAT_ZP;
}

bool unicode_is_print(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= ' ' && rune < 0x7F;
	enum unicode_cat cat = unicode_cat(rune);
	return cat >= CAT_LL && cat <= CAT_SO;
}

enum which_case { TO_UPPER, TO_LOWER, TO_TITLE };

static uint32_t to_case(uint32_t rune, enum which_case which)
{
	size_t lo = 0, hi = unicode_cases_len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct unicode_case *c = &unicode_cases[mid];
		if (rune > c->hi) {
			lo = mid + 1;
			continue;
		}
		if (rune < c->lo) {
			hi = mid;
			continue;
		}
		int32_t delta = which == TO_UPPER   ? c->upper
				: which == TO_LOWER ? c->lower
						    : c->title;
		if (delta > RUNE_MAX) {
			uint32_t pair = (rune - c->lo) & ~1U;
			return c->lo + (pair | (which == TO_LOWER ? 1 : 0));
		}
		return (uint32_t)((int32_t)rune + delta);
	}
	return rune;
}

uint32_t unicode_upper(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
	return to_case(rune, TO_UPPER);
}

uint32_t unicode_lower(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
	return to_case(rune, TO_LOWER);
}

uint32_t unicode_title(uint32_t rune)
{
	if (rune < 0x80)
		return unicode_upper(rune);
	return to_case(rune, TO_TITLE);
}

uint32_t unicode_fold(uint32_t rune)
{
	for (size_t i = 0; i < unicode_orbits_len; i++)
		if (unicode_orbits[i][0] == rune)
			return unicode_orbits[i][1];
	uint32_t lower = unicode_lower(rune);
	return lower != rune ? lower : unicode_upper(rune);
}
