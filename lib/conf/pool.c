// SPDX-License-Identifier: Apache-2.0
// The pool: a chain of blocks, each as large as the largest request so far needs.
#include "lib/conf/pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"

enum { BLOCK_BYTES = 2000, ALIGN = 16 };

struct pool_block {
	struct pool_block *next;
	size_t size;
	_Alignas(ALIGN) char bytes[];
};

void pool_release(struct pool *p)
{
	struct pool_block *b = p->blocks;
	while (b) {
		struct pool_block *next = b->next;
		mem_free(b);
		b = next;
	}
	*p = (struct pool){ 0 };
}

void *pool_alloc(struct pool *p, size_t n)
{
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (!p->blocks || n > p->left) {
		size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
		struct pool_block *b = mem_alloc(sizeof(*b) + size);
		b->size = size;
		b->next = p->blocks;
		p->blocks = b;
		p->left = size;
	}
	void *at = p->blocks->bytes + (p->blocks->size - p->left);
	p->left -= n;
	return at;
}

char *pool_strndup(struct pool *p, const char *s, size_t len)
{
	char *copy = pool_alloc(p, len + 1);
	if (len)
		memcpy(copy, s, len);
	return copy;
}

char *pool_strdup(struct pool *p, const char *s)
{
	return s ? pool_strndup(p, s, strlen(s)) : NULL;
}

char *pool_printf(struct pool *p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *text = pool_alloc(p, n > 0 ? (size_t)n + 1 : 1);
	va_start(ap, fmt);
	if (n > 0)
		vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void *pool_append(struct pool *p, void *array, size_t *n, size_t size)
{
	// Doubled whenever the count is a power of two.
	if ((*n & (*n - 1)) == 0) {
		void *bigger = pool_alloc(p, (*n ? *n * 2 : 1) * size);
		if (*n)
			memcpy(bigger, array, *n * size);
		array = bigger;
	}
	(*n)++;
	return array;
}
