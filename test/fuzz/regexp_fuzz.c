// SPDX-License-Identifier: Apache-2.0
// links: templates
// An expression up to the first NUL, and a text behind it: compiles or is refused, and a
// match stays within the text and its budget of steps.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "templates/regexp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	const uint8_t *nul = size && size <= MAX ? memchr(data, 0, size) : NULL;
	if (!nul)
		return 0;
	struct err e = ERR_INIT;
	AUTO_ARENA struct arena a = ARENA_INIT(SIZE_MAX);
	AUTO_BUF struct buf out = BUF_INIT(65536);
	struct regexp *re = NULL;
	struct str expr = { (const char *)data, (size_t)(nul - data) };
	struct str text = { (const char *)nul + 1, size - expr.len - 1 };
	if (!regexp_compile(&a, expr, &re, &e))
		return 0;
	struct regexp_budget b = { .left = 2000000 };
	size_t *caps = arena_calloc(&a, 2 * regexp_groups(re), sizeof(*caps));
	bool found = regexp_find(re, text, 0, caps, &b);
	if (found && (caps[0] > caps[1] || caps[1] > text.len))
		abort();
	if (!b.failed && found != regexp_match(re, text, &b) && !b.failed)
		abort();
	regexp_replace_all(re, text, (struct str){ "<$1>", 4 }, &out, &b);
	return 0;
}
