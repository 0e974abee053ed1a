// SPDX-License-Identifier: Apache-2.0
// Dates and Retry-After. Expected times are those of `date -u -d … +%s`.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/auto.h"
#include "lib/http/client.h"
#include "lib/http/date.h"

#define NOW 1795237200000 // 2026-11-21T05:00:00Z

static void test_dates(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds; // -1: no date
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Wed Nov 16 08:49:37 1994", 784975777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Tue, 29 Feb 2000 23:59:59 GMT", 951868799 },
		{ "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },  // a leap second
		{ "Sunday, 06-Nov-76 08:49:37 GMT", 3371878177 }, // 2076: 50 years ahead
		{ "Sunday, 06-Nov-77 08:49:37 GMT", 247654177 },  // 1977
		{ "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },   // not a Monday
		{ "", -1 },
		{ "Sun", -1 },
		{ "Sun,", -1 },
		{ "Sunday", -1 },
		{ "sun, 06 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 +0100", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
		{ "Sun, 06 Nov 1994 08:49:37", -1 },
		{ "Sun, 06 Nov 1994 24:00:00 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:60:00 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:61 GMT", -1 },
		{ "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 31 Nov 1994 08:49:37 GMT", -1 },
		{ "Thu, 29 Feb 2023 00:00:00 GMT", -1 },
		{ "Thu, 29 Feb 1900 00:00:00 GMT", -1 },
		{ "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT, Mon", -1 },
		{ "Sun Nov 06 08:49:37 1994 GMT", -1 },
		{ "1994-11-06T08:49:37Z", -1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = -1000;
		bool ok = http_date_parse(cases[i].text, NOW, &got);
		if (ok != (cases[i].seconds >= 0) ||
		    (ok && got != cases[i].seconds * 1000))
			fail_msg("'%s': %d %lld", cases[i].text, ok, (long long)got);
	}
}

// Every day of 400 years, against the C library.
static void test_every_day(void **state)
{
	(void)state;
	for (time_t day = 0; day < 146097 + 1; day++) {
		time_t at = day * 86400 + 4711;
		struct tm tm;
		char text[64];
		int64_t got = 0;
		gmtime_r(&at, &tm);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_true(http_date_parse(text, NOW, &got));
		assert_int_equal(got, (int64_t)at * 1000);
		char written[HTTP_DATE_LEN];
		http_date_write((int64_t)at * 1000, written);
		assert_string_equal(written, text);
		assert_true(http_date_read(text, &got));
		assert_int_equal(got, (int64_t)at * 1000);
	}
}

static void test_only_that_form(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "Sat, 21 Nov 2026 05:00:00 GM",
					   "Sat, 21 Nov 2026 05:00:00 GMT ",
					   "Sat, 21 Nuv 2026 05:00:00 GMT",
					   "Sat, 30 Feb 2026 05:00:00 GMT",
					   "Sat, 21 Nov 2026 25:00:00 GMT",
					   "Sat, xx Nov 2026 05:00:00 GMT" };
	int64_t got;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (http_date_read(bad[i], &got))
			fail_msg("accepted '%s'", bad[i]);
}

static void test_retry_after(void **state)
{
	(void)state;
	static const char at_5[] = "Sat, 21 Nov 2026 05:00:00 GMT";
	static const struct {
		const char *value, *date;
		int64_t ms;
	} cases[] = {
		{ NULL, NULL, 0 },
		{ "", NULL, 0 },
		{ "0", NULL, 0 },
		{ "1", NULL, 1000 },
		{ "120", at_5, 120000 },
		{ "3600", NULL, 3600000 },
		{ "3601", NULL, 3600000 },
		{ "1000000000", NULL, 3600000 },
		{ "99999999999999999999999999", NULL, 3600000 },
		{ "00000000000000000000000007", NULL, 7000 },
		{ "-1", NULL, 0 },
		{ "+1", NULL, 0 },
		{ "1s", NULL, 0 },
		{ "1.5", NULL, 0 },
		{ "soon", NULL, 0 },
		{ "Sat, 21 Nov 2026 05:00:30 GMT", NULL, 30000 },
		{ "Sat, 21 Nov 2026 05:00:30 GMT", at_5, 30000 },
		{ "Sat, 21 Nov 2026 04:59:30 GMT", NULL, 0 },
		{ "Sat, 21 Nov 2026 09:00:00 GMT", NULL, 3600000 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
		  3600000 },
		// The server's clock is a year behind: its own date counts.
		{ "Fri, 21 Nov 2025 05:00:10 GMT", "Fri, 21 Nov 2025 05:00:00 GMT",
		  10000 },
		{ "Sat, 21 Nov 2026 05:00:30 GMT", "nonsense", 30000 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = http_retry_after_ms(cases[i].value, cases[i].date, NOW);
		if (got != cases[i].ms)
			fail_msg("case %zu: %lld", i, (long long)got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_only_that_form),
		cmocka_unit_test(test_retry_after),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
