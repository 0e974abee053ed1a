// SPDX-License-Identifier: Apache-2.0
// Memory of one parse or one run: bump allocation on the wiping heap, freed (and wiped) as
// a whole. What lies here needs no owner and no clean-up of its own.
//
// An arena has a maximum. Beyond it allocations still succeed, so that no caller has to
// check, but arena_over() turns true; the evaluator asks at each step and ends the run, and
// single allocations are bounded by the limit of the output.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"
#include "lib/base/buf.h"

struct arena {
	struct arena_chunk *chunks; // the newest first
	char *free, *end;
	size_t used, max;
};

#define ARENA_INIT(limit)                                                                \
	{                                                                                \
		.max = (limit)                                                           \
	}

void arena_release(struct arena *a);
#define AUTO_ARENA AUTO(arena_release)

// Zeroed memory, aligned for any of our types.
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
// n elements; the product must not overflow (it ends the process).
void *arena_calloc(struct arena *a, size_t n, size_t size)
	__attribute__((returns_nonnull));
// A copy with a NUL added.
char *arena_dup(struct arena *a, const char *p, size_t len)
	__attribute__((returns_nonnull));
// A larger place for an array that grows: copies `n` elements to room for `cap`.
void *arena_grow(struct arena *a, const void *p, size_t n, size_t cap, size_t size)
	__attribute__((returns_nonnull));
bool arena_over(const struct arena *a);
