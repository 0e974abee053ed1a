// SPDX-License-Identifier: Apache-2.0
// The error struct: the first error wins, context grows outwards, long text is cut with a mark.
#include "lib/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_set(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	assert_int_equal(e.kind, ERR_NONE);
	assert_false(err_set(&e, ERR_AUTH, 0, "login %d", 7));
	assert_int_equal(e.kind, ERR_AUTH);
	assert_int_equal(e.cause, 0);
	assert_string_equal(e.text, "login 7");
}

static void test_errno_is_spelt_out(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	err_set(&e, ERR_CONFIG, ENOENT, "open '%s'", "/x");
	assert_string_equal(e.text, "open '/x': No such file or directory");
	assert_int_equal(e.cause, ENOENT);
	err_clear(&e);
	err_set(&e, ERR_RETRY, 503, "the store");
	assert_string_equal(e.text, "the store");
	assert_int_equal(e.cause, 503);
}

static void test_first_wins(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	err_set(&e, ERR_DENIED, 0, "first");
	assert_false(err_set(&e, ERR_BUG, 5, "second"));
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(e.cause, 0);
	assert_string_equal(e.text, "first");
	e.retry_ms = 9;
	err_clear(&e);
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(e.retry_ms, 0);
	assert_string_equal(e.text, "");
	err_set(&e, ERR_BUG, 0, "third");
	assert_string_equal(e.text, "third");
}

static void test_wrap(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	assert_false(err_wrap(&e, "nothing to wrap"));
	assert_string_equal(e.text, "");
	err_set(&e, ERR_MISSING, 0, "no such key");
	assert_false(err_wrap(&e, "secret '%s'", "kv/a"));
	assert_false(err_wrap(&e, "template"));
	assert_string_equal(e.text, "template: secret 'kv/a': no such key");
	assert_int_equal(e.kind, ERR_MISSING);
}

static void test_null(void **state)
{
	(void)state;
	assert_false(err_set(NULL, ERR_BUG, 0, "x"));
	assert_false(err_wrap(NULL, "x"));
	err_clear(NULL);
}

static void test_long_text_is_cut(void **state)
{
	(void)state;
	char big[2 * ERR_TEXT_MAX];
	struct err e = ERR_INIT;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, ERR_CONFIG, EPERM, "%s", big);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_string_equal(e.text + ERR_TEXT_MAX - 4, "...");
	err_wrap(&e, "b");
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(e.text, "b: aaa", 6);
	assert_string_equal(e.text + ERR_TEXT_MAX - 4, "...");
	err_wrap(&e, "%s", big);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_string_equal(e.text + ERR_TEXT_MAX - 4, "...");
}

// One byte below, at and above the limit; errno's words that do not fit are left out.
static void test_edges(void **state)
{
	(void)state;
	char big[ERR_TEXT_MAX + 8];
	memset(big, 'a', sizeof(big));
	for (int len = ERR_TEXT_MAX - 3; len < ERR_TEXT_MAX + 3; len++) {
		struct err e = ERR_INIT;
		err_set(&e, ERR_CONFIG, 0, "%.*s", len, big);
		assert_int_equal(strlen(e.text),
				 len < ERR_TEXT_MAX ? len : ERR_TEXT_MAX - 1);
		err_clear(&e);
		err_set(&e, ERR_CONFIG, ENOENT, "%.*s", len, big);
		assert_true(strlen(e.text) < ERR_TEXT_MAX);
	}
}

static void test_kind_names(void **state)
{
	(void)state;
	static const char *const names[] = { "none",    "config", "auth",  "denied",
					     "missing", "retry",  "limit", "bug" };
	for (int kind = ERR_NONE; kind <= ERR_BUG; kind++)
		assert_string_equal(err_kind_name((enum err_kind)kind), names[kind]);
	assert_string_equal(err_kind_name((enum err_kind)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_errno_is_spelt_out),
		cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_kind_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
