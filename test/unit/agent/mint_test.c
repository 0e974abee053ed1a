// SPDX-License-Identifier: Apache-2.0
// How often a credential may be made.
#include "agent/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

enum { NOW = 1000000, LEASE = 60000, THIRD = 20000 };

static bool attempt(struct mint *m, int64_t now)
{
	if (mint_wait(m, now, LEASE) > 0)
		return false;
	mint_take(m, now, LEASE);
	return true;
}

static void two_at_once_then_one_a_third(void **t)
{
	(void)t;
	struct mint m = { 0 };
	unsigned made = 0;
	for (int64_t ms = 0; ms < 10 * LEASE; ms += 10) // tried a hundred times a second
		made += attempt(&m, NOW + ms);
	assert_int_equal(made, 2 + 10 * 3 - 1);
	assert_true(mint_wait(&m, NOW + 10 * LEASE, LEASE) <= THIRD);
}

static void the_wait_is_exact(void **t)
{
	(void)t;
	struct mint m = { 0 };
	assert_true(attempt(&m, NOW) && attempt(&m, NOW));
	assert_int_equal(mint_wait(&m, NOW, LEASE), THIRD);
	assert_int_equal(mint_wait(&m, NOW + THIRD - 1, LEASE), 1);
	assert_true(attempt(&m, NOW + THIRD));
}

static void what_was_refused_does_not_count(void **t)
{
	(void)t;
	struct mint m = { 0 };
	for (int i = 0; i < 100; i++) {
		assert_true(attempt(&m, NOW + i));
		mint_give_back(&m, LEASE);
	}
}

static void it_fills_up_again_and_no_further(void **t)
{
	(void)t;
	struct mint m = { 0 };
	while (attempt(&m, NOW))
		;
	assert_true(attempt(&m, NOW + 100 * LEASE) && attempt(&m, NOW + 100 * LEASE));
	assert_false(attempt(&m, NOW + 100 * LEASE));
}

static void periods_have_bounds(void **t)
{
	(void)t;
	static const int64_t leases[][2] = {
		{ 0, 5000 }, { 1000, 5000 }, { 60000, 20000 }, { INT64_MAX, 600000 }
	};
	for (size_t i = 0; i < sizeof(leases) / sizeof(leases[0]); i++) {
		struct mint m = { 0 };
		mint_take(&m, NOW, leases[i][0]);
		mint_take(&m, NOW, leases[i][0]);
		assert_int_equal(mint_wait(&m, NOW, leases[i][0]), leases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_at_once_then_one_a_third),
		cmocka_unit_test(the_wait_is_exact),
		cmocka_unit_test(what_was_refused_does_not_count),
		cmocka_unit_test(it_fills_up_again_and_no_further),
		cmocka_unit_test(periods_have_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
