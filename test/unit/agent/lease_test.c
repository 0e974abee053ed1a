// SPDX-License-Identifier: Apache-2.0
// Lease arithmetic: each rule of design.md section 4.6 as a row.
#include "agent/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	const char *what;
	struct lease_terms terms;
	enum lease_act act;
	int64_t from_ms, to_ms;
} plans[] = {
	{ "renewed at two thirds, less a tenth",
	  { 60000, 60000, true, 0 },
	  LEASE_RENEW,
	  36180,
	  40200 },
	{ "not renewable: fetched at nine tenths",
	  { 600000, 600000, false, 0 },
	  LEASE_FETCH,
	  486000,
	  540000 },
	{ "not renewable and shorter: 45 s are left",
	  { 120000, 120000, false, 0 },
	  LEASE_FETCH,
	  67500,
	  75000 },
	{ "not renewable and short: two fifths are left",
	  { 60000, 60000, false, 0 },
	  LEASE_FETCH,
	  32400,
	  36000 },
	{ "a renewal that gave less is the last",
	  { 50000, 60000, true, 0 },
	  LEASE_FETCH,
	  27000,
	  30000 },
	{ "a renewal that gave much less: there is no time to lose",
	  { 30000, 60000, true, 0 },
	  LEASE_FETCH,
	  1000,
	  1000 },
	{ "a part of the user's: renewed then",
	  { 60000, 60000, true, 50 },
	  LEASE_RENEW,
	  27000,
	  30000 },
	{ "a part of the user's: fetched then",
	  { 60000, 60000, false, 80 },
	  LEASE_FETCH,
	  43200,
	  48000 },
	{ "a second less is rounding",
	  { 9000, 10000, true, 0 },
	  LEASE_RENEW,
	  5400,
	  6030 },
	{ "never more often than each second",
	  { 100, 100, true, 0 },
	  LEASE_RENEW,
	  1000,
	  1000 },
	{ "zero is not a storm", { 0, 0, false, 0 }, LEASE_FETCH, 1000, 1000 },
	{ "the largest does not overflow",
	  { INT64_MAX, INT64_MAX, true, 0 },
	  LEASE_RENEW,
	  INT64_MAX / 100 * 60,
	  INT64_MAX / 100 * 68 },
};

static void test_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		for (uint64_t seed = 1; seed < 200; seed++) {
			uint64_t s = seed;
			int64_t delay;
			if (lease_plan(&plans[i].terms, &s, &delay) != plans[i].act ||
			    delay < plans[i].from_ms || delay > plans[i].to_ms)
				fail_msg("%s: %lld ms", plans[i].what, (long long)delay);
		}
}

static void test_jitter_spreads(void **state)
{
	int64_t least = INT64_MAX, most = 0;
	(void)state;
	for (uint64_t seed = 1; seed < 1000; seed++) {
		uint64_t s = seed * 7919;
		int64_t delay = lease_poll(300000, &s);
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	assert_in_range(least, 270000, 272000);
	assert_in_range(most, 298000, 300000);
}

static void test_after_failure(void **state)
{
	static const struct {
		int64_t left, from, to;
		enum lease_act act;
	} rows[] = {
		{ 60000, 27000, 30000, LEASE_RENEW }, // half of what is left
		{ 3000, 1350, 1500, LEASE_RENEW },
		{ 1500, 1000, 1000, LEASE_RENEW }, // not in a hurry
		{ 1000, 0, 0, LEASE_FETCH },       // it ends: a new one
		{ -5, 0, 0, LEASE_FETCH },
		{ 86400000, 270000, 300000, LEASE_RENEW },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (uint64_t seed = 1; seed < 100; seed++) {
			uint64_t s = seed;
			int64_t delay;
			assert_int_equal(lease_after_failure(rows[i].left, &s, &delay),
					 rows[i].act);
			assert_in_range(delay, rows[i].from, rows[i].to);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_jitter_spreads),
		cmocka_unit_test(test_after_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
