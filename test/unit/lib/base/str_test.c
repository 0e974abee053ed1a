// SPDX-License-Identifier: Apache-2.0
// Slices and the strict parsers, as tables of accepted and refused forms.
#include "lib/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/auto.h"

static void test_slices(void **state)
{
	(void)state;
	assert_true(str_eq(str_of("abc"), "abc"));
	assert_false(str_eq(str_of("abc"), "ab"));
	assert_false(str_eq(str_of("ab"), "abc"));
	assert_true(str_eq(str_of(NULL), ""));
	assert_true(str_eq((struct str){ NULL, 0 }, ""));
	assert_true(str_starts("vault:kv", "vault:"));
	assert_false(str_starts("vau", "vault"));
	assert_true(str_ends("a.hcl", ".hcl"));
	assert_false(str_ends("hcl", ".hcl"));
	assert_true(str_eq(str_trim(str_of(" \t\r\n a b \n")), "a b"));
	assert_true(str_eq(str_trim(str_of(" \n ")), ""));
	assert_true(str_eq(str_trim(str_of("\v")), "\v"));
}

static void test_next(void **state)
{
	(void)state;
	struct str rest = str_of("a,,b"), part = { 0 };
	assert_true(str_next(&rest, ',', &part) && str_eq(part, "a"));
	assert_true(str_next(&rest, ',', &part) && str_eq(part, ""));
	assert_true(str_next(&rest, ',', &part) && str_eq(part, "b"));
	assert_false(str_next(&rest, ',', &part));
	rest = str_of("");
	assert_false(str_next(&rest, ',', &part));
	rest = str_of("a,");
	assert_true(str_next(&rest, ',', &part) && str_eq(part, "a"));
	assert_false(str_next(&rest, ',', &part));
	rest = str_of(",");
	assert_true(str_next(&rest, ',', &part) && str_eq(part, ""));
	assert_false(str_next(&rest, ',', &part));
}

static void test_glob(void **state)
{
	(void)state;
	assert_true(str_glob("", ""));
	assert_false(str_glob("", "a"));
	assert_true(str_glob("*", ""));
	assert_true(str_glob("a?c", "abc"));
	assert_false(str_glob("a?c", "ac"));
	assert_true(str_glob("vault:kv/*/db", "vault:kv/a/b/db"));
	assert_false(str_glob("vault:kv/*/db", "vault:kv/a/b/dbx"));
	assert_true(str_glob("*ab*ab", "abxabab"));
	assert_false(str_glob("*ab*ab", "abxaba"));
	assert_false(str_glob("[a]", "a"));
	char many[4096] = "";
	memset(many, 'a', sizeof(many) - 1);
	assert_false(str_glob("a*a*a*a*a*a*a*a*a*a*a*a*b", many)); // in no time
}

static void test_utf8(void **state)
{
	(void)state;
	static const char *const good[] = {
		"",
		"a",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"a\xe2\x82\xac"
		"b",
	};
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2"
		"a",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xe2\x82",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xf0\x90\x80",
		"\xe2\x82"
		"a",
		"\xf0\x90\x80"
		"a",
		"\xf0\x90"
		"a\x80",
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!str_valid_utf8(good[i], strlen(good[i])))
			fail_msg("good %zu", i);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (str_valid_utf8(bad[i], strlen(bad[i])))
			fail_msg("bad %zu", i);
	assert_true(str_valid_utf8("a\0b", 3));
}

static void test_int64(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t value;
	} good[] = { { "0", 0 },
		     { "-0", 0 },
		     { "42", 42 },
		     { "007", 7 },
		     { "-1", -1 },
		     { "9223372036854775807", INT64_MAX },
		     { "-9223372036854775808", INT64_MIN } };
	static const char *const bad[] = { "",
					   "-",
					   "--1",
					   "+1",
					   " 1",
					   "1 ",
					   "0x1",
					   "1.0",
					   "1e3",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "99999999999999999999999",
					   "one" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		int64_t v = 99;
		struct err e = ERR_INIT;
		assert_true(str_int64(good[i].text, &v, &e));
		assert_true(v == good[i].value);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t v = 99;
		struct err e = ERR_INIT;
		if (str_int64(bad[i], &v, &e))
			fail_msg("accepted '%s'", bad[i]);
		assert_int_equal(v, 99);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_non_null(strstr(e.text, "decimal digits"));
	}
}

static void test_uint64(void **state)
{
	(void)state;
	uint64_t v = 99;
	assert_true(str_uint64("18446744073709551615", &v, NULL));
	assert_true(v == UINT64_MAX);
	assert_true(str_uint64("0", &v, NULL) && v == 0);
	static const char *const bad[] = { "",      "-1", "+1", "18446744073709551616",
					   "1_000", "1k" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (str_uint64(bad[i], &v, NULL))
			fail_msg("accepted '%s'", bad[i]);
}

static void test_double(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} good[] = { { "0", 0 },      { "0.9", 0.9 },    { "-1.5", -1.5 },
		     { "1e6", 1e6 },  { ".5", 0.5 },     { "5.", 5 },
		     { "1E+2", 100 }, { "25e-2", 0.25 }, { "1e-400", 0 } };
	static const char *const bad[] = { "",    ".",   "-",   "e5",    "1e",
					   "1e+", "nan", "inf", "0x1p2", "+1",
					   "1,5", " 1",  "1 ",  "1e999", "1_0" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		double v = 99;
		if (!str_double(good[i].text, &v, NULL) || v != good[i].value)
			fail_msg("'%s'", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		double v = 99;
		if (str_double(bad[i], &v, NULL))
			fail_msg("accepted '%s'", bad[i]);
	}
}

static void test_bool(void **state)
{
	(void)state;
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
	static const char *const bad[] = { "",   "yes", "tRuE", " true",  "true ",
					   "on", "2",   "no",   "enabled" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		bool v = false;
		assert_true(str_bool(yes[i], &v, NULL) && v);
		assert_true(str_bool(no[i], &v, NULL) && !v);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		bool v = false;
		if (str_bool(bad[i], &v, NULL))
			fail_msg("accepted '%s'", bad[i]);
	}
}

static void test_duration(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "0", 0 },
		{ "5", 5000 },
		{ "0s", 0 },
		{ "5s", 5000 },
		{ "250ms", 250 },
		{ "5m30s", 330000 },
		{ "1.5h", 5400000 },
		{ ".5s", 500 },
		{ "1.s", 1000 },
		{ "1h0m0.25s", 3600250 },
		{ "1ns", 1 },
		{ "1us", 1 },
		{ "1500us", 2 },
		{ "2000\xc2\xb5s", 2 },
		{ "2000\xce\xbcs", 2 },
		{ "7d", 604800000 },
		{ "0.0000000019h", 1 },
		{ "0.33333333333333333333h", 1200000 },
		{ "9223372036854775807ns", 9223372036855 },
		{ "9223372036", 9223372036000 },
		{ "2562047h", 9223369200000 },
	};
	static const char *const bad[] = {
		"",
		"-1s",
		"-1",
		"+5s",
		"1e9h",
		"5m3",
		"NaN",
		"s",
		".",
		".s",
		"5 s",
		" 5s",
		"5s ",
		"5x",
		"5S",
		"5sm",
		"1..5s",
		"0x5s",
		"1.5",
		"5m 3s",
		"9223372036854775808ns",
		"2562048h",
		"9223372037",
		"99999999999999999999s",
		"9223372036s1000ms",
		"infinity",
		"5m-3s",
		"106752d",
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		int64_t v = -1;
		struct err e = ERR_INIT;
		if (!str_duration_ms(good[i].text, &v, &e) || v != good[i].ms)
			fail_msg("'%s' gave %lld: %s", good[i].text, (long long)v,
				 e.text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t v = -1;
		struct err e = ERR_INIT;
		if (str_duration_ms(bad[i], &v, &e))
			fail_msg("accepted '%s' as %lld", bad[i], (long long)v);
		assert_int_equal(v, -1);
		assert_non_null(strstr(e.text, "1h30m"));
	}
}

static void test_size(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "65536", 65536 },
		{ "64Ki", 65536 },
		{ "64KiB", 65536 },
		{ "1Mi", 1048576 },
		{ "1MB", 1000000 },
		{ "1M", 1000000 },
		{ "3k", 3000 },
		{ "3kB", 3000 },
		{ "2Gi", 2147483648 },
		{ "1T", 1000000000000 },
		{ "12B", 12 },
		{ "18446744073709551615", UINT64_MAX },
	};
	static const char *const bad[] = { "",
					   "-1",
					   "1.5Mi",
					   "1 Mi",
					   "Mi",
					   "1mi",
					   "1K i",
					   "1Pi",
					   "18446744073709551616",
					   "18446744073709551615Ki",
					   "16777216Ti",
					   "0x10",
					   "1e3",
					   "1Mib" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t v = 1;
		if (!str_size(good[i].text, &v, NULL) || v != good[i].bytes)
			fail_msg("'%s'", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t v = 1;
		if (str_size(bad[i], &v, NULL))
			fail_msg("accepted '%s'", bad[i]);
	}
}

static void test_mode(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned mode;
	} good[] = { { "0640", 0640 },  { "640", 0640 },   { "0o640", 0640 },
		     { "0O640", 0640 }, { "0", 0 },        { "0777", 0777 },
		     { "777", 0777 },   { "000400", 0400 } };
	static const char *const bad[] = {
		"",     "0o",   "0x1ff", "01000",
		"1000", "4755", "04755", "1000000",
		"0648", "649",  "-1",    "rw-r-----",
		" 640", "640 ", "6 40",  "99999999999999999999"
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		unsigned v = 1;
		if (!str_mode(good[i].text, &v, NULL) || v != good[i].mode)
			fail_msg("'%s' gave %o", good[i].text, v);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		unsigned v = 1;
		struct err e = ERR_INIT;
		if (str_mode(bad[i], &v, &e))
			fail_msg("accepted '%s'", bad[i]);
		assert_non_null(strstr(e.text, "0640"));
	}
}

// What a message shows is short and harmless to a terminal.
static void test_messages_are_printable(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	bool v;
	assert_false(str_bool("\x1b[31m\n", &v, &e));
	assert_non_null(strstr(e.text, "'?[31m?'"));
	err_clear(&e);
	assert_false(str_bool("0123456789012345678901234567890123456789", &v, &e));
	assert_non_null(strstr(e.text, "'0123456789012345678901234567890123456789'"));
	err_clear(&e);
	assert_false(str_bool("01234567890123456789012345678901234567890", &v, &e));
	assert_non_null(strstr(e.text, "'0123456789012345678901234567890123456789...'"));
}

static void test_nearest(void **state)
{
	(void)state;
	static const char *const names[] = {
		"address",
		"role",
		"ca_cert",
		"ca_path",
		"destination",
		"a_name_that_is_much_longer_than_any_name_that_people_"
		"write_into_their_files"
	};
	size_t n = ARRAY_LEN(names);
	assert_string_equal(str_nearest("adress", names, n), "address");
	assert_string_equal(str_nearest("ADDRESS", names, n), "address");
	assert_string_equal(str_nearest("ca-cert", names, n), "ca_cert");
	assert_string_equal(str_nearest("ca_crt", names, n), "ca_cert");
	assert_string_equal(str_nearest("destniation", names, n), "destination");
	assert_string_equal(str_nearest("rol", names, n), "role");
	assert_null(str_nearest("ro", names, n));
	assert_null(str_nearest("", names, n));
	assert_null(str_nearest("zzz", names, n));
	assert_null(str_nearest(names[5], names, n));
	assert_null(str_nearest("role", NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_int64),
		cmocka_unit_test(test_uint64),
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_messages_are_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
