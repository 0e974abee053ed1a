// SPDX-License-Identifier: Apache-2.0
// ampoule render --expect: a line diff in the unified form. What is equal at both ends is
// left out but for three lines; between them the longest common lines are kept when the
// texts are small enough to look for them.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/render.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { CONTEXT = 3, TABLE_MAX = 4 << 20 };

struct lines {
	struct str *line; // with its newline
	size_t n;
};

static struct lines split(const struct buf *b)
{
	struct lines l = { NULL, 0 };
	const char *p = buf_str(b), *end = p + b->len;
	for (const char *q = p; q < end; l.n++) {
		const char *nl = memchr(q, '\n', (size_t)(end - q));
		q = nl ? nl + 1 : end;
	}
	l.line = mem_calloc(l.n + 1, sizeof(*l.line));
	for (size_t i = 0; i < l.n; i++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *next = nl ? nl + 1 : end;
		l.line[i] = (struct str){ p, (size_t)(next - p) };
		p = next;
	}
	return l;
}

static bool same(struct str a, struct str b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static void print(char mark, struct str line)
{
	bool ended = line.len && line.p[line.len - 1] == '\n';
	printf("%c%.*s%s", mark, (int)line.len, line.p,
	       ended ? "" : "\n\\ No newline at end of file\n");
}

static void print_all(char mark, const struct str *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print(mark, line[i]);
}

// The part that differs: by a table of common lengths, filled from the end.
static void middle(const struct str *a, size_t n, const struct str *b, size_t m)
{
	if ((n + 1) * (m + 1) > TABLE_MAX) {
		print_all('-', a, n);
		print_all('+', b, m);
		return;
	}
	AUTO_FREE uint32_t *common = mem_calloc((n + 1) * (m + 1), sizeof(*common));
	size_t w = m + 1;
	for (size_t i = n; i-- > 0;)
		for (size_t k = m; k-- > 0;) {
			uint32_t down = common[(i + 1) * w + k],
				 right = common[i * w + k + 1];
			common[i * w + k] = same(a[i], b[k])
						    ? common[(i + 1) * w + k + 1] + 1
					    : down > right ? down
							   : right;
		}
	size_t i = 0, k = 0;
	while (i < n || k < m) {
		if (i < n && k < m && same(a[i], b[k])) {
			print(' ', a[i]);
			i++;
			k++;
		} else if (k == m ||
			   (i < n && common[(i + 1) * w + k] >= common[i * w + k + 1])) {
			print('-', a[i++]);
		} else {
			print('+', b[k++]);
		}
	}
}

bool render_compare(const char *name, const struct buf *want, const struct buf *got)
{
	if (buf_equal(want, got))
		return true;
	struct lines a = split(want), b = split(got);
	size_t head = 0, tail = 0;
	while (head < a.n && head < b.n && same(a.line[head], b.line[head]))
		head++;
	while (tail < a.n - head && tail < b.n - head &&
	       same(a.line[a.n - 1 - tail], b.line[b.n - 1 - tail]))
		tail++;
	size_t before = head < CONTEXT ? head : CONTEXT,
	       after = tail < CONTEXT ? tail : CONTEXT;
	size_t from = head - before, n = a.n - head - tail, m = b.n - head - tail;
	printf("--- %s\n+++ rendered\n@@ -%zu,%zu +%zu,%zu @@\n", name, from + 1,
	       before + n + after, from + 1, before + m + after);
	print_all(' ', a.line + from, before);
	middle(a.line + head, n, b.line + head, m);
	print_all(' ', a.line + a.n - tail, after);
	mem_free(a.line);
	mem_free(b.line);
	return false;
}
