// SPDX-License-Identifier: Apache-2.0
// What mem.c stands on; nobody else includes it. Two implementations, chosen by the build:
// guarded.c (every release) and system.c (libc's malloc, so that sanitizers and valgrind
// see each block).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/mem.h"

// Zeroed bytes, or NULL when there is no room. n > 0.
void *heap_alloc(size_t n);
// Wipes and frees. p is not NULL.
void heap_free(void *p);
// Bytes that the block really has (at least what was asked for).
size_t heap_size(const void *p);
// Gives unused pages back to the kernel.
void heap_trim(void);
void heap_stats(struct mem_stats *ret);
void heap_range(uintptr_t *ret_start, uintptr_t *ret_end);
