// SPDX-License-Identifier: Apache-2.0
// The heap over libc's malloc, for builds whose tools watch malloc. It wipes as the guarded
// one does, but neither locks nor hides: no release is built with it.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/heap/heap.h"

struct head {
	size_t size;
	size_t pad; // keeps the block 16-aligned
};

void *heap_alloc(size_t n)
{
	struct head *h = calloc(1, sizeof(*h) + n);
	if (!h)
		return NULL;
	h->size = n;
	return h + 1;
}

void heap_free(void *p)
{
	struct head *h = (struct head *)p - 1;
	mem_wipe(p, h->size);
	free(h);
}

size_t heap_size(const void *p)
{
	return ((const struct head *)p - 1)->size;
}

void heap_trim(void)
{
}

void heap_stats(struct mem_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
}

void heap_range(uintptr_t *ret_start, uintptr_t *ret_end)
{
	*ret_start = *ret_end = 0;
}
