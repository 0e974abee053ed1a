// SPDX-License-Identifier: Apache-2.0
// The face of the heap: dies on failure, wipes on free, serves jansson.
#include "lib/base/mem.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/heap/heap.h"

static NORETURN void die(void)
{
	static const char msg[] = "ampoule: out of memory: raise the memory limit\n";
	ssize_t n = write(STDERR_FILENO, msg, sizeof(msg) - 1);
	(void)n;
	_exit(EXIT_MEMORY);
}

void *mem_alloc(size_t n)
{
	void *p = heap_alloc(n ? n : 1);
	if (!p)
		die();
	return p;
}

void *mem_calloc(size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total))
		die();
	return mem_alloc(total);
}

void *mem_realloc(void *p, size_t n)
{
	if (!p)
		return mem_alloc(n);
	size_t have = heap_size(p);
	if (n <= have && n > have / 4)
		return p;
	void *q = mem_alloc(n);
	memcpy(q, p, n < have ? n : have);
	heap_free(p);
	return q;
}

void mem_free(void *p)
{
	if (p)
		heap_free(p);
}

void *mem_dup(const void *p, size_t n)
{
	void *q = mem_alloc(n);
	if (n)
		memcpy(q, p, n);
	return q;
}

char *mem_strdup(const char *s)
{
	return s ? mem_dup(s, strlen(s) + 1) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
	char *q = mem_alloc(n + 1);
	if (n)
		memcpy(q, s, n);
	return q;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *s = mem_alloc((size_t)(n < 0 ? 0 : n) + 1);
	if (n > 0)
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

void mem_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

void mem_init(bool hide)
{
	static bool done;
	if (done)
		return;
	done = true;
	json_set_alloc_funcs(mem_alloc, mem_free);
	json_object_seed(0);
	if (hide)
		mem_hide(false);
}

static struct rlimit given; // RLIMIT_CORE, while it may still be given back
static bool is_given;

void mem_hide(bool for_now)
{
	if (!is_given)
		getrlimit(RLIMIT_CORE, &given);
	is_given = true;
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, for_now ? given.rlim_max : 0 });
	prctl(PR_SET_DUMPABLE, 0);
}

void mem_core_limit(bool as_given)
{
	if (is_given && as_given)
		setrlimit(RLIMIT_CORE, &given);
	else if (is_given)
		mem_hide(true);
}

struct mem_stats mem_stats(void)
{
	struct mem_stats s;
	heap_stats(&s);
	return s;
}

void mem_trim(void)
{
	heap_trim();
}

void mem_range(uintptr_t *ret_start, uintptr_t *ret_end)
{
	heap_range(ret_start, ret_end);
}

void auto_free_(void *pp)
{
	int saved = errno;
	void *p;
	memcpy(&p, pp, sizeof(p));
	mem_free(p);
	errno = saved;
}

void auto_close_(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	errno = saved;
}
