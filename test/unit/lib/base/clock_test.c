// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"

static void test_times_are_read_as_servers_write_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-21T04:36:05Z", 1795235765000 },
		{ "2026-11-21T04:36:05.123456789Z", 1795235765123 },
		{ "2026-11-21T05:36:05.5+01:00", 1795235765500 },
		{ "2026-11-20T23:06:05-05:30", 1795235765000 },
		{ "2024-02-29T23:59:60Z", 1709251200000 }, // a leap second
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		int64_t ms = -1;
		assert_true(clock_rfc3339_parse(good[i].text, &ms));
		assert_int_equal(ms, good[i].ms);
	}
}

static void test_what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"now",
		"2026-11-21",
		"2026-11-21 04:36:05Z",
		"2026-11-21T04:36:05",
		"2026-13-21T04:36:05Z",
		"2026-11-32T04:36:05Z",
		"2026-02-29T04:36:05Z",
		"2026-02-30T04:36:05Z",
		"2026-04-31T04:36:05Z",
		"2026-11-21T24:36:05Z",
		"2026-11-21T04:36:05Zx",
		"2026-11-21T04:36:05+1:00",
		"2026-11-21T04:36:05+01",
		"-026-11-21T04:36:05Z",
		"0001-01-01T00:00:00Z", // Go's way to say never
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t ms = 7;
		assert_false(clock_rfc3339_parse(bad[i], &ms));
		assert_int_equal(ms, 7);
	}
}

static void test_what_is_written_can_be_read(void **state)
{
	char text[CLOCK_RFC3339_LEN];
	int64_t ms = 0;
	(void)state;
	clock_rfc3339(1795235765123, text);
	assert_string_equal(text, "2026-11-21T04:36:05.123Z");
	assert_true(clock_rfc3339_parse(text, &ms));
	assert_int_equal(ms, 1795235765123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_are_read_as_servers_write_them),
		cmocka_unit_test(test_what_is_no_time_is_refused),
		cmocka_unit_test(test_what_is_written_can_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
