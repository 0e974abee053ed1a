// SPDX-License-Identifier: Apache-2.0
// Sets of runes.
#include <stdlib.h>
#include <string.h>

#include "templates/regexp_int.h"
#include "templates/unicode.h"
#include "templates/unicode_tables.h"

void class_add(struct arena *a, struct regexp_class *c, uint32_t lo, uint32_t hi)
{
	if (c->n && c->ranges[c->n - 1][0] <= lo && c->ranges[c->n - 1][1] + 1 >= lo) {
		if (hi > c->ranges[c->n - 1][1])
			c->ranges[c->n - 1][1] = hi;
		return;
	}
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 4;
		c->ranges = arena_grow(a, c->ranges, c->n, c->cap, sizeof(*c->ranges));
	}
	c->ranges[c->n][0] = lo;
	c->ranges[c->n++][1] = hi;
}

static void add_orbit(struct arena *a, struct regexp_class *c, uint32_t r)
{
	for (uint32_t f = unicode_fold(r); f != r; f = unicode_fold(f))
		class_add(a, c, f, f);
}

void class_add_folded(struct arena *a, struct regexp_class *c, uint32_t lo, uint32_t hi)
{
	class_add(a, c, lo, hi);
	for (size_t i = 0; i < unicode_cases_len; i++) {
		uint32_t from = unicode_cases[i].lo > lo ? unicode_cases[i].lo : lo;
		uint32_t to = unicode_cases[i].hi < hi ? unicode_cases[i].hi : hi;
		for (uint32_t r = from; r <= to; r++)
			add_orbit(a, c, r);
	}
	for (size_t i = 0; i < unicode_orbits_len; i++)
		if (unicode_orbits[i][0] >= lo && unicode_orbits[i][0] <= hi)
			add_orbit(a, c, unicode_orbits[i][0]);
}

static int compare_ranges(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return x[0] < y[0] ? -1 : x[0] > y[0];
}

void class_clean(struct regexp_class *c)
{
	if (c->n < 2)
		return;
	qsort(c->ranges, c->n, sizeof(*c->ranges), compare_ranges);
	size_t to = 0;
	for (size_t i = 1; i < c->n; i++) {
		if (c->ranges[i][0] <= c->ranges[to][1] + 1) {
			if (c->ranges[i][1] > c->ranges[to][1])
				c->ranges[to][1] = c->ranges[i][1];
			continue;
		}
		to++;
		c->ranges[to][0] = c->ranges[i][0];
		c->ranges[to][1] = c->ranges[i][1];
	}
	c->n = to + 1;
}

void class_negate(struct arena *a, struct regexp_class *c)
{
	struct regexp_class not = { .ranges = NULL };
	uint32_t next = 0;
	class_clean(c);
	for (size_t i = 0; i < c->n; i++) {
		if (c->ranges[i][0] > next)
			class_add(a, &not, next, c->ranges[i][0] - 1);
		next = c->ranges[i][1] + 1;
	}
	if (next <= RUNE_MAX)
		class_add(a, &not, next, RUNE_MAX);
	*c = not ;
}

bool class_has(const struct regexp_class *c, uint32_t r)
{
	size_t lo = 0, hi = c->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (r < c->ranges[mid][0])
			hi = mid;
		else if (r > c->ranges[mid][1])
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

// Ranges as pairs of letters.
static void add_pairs(struct arena *a, struct regexp_class *c, const char *pairs,
		      size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		class_add(a, c, (unsigned char)pairs[i], (unsigned char)pairs[i + 1]);
}

bool class_perl(struct arena *a, struct regexp_class *c, char letter)
{
	switch (letter) {
	case 'd':
		add_pairs(a, c, "09", 2);
		return true;
	case 's':
		add_pairs(a, c, "\t\n\f\r  ", 6);
		return true;
	case 'w':
		add_pairs(a, c, "09AZ__az", 8);
		return true;
	default:
		return false;
	}
}

bool class_posix(struct arena *a, struct regexp_class *c, struct str name)
{
	static const struct {
		const char *name, *pairs;
		size_t n;
	} classes[] = {
		{ "alnum", "09AZaz", 6 },
		{ "alpha", "AZaz", 4 },
		{ "ascii", "\0\x7F", 2 },
		{ "blank", "\t\t  ", 4 },
		{ "cntrl", "\0\x1F\x7F\x7F", 4 },
		{ "digit", "09", 2 },
		{ "graph", "!~", 2 },
		{ "lower", "az", 2 },
		{ "print", " ~", 2 },
		{ "punct", "!/:@[`{~", 8 },
		{ "space", "\t\r  ", 4 },
		{ "upper", "AZ", 2 },
		{ "word", "09AZ__az", 8 },
		{ "xdigit", "09AFaf", 6 },
	};
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (str_eq(name, classes[i].name)) {
			add_pairs(a, c, classes[i].pairs, classes[i].n);
			return true;
		}
	return false;
}

// Runs of a table whose class is wanted.
static void add_runs(struct arena *a, struct regexp_class *c,
		     const struct unicode_table *t, const bool *wanted)
{
	const uint8_t *p = t->runs;
	for (uint32_t first = 0, last = 0; first <= RUNE_MAX; first = last + 1) {
		bool take = wanted[*p];
		p = unicode_run(p, first, &last);
		if (take)
			class_add(a, c, first, last);
	}
}

bool class_unicode(struct arena *a, struct regexp_class *c, struct str name)
{
	bool wanted[256] = { false }, found = false;
	if (str_eq(name, "Any")) {
		class_add(a, c, 0, RUNE_MAX);
		return true;
	}
	for (size_t i = 0; i < CAT_COUNT; i++) {
		bool unassigned = i == CAT_CN;
		if (name.len == 1 && name.p[0] == unicode_cat_names[i][0] && !unassigned)
			wanted[i] = found = true;
		if (str_eq(name, unicode_cat_names[i]))
			wanted[i] = found = true;
	}
	if (found) {
		add_runs(a, c, &unicode_cats, wanted);
		return true;
	}
	size_t i = 0;
	for (const char *s = unicode_script_names; *s; s += strlen(s) + 1, i++)
		if (str_eq(name, s))
			wanted[i] = found = true;
	if (found)
		add_runs(a, c, &unicode_scripts, wanted);
	return found;
}
