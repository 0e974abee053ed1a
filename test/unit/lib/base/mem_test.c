// SPDX-License-Identifier: Apache-2.0
// The heap: zeroed, aligned, disjoint blocks; wiped when freed; pages given back; and what
// the program hides of itself. With the guarded heap (mem_range()) freed memory is looked at.
#include "lib/base/mem.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool guarded(void)
{
	uintptr_t start, end;
	mem_free(mem_alloc(1));
	mem_range(&start, &end);
	return start != 0;
}

static bool all(const void *p, size_t n, unsigned char byte)
{
	const unsigned char *b = p;
	for (size_t i = 0; i < n; i++)
		if (b[i] != byte)
			return false;
	return true;
}

static const size_t sizes[] = { 0,    1,    15,   16,    17,    48,    49,
				1024, 1025, 1360, 1361,  2047,  2048,  2049,
				4095, 4096, 4097, 65536, 65537, 300000 };

static void test_zeroed_and_aligned(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			void *p = mem_alloc(sizes[i]);
			assert_int_equal((uintptr_t)p % 16, 0);
			assert_true(all(p, sizes[i], 0));
			memset(p, 0xa5, sizes[i]);
			mem_free(p);
		}
	mem_free(NULL);
}

// Random allocations keep their bytes while others come and go.
static void test_disjoint(void **state)
{
	(void)state;
	enum { SLOTS = 400, ROUNDS = 20000 };
	static unsigned char *slot[SLOTS];
	static size_t len[SLOTS];
	unsigned seed = 1;
	for (int r = 0; r < ROUNDS; r++) {
		seed = seed * 1103515245 + 12345;
		size_t k = (seed >> 8) % SLOTS;
		unsigned char tag = (unsigned char)(k % 251 + 1);
		if (slot[k]) {
			assert_true(all(slot[k], len[k], tag));
			seed = seed * 1103515245 + 12345;
			if (seed & 0x10000) {
				size_t n = (seed >> 8) % 9000;
				slot[k] = mem_realloc(slot[k], n);
				assert_true(all(slot[k], n < len[k] ? n : len[k], tag));
				memset(slot[k], tag, n);
				len[k] = n;
				continue;
			}
			mem_free(slot[k]);
			slot[k] = NULL;
			continue;
		}
		len[k] = (seed >> 16) % (k % 7 == 0 ? 40000 : 900);
		slot[k] = mem_alloc(len[k]);
		assert_true(all(slot[k], len[k], 0));
		memset(slot[k], tag, len[k]);
	}
	for (size_t k = 0; k < SLOTS; k++)
		mem_free(slot[k]);
	memset(slot, 0, sizeof(slot));
}

static void test_copies(void **state)
{
	(void)state;
	AUTO_FREE char *a = mem_strdup("text");
	assert_string_equal(a, "text");
	assert_null(mem_strdup(NULL));
	AUTO_FREE char *b = mem_strndup("text", 2);
	assert_string_equal(b, "te");
	AUTO_FREE char *c = mem_strndup("", 0);
	assert_string_equal(c, "");
	AUTO_FREE char *d = mem_dup("a\0b", 4);
	assert_memory_equal(d, "a\0b", 4);
	AUTO_FREE void *none = mem_dup(NULL, 0);
	assert_non_null(none);
	AUTO_FREE char *e = mem_printf("%s-%05d", "x", 42);
	assert_string_equal(e, "x-00042");
	AUTO_FREE char *f = mem_printf("%s", "");
	assert_string_equal(f, "");
	AUTO_FREE char *big = mem_printf("%010000d", 7);
	assert_int_equal(strlen(big), 10000);
	AUTO_FREE char *grown = mem_realloc(NULL, 8);
	assert_true(all(grown, 8, 0));
	AUTO_FREE int *many = mem_calloc(10, sizeof(int));
	assert_true(all(many, 10 * sizeof(int), 0));
}

static void test_wipe(void **state)
{
	(void)state;
	char text[] = "secret";
	mem_wipe(text, sizeof(text));
	assert_true(all(text, sizeof(text), 0));
	mem_wipe(NULL, 0);
}

// Nothing of a block is left where it was, freed or moved. Only the guarded heap's memory may
// be looked at afterwards.
static void test_freed_memory_is_wiped(void **state)
{
	(void)state;
	if (!guarded())
		skip();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t n = sizes[i];
		unsigned char *p = mem_alloc(n);
		volatile unsigned char *was = p;
		memset(p, 0x5a, n);
		mem_free(p);
		size_t left = 0;
		for (size_t k = sizeof(void *); k < n && n < 65536;
		     k++) // behind the list's link
			left += was[k] == 0x5a;
		assert_int_equal(left, 0);
	}
	unsigned char *p = mem_alloc(64);
	volatile unsigned char *was = p;
	memset(p, 0x5a, 64);
	unsigned char *q = mem_realloc(p, 5000);
	assert_true(all(q, 64, 0x5a) && all(q + 64, 5000 - 64, 0));
	for (size_t k = sizeof(void *); k < 64; k++)
		assert_int_not_equal(was[k], 0x5a);
	mem_free(q);
}

static void test_stats(void **state)
{
	(void)state;
	if (!guarded())
		skip();
	struct mem_stats before = mem_stats();
	void *p = mem_alloc(100), *q = mem_alloc(1 << 20);
	struct mem_stats during = mem_stats();
	assert_true(during.in_use >= before.in_use + 100 + (1 << 20));
	assert_true(during.committed >= during.in_use);
	assert_true(during.reserved >= during.committed);
	mem_free(p);
	mem_free(q);
	mem_trim();
	assert_int_equal(mem_stats().in_use, before.in_use);
	uintptr_t start, end;
	mem_range(&start, &end);
	p = mem_alloc(5);
	assert_true((uintptr_t)p > start && (uintptr_t)p < end);
	memset(p, 1, 5);
	mem_free(p);
	void *again = mem_alloc(1 << 20);
	assert_true(all(again, 1 << 20, 0)); // after the trim too
	mem_free(again);
}

static void *churn(void *arg)
{
	unsigned char byte = *(unsigned char *)arg, *held[64] = { NULL };
	for (unsigned i = 0; i < 60000; i++) {
		unsigned char **at = &held[i * 7 % ARRAY_LEN(held)];
		size_t n = 16 + i % 37 * 8;
		if (*at && (*at)[0] != byte)
			return arg; // somebody else has it, too
		mem_free(*at);
		*at = mem_alloc(n);
		if (!all(*at, n, 0))
			return arg;
		memset(*at, byte, n);
	}
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		mem_free(held[i]);
	return NULL;
}

// libcurl's resolver is a thread, and takes its memory here.
static void test_threads(void **state)
{
	(void)state;
	unsigned char bytes[] = { 1, 2, 3 };
	pthread_t threads[ARRAY_LEN(bytes)];
	struct mem_stats before = mem_stats();
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, &bytes[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *fault = bytes;
		assert_int_equal(pthread_join(threads[i], &fault), 0);
		assert_null(fault);
	}
	if (guarded())
		assert_int_equal(mem_stats().in_use, before.in_use);
}

// A long life of large and small blocks must not grow the heap.
static void test_reuse(void **state)
{
	(void)state;
	if (!guarded())
		skip();
	size_t committed = 0;
	for (int r = 0; r < 2000; r++) {
		void *a[20];
		for (size_t i = 0; i < ARRAY_LEN(a); i++)
			a[i] = mem_alloc((size_t)(r * 37 + (int)i * 911) % 70000);
		for (size_t i = 0; i < ARRAY_LEN(a); i++)
			mem_free(a[(i * 7) % ARRAY_LEN(a)]);
		if (r == 200)
			committed = mem_stats().committed;
	}
	assert_true(mem_stats().committed <= committed + (1 << 20));
}

static int in_child(void (*f)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); // cmocka catches it
		f();
		_exit(0);
	}
	int status = 0;
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static void ask_too_much(void)
{
	close(STDERR_FILENO);
	mem_alloc((size_t)1 << 40);
}

static void ask_overflow(void)
{
	close(STDERR_FILENO);
	mem_calloc(SIZE_MAX / 2, 3);
}

static void test_out_of_memory(void **state)
{
	(void)state;
	int status = in_child(ask_overflow);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MEMORY);
	if (!guarded())
		skip(); // a sanitizer would say its own words
	status = in_child(ask_too_much);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MEMORY);
}

static void touch_guard(void)
{
	uintptr_t start, end;
	mem_range(&start, &end);
	*(volatile char *)start = 1; // the lower guard
}

static void touch_end(void)
{
	uintptr_t start, end;
	mem_range(&start, &end);
	*((volatile char *)end - 1) = 1;
}

static void test_guards(void **state)
{
	(void)state;
	if (!guarded())
		skip();
	assert_true(WIFSIGNALED(in_child(touch_guard)));
	assert_true(WIFSIGNALED(in_child(touch_end)));
}

static char *for_child;

static void look_for_secret(void)
{
	if (for_child[0] != 0)
		_exit(9);
}

// A forked child (before its exec) does not carry the secrets.
static void test_wiped_on_fork(void **state)
{
	(void)state;
	if (!guarded())
		skip();
	for_child = mem_strdup("secret");
	int status = in_child(look_for_secret);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	mem_free(TAKE(for_child));
}

static void hide(void)
{
	struct rlimit core;
	mem_init(true);
	getrlimit(RLIMIT_CORE, &core);
	if (core.rlim_cur != 0 || core.rlim_max != 0 || prctl(PR_GET_DUMPABLE) != 0)
		_exit(9);
	json_t *j = json_string("x"); // jansson is on our heap now
	uintptr_t start, end;
	mem_range(&start, &end);
	if (start && ((uintptr_t)json_string_value(j) < start ||
		      (uintptr_t)json_string_value(j) >= end))
		_exit(8);
	json_decref(j);
}

static void test_init_hides(void **state)
{
	(void)state;
	int status = in_child(hide);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void hide_for_now(void)
{
	struct rlimit given = { 4096, 8192 }, core;
	setrlimit(RLIMIT_CORE, &given);
	mem_hide(true);
	getrlimit(RLIMIT_CORE, &core);
	if (core.rlim_cur != 0 || core.rlim_max != 8192 || prctl(PR_GET_DUMPABLE) != 0)
		_exit(1);
	mem_core_limit(true);
	getrlimit(RLIMIT_CORE, &core);
	if (core.rlim_cur != 4096 || core.rlim_max != 8192)
		_exit(2);
	mem_core_limit(false);
	mem_hide(false);
	getrlimit(RLIMIT_CORE, &core);
	if (core.rlim_cur != 0 || core.rlim_max != 0)
		_exit(3);
}

static void test_core_limit_can_be_given_back(void **state)
{
	(void)state;
	int status = in_child(hide_for_now);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_auto_keeps_errno(void **state)
{
	(void)state;
	errno = ENOENT;
	{
		AUTO_CLOSE int fd = dup(0);
		AUTO_FREE char *p = mem_alloc(1);
		(void)fd;
		(void)p;
		errno = EPERM;
	}
	assert_int_equal(errno, EPERM);
	{
		AUTO_FREE char *p = mem_strdup("x");
		char *taken = TAKE(p);
		assert_null(p);
		mem_free(taken);
		AUTO_CLOSE int fd = -1;
		int none = TAKE_FD(fd);
		assert_int_equal(none, -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_disjoint),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_freed_memory_is_wiped),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_guards),
		cmocka_unit_test(test_wiped_on_fork),
		cmocka_unit_test(test_init_hides),
		cmocka_unit_test(test_core_limit_can_be_given_back),
		cmocka_unit_test(test_auto_keeps_errno),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
