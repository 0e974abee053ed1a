// SPDX-License-Identifier: Apache-2.0
// How soon what failed is tried again, against the promises that rest on it.
#include "agent/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/clock_fake.h"

// What a fault of that length costs on top of it, at worst.
static const struct {
	int64_t fault_ms, more_ms;
} promises[] = { { 1000, 600 }, { 10000, 1500 }, { 20000, 2500 }, { 600000, 6900 } };

static void test_promises(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++)
		for (uint64_t seed = 1; seed < 50; seed++) {
			struct pace p = { .seed = seed };
			int64_t at = 0;
			clock_fake_set(1000000, 0);
			while (at <= promises[i].fault_ms) {
				int64_t delay = pace_next(&p);
				at += delay;
				clock_fake_advance(delay);
			}
			assert_true(at - promises[i].fault_ms <= promises[i].more_ms);
		}
}

static void test_at_most_nine_a_minute_in_the_long_run(void **state)
{
	struct pace p = { .seed = 1 };
	(void)state;
	clock_fake_set(1000000, 0);
	pace_next(&p);
	clock_fake_advance(60000);
	for (int i = 0; i < 1000; i++)
		assert_in_range(pace_next(&p), 6667, 6900);
	pace_reset(&p);
	assert_in_range(pace_next(&p), 100, 250); // another fault is young again
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_promises),
		cmocka_unit_test(test_at_most_nine_a_minute_in_the_long_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
