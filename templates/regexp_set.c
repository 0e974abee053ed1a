// SPDX-License-Identifier: Apache-2.0
// Escapes, and sets in brackets.
#include "templates/regexp_set.h"

#include <string.h>

#include "templates/unicode.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_escape(struct regexp_parse *p, uint32_t *ret)
{
	const char *s = p->expr.p;
	size_t i = p->pos, end = p->expr.len;
	*ret = 0;
	if (i < end && s[i] == '{') {
		size_t digits = 0;
		for (i++; i < end && hex_digit(s[i]) >= 0; i++, digits++) {
			*ret = *ret * 16 + (uint32_t)hex_digit(s[i]);
			if (*ret > RUNE_MAX)
				return regexp_fail(p, "the escape is too large");
		}
		if (!digits || i >= end || s[i] != '}')
			return regexp_fail(p, "invalid escape");
		p->pos = i + 1;
		return true;
	}
	if (i + 2 > end || hex_digit(s[i]) < 0 || hex_digit(s[i + 1]) < 0)
		return regexp_fail(p, "invalid escape");
	*ret = (uint32_t)(hex_digit(s[i]) * 16 + hex_digit(s[i + 1]));
	p->pos += 2;
	return true;
}

bool regexp_escape(struct regexp_parse *p, uint32_t *ret)
{
	static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
	const char *s = p->expr.p;
	if (p->pos + 1 >= p->expr.len)
		return regexp_fail(p, "a backslash at the end");
	char c = s[p->pos + 1];
	bool octal = (c >= '1' && c <= '7' && p->pos + 2 < p->expr.len &&
		      s[p->pos + 2] >= '0' && s[p->pos + 2] <= '7') ||
		     c == '0';
	if (octal) {
		*ret = 0;
		p->pos++;
		for (int i = 0; i < 3 && p->pos < p->expr.len && s[p->pos] >= '0' &&
				s[p->pos] <= '7';
		     i++)
			*ret = *ret * 8 + (uint32_t)(s[p->pos++] - '0');
		return true;
	}
	const char *hit = strchr(letters, c);
	if (c && hit) {
		*ret = (unsigned char)values[hit - letters];
		p->pos += 2;
		return true;
	}
	if (c == 'x') {
		p->pos += 2;
		return hex_escape(p, ret);
	}
	bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
	if ((unsigned char)c >= 0x80 || alnum)
		return regexp_fail(p, "invalid escape");
	*ret = (unsigned char)c;
	p->pos += 2;
	return true;
}

static void add_class(struct regexp_parse *p, struct regexp_class *set,
		      struct regexp_class *part, bool negate, bool fold)
{
	struct arena *a = p->re->arena;
	if (fold && p->flags & RE_FOLD) {
		struct regexp_class folded = { .ranges = NULL };
		class_clean(part);
		for (size_t i = 0; i < part->n; i++)
			class_add_folded(a, &folded, part->ranges[i][0],
					 part->ranges[i][1]);
		*part = folded;
	}
	if (negate)
		class_negate(a, part);
	for (size_t i = 0; i < part->n; i++)
		class_add(a, set, part->ranges[i][0], part->ranges[i][1]);
}

static bool property(struct regexp_parse *p, struct regexp_class *set)
{
	const char *s = p->expr.p;
	bool negate = s[p->pos + 1] == 'P';
	struct str name = { s + p->pos + 2, 1 };
	struct regexp_class part = { .ranges = NULL };
	if (p->pos + 2 >= p->expr.len)
		return regexp_fail(p, "invalid range of a character class");
	size_t next = p->pos + 3;
	if (name.p[0] == '{') {
		const char *end = memchr(name.p, '}', p->expr.len - p->pos - 2);
		if (!end)
			return regexp_fail(p, "invalid range of a character class");
		name = (struct str){ name.p + 1, (size_t)(end - name.p) - 1 };
		next = (size_t)(end - s) + 1;
		if (name.len && name.p[0] == '^') {
			negate = !negate;
			name = (struct str){ name.p + 1, name.len - 1 };
		}
	}
	if (!class_unicode(p->re->arena, &part, name))
		return regexp_fail(p, "unknown class of letters");
	p->pos = next;
	add_class(p, set, &part, negate, true);
	return true;
}

bool regexp_class_escape(struct regexp_parse *p, struct regexp_class *set,
			 bool *ret_found)
{
	char c = p->pos + 1 < p->expr.len ? p->expr.p[p->pos + 1] : 0;
	struct regexp_class part = { .ranges = NULL };
	*ret_found = c == 'p' || c == 'P';
	if (*ret_found)
		return property(p, set);
	char lower = (char)(c | 0x20);
	if (c >= 'A' && class_perl(p->re->arena, &part, lower)) {
		*ret_found = true;
		p->pos += 2;
		add_class(p, set, &part, c != lower, true);
	}
	return true;
}

// [:name:] within brackets; not found: nothing is eaten.
static bool posix(struct regexp_parse *p, struct regexp_class *set, bool *ret_found)
{
	const char *s = p->expr.p + p->pos;
	size_t left = p->expr.len - p->pos;
	struct regexp_class part = { .ranges = NULL };
	*ret_found = false;
	if (left < 4 || s[0] != '[' || s[1] != ':')
		return true;
	const char *end = memmem(s + 2, left - 2, ":]", 2);
	if (!end)
		return true;
	bool negate = s[2] == '^';
	struct str name = { s + 2 + negate, (size_t)(end - s) - 2 - negate };
	if (!class_posix(p->re->arena, &part, name))
		return regexp_fail(p, "unknown class of letters");
	*ret_found = true;
	p->pos += (size_t)(end - s) + 2;
	add_class(p, set, &part, negate, true);
	return true;
}

static bool one_rune(struct regexp_parse *p, uint32_t *ret)
{
	size_t width = 0;
	if (p->pos >= p->expr.len)
		return regexp_fail(p, "a bracket is not closed");
	if (p->expr.p[p->pos] == '\\')
		return regexp_escape(p, ret);
	*ret = rune_decode(p->expr.p + p->pos, p->expr.len - p->pos, &width);
	p->pos += width;
	return true;
}

static bool range(struct regexp_parse *p, struct regexp_class *set)
{
	uint32_t lo = 0, hi = 0;
	if (!one_rune(p, &lo))
		return false;
	hi = lo;
	if (p->pos + 1 < p->expr.len && p->expr.p[p->pos] == '-' &&
	    p->expr.p[p->pos + 1] != ']') {
		p->pos++;
		if (!one_rune(p, &hi))
			return false;
		if (hi < lo)
			return regexp_fail(p, "invalid range of a character class");
	}
	if (p->flags & RE_FOLD)
		class_add_folded(p->re->arena, set, lo, hi);
	else
		class_add(p->re->arena, set, lo, hi);
	return true;
}

bool regexp_brackets(struct regexp_parse *p, struct regexp_node **ret)
{
	struct regexp_class *set = arena_alloc(p->re->arena, sizeof(*set));
	p->pos++;
	bool negate = p->pos < p->expr.len && p->expr.p[p->pos] == '^', first = true;
	p->pos += negate;
	while (p->pos < p->expr.len && (p->expr.p[p->pos] != ']' || first)) {
		bool found = false;
		first = false;
		if (!posix(p, set, &found))
			return false;
		if (!found && p->expr.p[p->pos] == '\\' &&
		    !regexp_class_escape(p, set, &found))
			return false;
		if (!found && !range(p, set))
			return false;
	}
	if (p->pos >= p->expr.len)
		return regexp_fail(p, "a bracket is not closed");
	p->pos++;
	class_clean(set);
	if (negate)
		class_negate(p->re->arena, set);
	struct regexp_node *n = arena_alloc(p->re->arena, sizeof(*n));
	n->kind = RE_CLASS;
	n->class = set;
	*ret = n;
	return true;
}
