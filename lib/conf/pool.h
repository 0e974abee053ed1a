// SPDX-License-Identifier: Apache-2.0
// Memory that lives as long as one configuration: handed out in pieces, freed (and wiped)
// as a whole. Trees, strings and arrays of a struct conf lie here.
#pragma once

#include <stddef.h>

#include "lib/base/auto.h"

struct pool_block;

struct pool {
	struct pool_block *blocks; // newest first
	size_t left;               // bytes free in the newest
};

void pool_release(struct pool *p);
#define AUTO_POOL AUTO(pool_release)

// Zeroed and aligned for any type.
void *pool_alloc(struct pool *p, size_t n) __attribute__((returns_nonnull));
// The first len bytes of s, NUL added.
char *pool_strndup(struct pool *p, const char *s, size_t len)
	__attribute__((returns_nonnull));
char *pool_strdup(struct pool *p, const char *s); // NULL for NULL
char *pool_printf(struct pool *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

// Room for one more element of `size` bytes behind the *n of `array`, which may move.
// Returns the array; the new element is zeroed and counted.
void *pool_append(struct pool *p, void *array, size_t *n, size_t size)
	__attribute__((returns_nonnull));
