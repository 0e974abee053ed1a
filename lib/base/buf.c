// SPDX-License-Identifier: Apache-2.0
// The growing buffer. Growth doubles, and the old place is wiped by mem_realloc().
#include "lib/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"

enum { BUF_FIRST = 64 };

void buf_release(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){ .max = b->max };
}

char *buf_room(struct buf *b, size_t len)
{
	assert(b->len <= b->max);
	if (len > b->max - b->len) {
		b->failed = true;
		return NULL;
	}
	size_t need = b->len + len + 1;
	if (need > b->cap) {
		size_t cap = b->cap ? b->cap : BUF_FIRST;
		while (cap < need)
			cap *= 2;
		b->data = mem_realloc(b->data, cap);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_end(struct buf *b)
{
	assert(b->len < b->cap);
	b->data[b->len] = '\0';
}

bool buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *to = buf_room(b, len);
	if (!to)
		return false;
	if (len)
		memcpy(to, bytes, len);
	b->len += len;
	buf_end(b);
	return true;
}

bool buf_puts(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_putc(struct buf *b, char c)
{
	if (b->cap - b->len < 2 || b->len >= b->max)
		return buf_add(b, &c, 1);
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
	return true;
}

bool buf_put_rune(struct buf *b, uint32_t rune)
{
	char bytes[4];
	size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; rune >>= 6)
		bytes[i] = (char)(0x80 | (rune & 0x3f));
	bytes[0] = (char)(n == 1 ? rune : (0xf00u >> n & 0xff) | rune);
	return buf_add(b, bytes, n);
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *to = n < 0 ? NULL : buf_room(b, (size_t)n);
	if (to) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	return to != NULL;
}

bool buf_failed(const struct buf *b)
{
	return b->failed;
}

void buf_reset(struct buf *b)
{
	buf_truncate(b, 0);
	b->failed = false;
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	mem_wipe(b->data + len, b->len - len);
	b->len = len;
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	if (ret_len)
		*ret_len = b->len;
	char *data = b->data ? b->data : mem_alloc(1);
	*b = (struct buf){ .max = b->max };
	return data;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

bool buf_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}
