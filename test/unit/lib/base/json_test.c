// SPDX-License-Identifier: Apache-2.0
// Documents with limits, numbers that keep their text, typed getters.
#include "lib/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"

enum { MAX = 1 << 20 };

static bool parse(const char *text, enum json_flags flags, json_t **ret, struct err *e)
{
	return json_parse(text, strlen(text), MAX, flags, ret, e);
}

static const char *const invalid[] = {
	"",           " ",
	"{",          "[1,]",
	"{\"a\":1,}", "{'a':1}",
	"[01]",       "[1.]",
	"[.5]",       "[+1]",
	"[1e]",       "[NaN]",
	"[Infinity]", "tru",
	"\"a",        "\"\\x\"",
	"\"\t\"",     "[1] 2",
	"{\"a\" 1}",  "{1:2}",
	"{1 :2}",     "{\"a\"}",
	"[1 2]",      "[--1]",
	"[1..2]",     "[-]",
	"{-1e5\n:2}", "{\"a\":{2:3}}",
	"[\"\xff\"]", "[\"\xc0\x80\"]",
	"nulll",      "[0x10]",
	"//x\n[]",    "[1/**/]",
};

static void test_invalid(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
		for (int flags = JSON_PLAIN; flags <= JSON_KEEP_NUMBERS; flags++) {
			AUTO_JSON json_t *j = NULL;
			struct err e = ERR_INIT;
			if (parse(invalid[i], (enum json_flags)flags, &j, &e))
				fail_msg("accepted '%s' with flags %d", invalid[i],
					 flags);
			assert_null(j);
			assert_int_equal(e.kind, ERR_CONFIG);
			assert_true(strlen(e.text) > 0);
		}
}

// The place is named, the text is not.
static void test_errors_hold_no_value(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = NULL;
	struct err e = ERR_INIT;
	assert_false(parse("{\"password\":\n \"hunter2\" \"x\"}", JSON_PLAIN, &j, &e));
	assert_null(strstr(e.text, "hunter2"));
	assert_non_null(strstr(e.text, "line 2"));
	err_clear(&e);
	assert_false(parse("{\"p\": \"hunter2\", hunter2}", JSON_KEEP_NUMBERS, &j, &e));
	assert_null(strstr(e.text, "hunter2"));
}

static void test_limits(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = NULL;
	struct err e = ERR_INIT;
	assert_true(json_parse("[12]", 4, 4, JSON_PLAIN, &j, &e));
	json_decref(TAKE(j));
	assert_false(json_parse("[12]", 4, 3, JSON_PLAIN, &j, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
		char text[2 * JSON_DEPTH_MAX + 3] = "";
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		err_clear(&e);
		bool ok = parse(text, JSON_PLAIN, &j, &e);
		assert_int_equal(ok, depth <= JSON_DEPTH_MAX);
		json_decref(TAKE(j));
	}
	// Brackets in strings do not count.
	char quoted[300] = "[\"\\\"";
	memset(quoted + 4, '[', 200);
	memcpy(quoted + 204, "\"]", 3);
	err_clear(&e);
	assert_true(parse(quoted, JSON_PLAIN, &j, &e));
}

static void test_values_are_counted(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = NULL;
	struct err e = ERR_INIT;
	static const char text[] = "{\"a\":[1,{},\n\"x\"]}"; // five values
	size_t len = strlen(text);
	assert_true(json_parse_few(text, len, MAX, 5, &j, &e));
	json_decref(TAKE(j));
	assert_false(json_parse_few(text, len, MAX, 4, &j, &e));
	assert_string_equal(e.text, "line 2, column 1: too many values");
}

static void test_nul_byte(void **state)
{
	(void)state;
	static const char text[] = "[1\0]", quoted[] = "[\"\0\"]";
	for (int flags = JSON_PLAIN; flags <= JSON_KEEP_NUMBERS; flags++) {
		AUTO_JSON json_t *j = NULL;
		struct err e = ERR_INIT;
		assert_false(json_parse(text, 4, MAX, (enum json_flags)flags, &j, &e));
		assert_string_equal(e.text, "line 1, column 3: a NUL byte");
		assert_false(
			json_parse(quoted, 5, MAX, (enum json_flags)flags, &j, NULL));
	}
}

static void test_duplicates(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = NULL;
	struct err e = ERR_INIT;
	assert_false(parse("{\"a\":1,\"a\":2}", JSON_PLAIN, &j, &e));
	assert_non_null(strstr(e.text, "twice"));
	assert_true(parse("{\"a\":1,\"a\":2}", JSON_KEEP_NUMBERS, &j, NULL));
	assert_string_equal(json_number_text(json_object_get(j, "a")), "2");
}

static void test_numbers_keep_their_text(void **state)
{
	(void)state;
	static const char *const numbers[] = { "0",       "-0",
					       "1.10",    "12345678901234567890123",
					       "1e400",   "-1E-7",
					       "0.1",     "9223372036854775808",
					       "1.0e+05", "100" };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		AUTO_JSON json_t *j = NULL;
		AUTO_BUF struct buf out = BUF_INIT(1000);
		AUTO_FREE char *text = mem_printf("{\"n\": [ %s ]}", numbers[i]);
		AUTO_FREE char *want = mem_printf("{\"n\":[%s]}", numbers[i]);
		struct err e = ERR_INIT;
		if (!parse(text, JSON_KEEP_NUMBERS, &j, &e))
			fail_msg("%s: %s", text, e.text);
		const json_t *n = json_array_get(json_object_get(j, "n"), 0);
		assert_string_equal(json_number_text(n), numbers[i]);
		assert_string_equal(json_type_name(n), "a number");
		assert_true(json_write(j, &out, &e));
		assert_string_equal(buf_str(&out), want);
	}
}

static void test_marks_cannot_be_forged(void **state)
{
	(void)state;
	AUTO_JSON json_t *made = json_number_new("42", 2);
	assert_string_equal(json_number_text(made), "42");
	assert_null(json_number_text(NULL));
	AUTO_JSON json_t *j = NULL;
	assert_true(parse("[\"#n:0000000000000000;5\", \"42\", true, \"\"]",
			  JSON_KEEP_NUMBERS, &j, NULL));
	for (size_t i = 0; i < json_array_size(j); i++)
		assert_null(json_number_text(json_array_get(j, i)));
	// The mark alone is no number.
	AUTO_JSON json_t *bare = json_stringn(json_string_value(made), 20);
	assert_null(json_number_text(bare));
}

static void test_surrogates(void **state)
{
	(void)state;
	static const struct {
		const char *text, *value;
	} cases[] = {
		{ "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
		{ "\"\\uD83D\\uDE00x\"", "\xf0\x9f\x98\x80x" },
		{ "\"a\\ud83db\"", "a\xef\xbf\xbd"
				   "b" },
		{ "\"\\ude00\"", "\xef\xbf\xbd" },
		{ "\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
					"A" },
		{ "\"\\\\ud83d\"", "\\ud83d" },
		{ "\"\\\\\\ud83d\"", "\\\xef\xbf\xbd" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_JSON json_t *j = NULL;
		struct err e = ERR_INIT;
		if (!parse(cases[i].text, JSON_KEEP_NUMBERS, &j, &e))
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_string_equal(json_string_value(j), cases[i].value);
	}
	AUTO_JSON json_t *j = NULL;
	assert_false(parse("\"\\ud83d\"", JSON_PLAIN, &j, NULL));
}

static void test_getters(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = NULL;
	struct err e = ERR_INIT;
	assert_true(parse("{\"s\":\"x\",\"i\":-7,\"b\":true,\"o\":{\"k\":1},\"a\":[1],"
			  "\"z\":null,\"r\":1.5,\"nul\":\"a\\u0000b\"}",
			  JSON_PLAIN, &j, &e));
	const char *s = "kept";
	int64_t i = 5;
	bool b = false;
	json_t *o = NULL, *a = NULL;
	assert_true(json_get_str(j, "none", &s, &e));
	assert_string_equal(s, "kept");
	assert_true(json_get_str(j, "s", &s, &e));
	assert_string_equal(s, "x");
	assert_true(json_get_int(j, "i", &i, &e) && i == -7);
	assert_true(json_get_bool(j, "b", &b, &e) && b);
	assert_true(json_get_obj(j, "o", &o, &e) && json_object_size(o) == 1);
	assert_true(json_get_arr(j, "a", &a, &e) && json_array_size(a) == 1);
	assert_true(json_get_int(j, "none", &i, &e) && json_get_bool(j, "none", &b, &e));
	assert_true(json_get_obj(j, "none", &o, &e) && json_get_arr(j, "none", &a, &e));
	assert_true(json_get_str(NULL, "s", &s, &e));

	static const char *const not_str[] = { "i", "b", "o", "a", "z", "r", "nul" };
	for (size_t k = 0; k < ARRAY_LEN(not_str); k++) {
		err_clear(&e);
		assert_false(json_get_str(j, not_str[k], &s, &e));
		assert_non_null(strstr(e.text, not_str[k]));
	}
	assert_string_equal(s, "x");
	static const char *const not_int[] = { "s", "b", "o", "a", "z", "r" };
	for (size_t k = 0; k < ARRAY_LEN(not_int); k++)
		assert_false(json_get_int(j, not_int[k], &i, NULL));
	assert_false(json_get_bool(j, "i", &b, NULL));
	assert_false(json_get_obj(j, "a", &o, NULL));
	err_clear(&e);
	assert_false(json_get_arr(j, "o", &a, &e));
	assert_string_equal(e.text, "'o' must be a list, not an object");
}

static void test_kept_integers(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = NULL;
	int64_t i = 5;
	const char *s;
	assert_true(parse("{\"i\":12,\"f\":1.5,\"big\":9223372036854775808,\"e\":1e3}",
			  JSON_KEEP_NUMBERS, &j, NULL));
	assert_true(json_get_int(j, "i", &i, NULL) && i == 12);
	assert_false(json_get_int(j, "f", &i, NULL));
	assert_false(json_get_int(j, "big", &i, NULL));
	assert_false(json_get_int(j, "e", &i, NULL));
	assert_false(json_get_str(j, "i", &s, NULL));
}

static void test_str(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = json_str("a\0b", 3);
	assert_int_equal(json_string_length(j), 3);
	AUTO_JSON json_t *empty = json_str("", 0);
	assert_string_equal(json_string_value(empty), "");
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_errors_hold_no_value),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_values_are_counted),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_numbers_keep_their_text),
		cmocka_unit_test(test_marks_cannot_be_forged),
		cmocka_unit_test(test_surrogates),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_kept_integers),
		cmocka_unit_test(test_str),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
