// SPDX-License-Identifier: Apache-2.0
// Secret bytes: copied, NUL-ended, compared.
#include "lib/base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_copy(void **state)
{
	(void)state;
	char bytes[] = "to\0ken";
	AUTO_SECRET struct secret *s = secret_new(bytes, 6);
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(secret_len(s), 6);
	assert_memory_equal(secret_bytes(s), "to\0ken", 7);
	AUTO_SECRET struct secret *t = secret_from_str("token");
	assert_int_equal(secret_len(t), 5);
	assert_string_equal(secret_bytes(t), "token");
	AUTO_SECRET struct secret *empty = secret_new(NULL, 0);
	assert_int_equal(secret_len(empty), 0);
	assert_string_equal(secret_bytes(empty), "");
}

static void test_null(void **state)
{
	(void)state;
	assert_null(secret_bytes(NULL));
	assert_int_equal(secret_len(NULL), 0);
	secret_free(NULL);
}

static void test_equal(void **state)
{
	(void)state;
	AUTO_SECRET struct secret *a = secret_from_str("token");
	AUTO_SECRET struct secret *b = secret_from_str("token");
	AUTO_SECRET struct secret *c = secret_from_str("tokem");
	AUTO_SECRET struct secret *d = secret_from_str("toke");
	AUTO_SECRET struct secret *e = secret_new("token\0", 6);
	assert_true(secret_equal(a, a));
	assert_true(secret_equal(a, b));
	assert_false(secret_equal(a, c));
	assert_false(secret_equal(a, d));
	assert_false(secret_equal(a, e));
	assert_false(secret_equal(a, NULL));
	assert_false(secret_equal(NULL, a));
	assert_true(secret_equal(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
