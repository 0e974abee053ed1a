// SPDX-License-Identifier: Apache-2.0
// Delays double up to their maximum, less a random part; they never leave these bounds.
#include "lib/base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_doubles(void **state)
{
	(void)state;
	struct backoff b = { .min_ms = 1000, .max_ms = 300000 };
	int64_t full = 1000;
	for (int i = 0; i < 40; i++) {
		int64_t delay = backoff_next(&b);
		assert_true(delay <= full);
		assert_true(delay >= full - full / 4);
		full = full * 2 > 300000 ? 300000 : full * 2;
	}
	backoff_reset(&b);
	assert_true(backoff_next(&b) <= 1000);
	assert_int_equal(b.tries, 1);
}

static void test_bounds(void **state)
{
	(void)state;
	static const struct backoff cases[] = {
		{ .min_ms = 0, .max_ms = 0 },
		{ .min_ms = 0, .max_ms = 1000 },
		{ .min_ms = 1, .max_ms = 1 },
		{ .min_ms = 5000, .max_ms = 1000 },
		{ .min_ms = 1, .max_ms = INT64_MAX / 128 },
		{ .min_ms = INT64_MAX / 200, .max_ms = INT64_MAX / 128 },
		{ .min_ms = 1, .max_ms = 10, .tries = UINT32_MAX },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backoff b = cases[i];
		for (int k = 0; k < 200; k++) {
			int64_t delay = backoff_next(&b);
			assert_true(delay >= 0 && delay <= b.max_ms);
		}
	}
}

// Two agents with the same settings do not come back together.
static void test_spread(void **state)
{
	(void)state;
	struct backoff a = { .min_ms = 100000, .max_ms = 100000 };
	struct backoff b = a;
	int same = 0;
	for (int i = 0; i < 100; i++)
		same += backoff_next(&a) == backoff_next(&b);
	assert_true(same < 10);
	assert_true(a.seed != 0 && a.seed != b.seed);
}

static void test_random(void **state)
{
	(void)state;
	uint64_t seed = 42, again = 42;
	unsigned hits[10] = { 0 };
	for (int i = 0; i < 10000; i++) {
		uint64_t r = backoff_random(&seed, 10);
		assert_true(r < 10);
		hits[r]++;
		assert_int_equal(r, backoff_random(&again, 10));
	}
	for (int i = 0; i < 10; i++)
		assert_true(hits[i] > 800 && hits[i] < 1200);
	assert_int_equal(backoff_random(&seed, 1), 0);
}

static void test_jitter(void **state)
{
	(void)state;
	uint64_t seed = 7;
	int64_t least = 1000, most = 0;
	for (int i = 0; i < 10000; i++) {
		int64_t j = backoff_jitter(&seed, 1000, 10);
		least = j < least ? j : least;
		most = j > most ? j : most;
	}
	assert_int_equal(least, 900);
	assert_int_equal(most, 1000);
	assert_int_equal(backoff_jitter(&seed, 1000, 0), 1000);
	assert_int_equal(backoff_jitter(&seed, 0, 100), 0);
	for (int i = 0; i < 1000; i++)
		assert_true(backoff_jitter(&seed, 5, 100) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_spread),  cmocka_unit_test(test_random),
		cmocka_unit_test(test_jitter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
