// SPDX-License-Identifier: Apache-2.0
// The bump allocator: a list of chunks, the first small, since most templates are.
#include "templates/arena.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/mem.h"

enum { CHUNK_FIRST = 2048 - 64, CHUNK_MAX = 64 * 1024, ALIGN = 8 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(ALIGN) char bytes[];
};

void arena_release(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;
		mem_free(a->chunks);
		a->chunks = next;
	}
	a->free = a->end = NULL;
	a->used = 0;
}

static void add_chunk(struct arena *a, size_t need)
{
	size_t size = a->chunks ? a->chunks->size * 2 : CHUNK_FIRST;
	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < need)
		size = need;
	struct arena_chunk *c = mem_alloc(sizeof(*c) + size);
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	a->free = c->bytes;
	a->end = c->bytes + size;
	a->used += size;
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t need = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (need < n)
		return mem_calloc(n, SIZE_MAX / 2); // cannot be had: ends the process
	if ((size_t)(a->end - a->free) < need || !a->free)
		add_chunk(a, need);
	void *p = a->free;
	a->free += need;
	return p; // fresh chunks are zeroed, and nothing is handed out twice
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes = 0;
	if (__builtin_mul_overflow(n, size, &bytes))
		return mem_calloc(n, size);
	return arena_alloc(a, bytes);
}

char *arena_dup(struct arena *a, const char *p, size_t len)
{
	char *to = arena_alloc(a, len + 1);
	if (len)
		memcpy(to, p, len);
	return to;
}

void *arena_grow(struct arena *a, const void *p, size_t n, size_t cap, size_t size)
{
	char *to = arena_calloc(a, cap, size);
	if (n)
		memcpy(to, p, n * size);
	return to;
}

bool arena_over(const struct arena *a)
{
	return a->used > a->max;
}
