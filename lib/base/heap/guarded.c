// SPDX-License-Identifier: Apache-2.0
// The guarded heap: one reserved range of addresses, inaccessible but for the pages in use,
// left out of dumps, wiped in forked children, locked as far as the limit goes.
//
// Layout: pages of 4 KiB. A page is free, part of a run (one large block), or a slab of
// equal small blocks. What is known about a page lies outside the range in `pages`, so that
// an overflow cannot reach it. Free memory is always zero (but for the link of a free small
// block), hence allocation never clears.
#include "lib/base/heap/heap.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <sys/single_threaded.h>
#endif

#ifndef MADV_DONTNEED_LOCKED // Linux 5.18
#define MADV_DONTNEED_LOCKED 24
#endif

enum {
	PAGE = 4096,
	RESERVED = 1 << 30,
	N_PAGES = RESERVED / PAGE,
	COMMIT_PAGES = 16, // mprotect and mlock2 in steps of 64 KiB
	SMALL_MAX = 2048,
	GIVE_BACK_PAGES =
		32, // a freed run from this size goes back to the kernel at once
	NONE = 0,   // page 0 is never handed out: it is the lower guard
};

enum page_kind { PAGE_FREE, PAGE_RUN, PAGE_INNER, PAGE_SLAB };

struct page {
	uint8_t kind;
	uint8_t class;       // of a slab
	uint32_t len;        // pages of a run, at its first and last page
	uint32_t next, prev; // in the list of free runs
};

struct block {
	struct block *next;
};

static const uint16_t class_size[] = { 16,  32,  48,  64,  96,   128,  192,
				       256, 384, 512, 768, 1024, 1360, 2048 };
enum { N_CLASSES = sizeof(class_size) / sizeof(class_size[0]) };

static struct {
	atomic_flag lock;
	char *base;
	struct page *pages;
	uint32_t top;       // first page never used
	uint32_t committed; // pages with access, from the base
	uint32_t free_runs; // head of the list
	bool lock_refused;
	struct block *small[N_CLASSES];
	uint8_t class_of[SMALL_MAX / 16 + 1]; // by (size + 15) / 16
	struct mem_stats stats;
} heap = { .lock = ATOMIC_FLAG_INIT };

// Hardly any program has a second thread (a resolver's): while there is none, a lock would be
// a tenth of what a review costs the webhook. The first is made by the only one, outside.
#ifdef __GLIBC__
#define alone __libc_single_threaded
#else // the linker is told to give us pthread_create() (--wrap)
static bool alone = true;
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *),
			  void *arg);

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *),
			  void *arg)
{
	alone = false;
	return __real_pthread_create(t, a, fn, arg);
}
#endif

static void lock(void)
{
	while (!alone &&
	       atomic_flag_test_and_set_explicit(&heap.lock, memory_order_acquire))
		sched_yield();
}

static void unlock(void)
{
	// Always: it costs nothing, and a thread may have ended meanwhile.
	atomic_flag_clear_explicit(&heap.lock, memory_order_release);
}

static bool reserve(void)
{
	char *base = mmap(NULL, RESERVED, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *pages = mmap(NULL, N_PAGES * sizeof(struct page), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED || pages == MAP_FAILED)
		return false;
	madvise(base, RESERVED, MADV_DONTDUMP);
	madvise(base, RESERVED, MADV_WIPEONFORK);
	madvise(base, RESERVED, MADV_NOHUGEPAGE); // a huge page would cost 2 MiB at once
	heap.base = base;
	heap.pages = pages;
	heap.top = heap.committed = 1;
	heap.stats.reserved = RESERVED;
	for (unsigned units = 0, class = 0; units < sizeof(heap.class_of); units++) {
		if (units * 16 > class_size[class])
			class ++;
		heap.class_of[units] = (uint8_t) class;
	}
	return true;
}

// Pages become accessible in steps, and each step is locked while the limit allows.
static bool commit(uint32_t until)
{
	if (until <= heap.committed)
		return true;
	uint32_t end = (until + COMMIT_PAGES - 1) / COMMIT_PAGES * COMMIT_PAGES;
	if (end >= N_PAGES) // the last page stays the upper guard
		return false;
	char *from = heap.base + (size_t)heap.committed * PAGE;
	size_t len = (size_t)(end - heap.committed) * PAGE;
	if (mprotect(from, len, PROT_READ | PROT_WRITE) != 0)
		return false;
	if (!heap.lock_refused) {
		// ONFAULT: a page costs memory only once it is touched.
		if (syscall(SYS_mlock2, from, len, 1 /* MLOCK_ONFAULT */) == 0)
			heap.stats.locked += len;
		else
			heap.lock_refused = true;
	}
	heap.committed = end;
	heap.stats.committed = (size_t)end * PAGE;
	return true;
}

static uint32_t page_of(const void *p)
{
	uintptr_t off = (uintptr_t)p - (uintptr_t)heap.base;
	assert(off < RESERVED);
	return (uint32_t)(off / PAGE);
}

static void run_mark(uint32_t first, uint32_t len, enum page_kind kind)
{
	heap.pages[first].kind = (uint8_t)kind;
	heap.pages[first].len = len;
	heap.pages[first + len - 1].len = len;
	if (len > 1)
		heap.pages[first + len - 1].kind =
			(uint8_t)(kind == PAGE_FREE ? PAGE_FREE : PAGE_INNER);
}

static void list_add(uint32_t first)
{
	heap.pages[first].prev = NONE;
	heap.pages[first].next = heap.free_runs;
	if (heap.free_runs != NONE)
		heap.pages[heap.free_runs].prev = first;
	heap.free_runs = first;
}

static void list_remove(uint32_t first)
{
	struct page *p = &heap.pages[first];
	if (p->prev != NONE)
		heap.pages[p->prev].next = p->next;
	else
		heap.free_runs = p->next;
	if (p->next != NONE)
		heap.pages[p->next].prev = p->prev;
}

// The smallest free run that fits, else fresh pages at the top.
static uint32_t run_take(uint32_t len, enum page_kind kind)
{
	uint32_t best = NONE;
	for (uint32_t i = heap.free_runs; i != NONE; i = heap.pages[i].next) {
		if (heap.pages[i].len >= len &&
		    (best == NONE || heap.pages[i].len < heap.pages[best].len))
			best = i;
		if (best != NONE && heap.pages[best].len == len)
			break;
	}
	if (best == NONE) {
		if (len > N_PAGES || !commit(heap.top + len))
			return NONE;
		best = heap.top;
		heap.top += len;
	} else {
		uint32_t have = heap.pages[best].len;
		list_remove(best);
		if (have > len) {
			run_mark(best + len, have - len, PAGE_FREE);
			list_add(best + len);
		}
	}
	run_mark(best, len, kind);
	return best;
}

static void give_back(uint32_t first, uint32_t len)
{
	char *at = heap.base + (size_t)first * PAGE;
	size_t n = (size_t)len * PAGE;
	if (madvise(at, n, MADV_DONTNEED_LOCKED) != 0 &&
	    madvise(at, n, MADV_DONTNEED) != 0)
		mem_wipe(at, n);
}

static void run_release(uint32_t first)
{
	uint32_t len = heap.pages[first].len;
	if (len >= GIVE_BACK_PAGES)
		give_back(first, len);
	else
		mem_wipe(heap.base + (size_t)first * PAGE, (size_t)len * PAGE);
	if (first + len < heap.top && heap.pages[first + len].kind == PAGE_FREE) {
		list_remove(first + len);
		len += heap.pages[first + len].len;
	}
	if (first > 1 && heap.pages[first - 1].kind == PAGE_FREE) {
		uint32_t before = heap.pages[first - 1].len;
		first -= before;
		len += before;
		list_remove(first);
	}
	run_mark(first, len, PAGE_FREE);
	list_add(first);
}

static bool slab_add(unsigned class)
{
	uint32_t page = run_take(1, PAGE_SLAB);
	if (page == NONE)
		return false;
	heap.pages[page].class = (uint8_t) class;
	char *at = heap.base + (size_t)page * PAGE;
	for (size_t n = PAGE / class_size[class]; n > 0; n--) {
		struct block *b =
			(struct block *)(void *)(at + (n - 1) * class_size[class]);
		b->next = heap.small[class];
		heap.small[class] = b;
	}
	return true;
}

static void *small_take(size_t n)
{
	unsigned class = heap.class_of[(n + 15) / 16];
	if (!heap.small[class] && !slab_add(class))
		return NULL;
	struct block *b = heap.small[class];
	heap.small[class] = b->next;
	b->next = NULL;
	heap.stats.in_use += class_size[class];
	return b;
}

static void *large_take(size_t n)
{
	if (n > RESERVED)
		return NULL;
	uint32_t len = (uint32_t)((n + PAGE - 1) / PAGE);
	uint32_t first = run_take(len, PAGE_RUN);
	if (first == NONE)
		return NULL;
	heap.stats.in_use += (size_t)len * PAGE;
	return heap.base + (size_t)first * PAGE;
}

void *heap_alloc(size_t n)
{
	lock();
	void *p = NULL;
	if (heap.base || reserve())
		p = n <= SMALL_MAX ? small_take(n) : large_take(n);
	unlock();
	return p;
}

static size_t block_size(const void *p)
{
	const struct page *page = &heap.pages[page_of(p)];
	assert(page->kind == PAGE_SLAB || page->kind == PAGE_RUN);
	return page->kind == PAGE_SLAB ? class_size[page->class]
				       : (size_t)page->len * PAGE;
}

size_t heap_size(const void *p)
{
	lock();
	size_t n = block_size(p);
	unlock();
	return n;
}

typedef uint64_t pair __attribute__((vector_size(16)));

// Most blocks are smaller than what a call of memset costs; each has a multiple of 16 bytes.
static void small_free(void *p, unsigned class)
{
	struct block *b = p;
	volatile pair *at = p;
	for (size_t n = class_size[class] / sizeof(*at); n > 0; n--)
		*at++ = (pair){ 0 };
	b->next = heap.small[class];
	heap.small[class] = b;
	heap.stats.in_use -= class_size[class];
}

void heap_free(void *p)
{
	lock();
	uint32_t at = page_of(p);
	const struct page *page = &heap.pages[at];
	assert(page->kind == PAGE_SLAB || page->kind == PAGE_RUN);
	if (page->kind == PAGE_SLAB) {
		small_free(p, page->class);
	} else {
		heap.stats.in_use -= (size_t)page->len * PAGE;
		run_release(at);
	}
	unlock();
}

void heap_trim(void)
{
	lock();
	for (uint32_t i = heap.free_runs; i != NONE; i = heap.pages[i].next)
		give_back(i, heap.pages[i].len);
	unlock();
}

void heap_stats(struct mem_stats *ret)
{
	lock();
	*ret = heap.stats;
	unlock();
}

void heap_range(uintptr_t *ret_start, uintptr_t *ret_end)
{
	*ret_start = (uintptr_t)heap.base;
	*ret_end = heap.base ? (uintptr_t)heap.base + RESERVED : 0;
}
