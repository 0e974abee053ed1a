// SPDX-License-Identifier: Apache-2.0
// A unified diff: the longest common subsequence of what lies between the equal ends.
#include "cmd/inject_diff.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { CONTEXT = 3, TABLE_MAX = 16 << 20 };

struct lines {
	struct str *list;
	size_t n;
};

static struct lines split(const char *text)
{
	size_t room = 1;
	for (const char *c = text; *c; c++)
		room += *c == '\n';
	struct lines l = { mem_calloc(room, sizeof(*l.list)), 0 };
	struct str rest = str_of(text), one;
	while (str_next(&rest, '\n', &one))
		l.list[l.n++] = one;
	return l;
}

static bool same(struct str a, struct str b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

// One output line: ' ', '-' or '+', with its numbers in both texts.
struct edit {
	char sign;
	struct str text;
	size_t from, to;
};

struct edits {
	struct edit *list;
	size_t n;
};

static void add(struct edits *d, char sign, struct str text, size_t from, size_t to)
{
	d->list[d->n++] = (struct edit){ sign, text, from, to };
}

// The middle, where both differ. Too large a one is shown as replaced.
static void middle(struct edits *d, const struct lines *a, const struct lines *b,
		   size_t begin, size_t tail)
{
	size_t n = a->n - tail - begin, m = b->n - tail - begin, i = 0, j = 0;
	bool small = (n + 1) * (m + 1) < TABLE_MAX / sizeof(unsigned);
	size_t width = m + 1;
	AUTO_FREE unsigned *lcs =
		small ? mem_calloc((n + 1) * width, sizeof(*lcs)) : NULL;
	const struct str *x = a->list + begin, *y = b->list + begin;
	for (size_t k = n; lcs && k-- > 0;)
		for (size_t l = m; l-- > 0;) {
			unsigned down = lcs[(k + 1) * width + l],
				 right = lcs[k * width + l + 1];
			lcs[k * width + l] = same(x[k], y[l])
						     ? lcs[(k + 1) * width + l + 1] + 1
					     : down > right ? down
							    : right;
		}
	while (i < n || j < m) {
		bool both = lcs && i < n && j < m;
		if (both && same(x[i], y[j])) {
			add(d, ' ', x[i], begin + i, begin + j);
			i++;
			j++;
		} else if (i < n && (!both || lcs[(i + 1) * width + j] >=
						      lcs[i * width + j + 1])) {
			add(d, '-', x[i], begin + i, begin + j);
			i++;
		} else {
			add(d, '+', y[j], begin + i, begin + j);
			j++;
		}
	}
}

static void compare(struct edits *d, const struct lines *a, const struct lines *b)
{
	size_t begin = 0, tail = 0;
	while (begin < a->n && begin < b->n && same(a->list[begin], b->list[begin])) {
		add(d, ' ', a->list[begin], begin, begin);
		begin++;
	}
	while (tail < a->n - begin && tail < b->n - begin &&
	       same(a->list[a->n - 1 - tail], b->list[b->n - 1 - tail]))
		tail++;
	middle(d, a, b, begin, tail);
	for (size_t i = tail; i-- > 0;)
		add(d, ' ', a->list[a->n - 1 - i], a->n - 1 - i, b->n - 1 - i);
}

static bool is_near(const struct edits *d, size_t at)
{
	size_t first = at > CONTEXT ? at - CONTEXT : 0;
	for (size_t i = first; i <= at + CONTEXT && i < d->n; i++)
		if (d->list[i].sign != ' ')
			return true;
	return false;
}

static void print(const struct edits *d, struct buf *out)
{
	for (size_t i = 0; i < d->n;) {
		size_t end = i, old = 0, new = 0;
		if (!is_near(d, i)) {
			i++;
			continue;
		}
		for (; end < d->n && is_near(d, end); end++) {
			old += d->list[end].sign != '+';
			new += d->list[end].sign != '-';
		}
		buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", d->list[i].from + (old > 0),
			   old, d->list[i].to + (new > 0), new);
		for (; i < end; i++) {
			buf_putc(out, d->list[i].sign);
			buf_add(out, d->list[i].text.p, d->list[i].text.len);
			buf_putc(out, '\n');
		}
	}
}

void inject_diff(const char *name, const char *from, const char *to, struct buf *out)
{
	struct lines a = split(from), b = split(to);
	struct edits d = { mem_calloc(a.n + b.n + 1, sizeof(*d.list)), 0 };
	compare(&d, &a, &b);
	if (strcmp(from, to) != 0)
		buf_printf(out, "--- %s\n+++ %s (injected)\n", name, name);
	print(&d, out);
	mem_free(a.list);
	mem_free(b.list);
	mem_free(d.list);
}
