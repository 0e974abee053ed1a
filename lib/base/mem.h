// SPDX-License-Identifier: Apache-2.0
// The one heap of the program: a guarded, wiping arena that never reaches a core dump, a
// forked child or (when the limit allows) the swap.
//
// Every allocation of ours, of jansson, of libcurl and of the TLS library comes from here,
// so that the question "where can a secret lie?" has one answer. A block is wiped when it
// is freed or moved. Blocks of up to 2 KiB come from size classes (a pop and a push, which
// beats musl's malloc three times on JSON), larger ones from page runs, whose pages go back
// to the kernel when freed.
//
// A failed allocation ends the process with one line and EXIT_MEMORY (design.md section 8):
// no function here returns NULL. Safe to call from libcurl's resolver thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/auto.h"

enum { EXIT_MEMORY = 70 };

// Zeroed memory of n bytes (n may be 0). The caller owns it; mem_free() wipes it.
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull));
// Room for n elements of size bytes, zeroed; a product that overflows ends the process.
void *mem_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
// Moves the block when it must grow, and wipes the old place. p may be NULL.
void *mem_realloc(void *p, size_t n) __attribute__((returns_nonnull));
void mem_free(void *p);

// Copies; mem_strdup(NULL) is NULL.
void *mem_dup(const void *p, size_t n) __attribute__((returns_nonnull));
char *mem_strdup(const char *s);
// The first n bytes of s as a string of their own, NUL added.
char *mem_strndup(const char *s, size_t n) __attribute__((returns_nonnull));
// A formatted string; the caller frees it.
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));

// Overwrites in a way that the compiler cannot drop.
void mem_wipe(void *p, size_t n);

// Takes the heap into use for jansson too. Called first by every main(); a second call
// does nothing. Also sets RLIMIT_CORE to 0 and PR_SET_DUMPABLE to 0 when `hide` is true
// (the agent and the sealed store's commands do).
void mem_init(bool hide);

// The same later. for_now: the hard limit stays, so that it can be given back to a program of
// the user's; mem_core_limit() does that around its start.
void mem_hide(bool for_now);
void mem_core_limit(bool as_given);

// Gives unused pages back to the kernel; for a program about to rest.
void mem_trim(void);

struct mem_stats {
	size_t reserved;  // bytes of address space
	size_t committed; // bytes of pages in use
	size_t locked;    // bytes that the kernel agreed to lock (the rest may swap)
	size_t in_use;    // bytes handed out
};
struct mem_stats mem_stats(void);

// The arena's first and last address, for the test that looks for copies outside of it.
void mem_range(uintptr_t *ret_start, uintptr_t *ret_end);
