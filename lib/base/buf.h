// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer with a maximum. Every buffer that takes outside bytes is born with
// its limit; an append beyond it fails, leaves the buffer as it was, and is remembered
// (buf_failed), so that a series of appends may be checked once at its end.
//
// Always NUL-ended, but no function relies on the NUL: pairs are (pointer, length). It lives
// on the wiping heap. A struct buf may stand on the stack:
//
//	AUTO_BUF struct buf b = BUF_INIT(MAX_BODY);
//	buf_puts(&b, "x=");
//	if (buf_failed(&b)) …
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"

struct buf {
	char *data; // NULL until the first append; buf_str() never gives NULL
	size_t len;
	size_t cap;
	size_t max; // bytes that the content may have
	bool failed;
};

#define BUF_INIT(limit)                                                                  \
	{                                                                                \
		.max = (limit)                                                           \
	}

void buf_release(struct buf *b);
#define AUTO_BUF AUTO(buf_release)

// Appends. False when the limit is met: nothing is appended then.
bool buf_add(struct buf *b, const void *bytes, size_t len);
bool buf_puts(struct buf *b, const char *s);
bool buf_putc(struct buf *b, char c);
// One Unicode scalar value (at most 0x10ffff, which the caller has checked) as UTF-8.
bool buf_put_rune(struct buf *b, uint32_t rune);
bool buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

// Room for len more bytes behind the content (to read into); NULL beyond the limit. The
// caller adds what it wrote to b->len and calls buf_end().
char *buf_room(struct buf *b, size_t len);
void buf_end(struct buf *b);

// Whether an append has failed since the last buf_reset().
bool buf_failed(const struct buf *b);
// Empties and wipes, keeps the memory.
void buf_reset(struct buf *b);
// Cuts to len bytes and wipes the rest.
void buf_truncate(struct buf *b, size_t len);
// Gives the bytes away (never NULL); the buffer is empty afterwards. mem_free() them.
char *buf_take(struct buf *b, size_t *ret_len) __attribute__((returns_nonnull));
const char *buf_str(const struct buf *b) __attribute__((returns_nonnull));
bool buf_equal(const struct buf *a, const struct buf *b);
