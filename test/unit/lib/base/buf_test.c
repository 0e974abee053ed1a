// SPDX-License-Identifier: Apache-2.0
// The buffer with a maximum: an append beyond it changes nothing and is remembered.
#include "lib/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"

static void test_empty(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(10);
	assert_string_equal(buf_str(&b), "");
	assert_false(buf_failed(&b));
	buf_reset(&b);
	buf_truncate(&b, 0);
	buf_truncate(&b, 5);
	assert_int_equal(b.len, 0);
	size_t len = 9;
	char *s = buf_take(&b, &len);
	assert_int_equal(len, 0);
	assert_string_equal(s, "");
	mem_free(s);
}

static void test_appends(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(1000);
	assert_true(buf_puts(&b, "ab"));
	assert_true(buf_putc(&b, 'c'));
	assert_true(buf_add(&b, "\0d", 2));
	assert_true(buf_add(&b, NULL, 0));
	assert_true(buf_printf(&b, "%d-%s", 42, "x"));
	assert_int_equal(b.len, 9);
	assert_memory_equal(buf_str(&b), "abc\0d42-x", 10);
}

static void test_maximum(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(4);
	assert_true(buf_puts(&b, "abc"));
	assert_false(buf_puts(&b, "de"));
	assert_true(buf_failed(&b));
	assert_string_equal(buf_str(&b), "abc");
	assert_true(buf_putc(&b, 'd'));
	assert_false(buf_putc(&b, 'e'));
	assert_false(buf_printf(&b, "%d", 1));
	assert_true(buf_printf(&b, "%s", ""));
	assert_null(buf_room(&b, 1));
	assert_null(buf_room(&b, SIZE_MAX));
	assert_string_equal(buf_str(&b), "abcd");
	assert_true(buf_failed(&b));
	buf_reset(&b);
	assert_false(buf_failed(&b));
	assert_true(buf_puts(&b, "wxyz"));
	assert_string_equal(buf_str(&b), "wxyz");
}

static void test_no_room_at_all(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(0);
	assert_true(buf_add(&b, "", 0));
	assert_false(buf_putc(&b, 'a'));
	assert_string_equal(buf_str(&b), "");
}

static void test_room(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(100);
	char *at = buf_room(&b, 10);
	assert_non_null(at);
	memcpy(at, "12345", 5);
	b.len += 5;
	buf_end(&b);
	assert_string_equal(buf_str(&b), "12345");
}

static void test_truncate_wipes(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(100);
	buf_puts(&b, "keep-secret");
	buf_truncate(&b, 4);
	assert_string_equal(buf_str(&b), "keep");
	for (size_t i = 4; i < 11; i++)
		assert_int_equal(b.data[i], 0);
	buf_truncate(&b, 50);
	assert_int_equal(b.len, 4);
	buf_reset(&b);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(b.data[i], 0);
	assert_string_equal(buf_str(&b), "");
}

static void test_growth(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(100000);
	for (int i = 0; i < 100000; i++)
		assert_true(buf_putc(&b, (char)('a' + i % 26)));
	assert_false(buf_putc(&b, 'x'));
	assert_int_equal(b.len, 100000);
	assert_int_equal(strlen(buf_str(&b)), 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
}

static void test_take(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(10);
	size_t len;
	buf_puts(&b, "abc");
	char *s = buf_take(&b, &len);
	assert_int_equal(len, 3);
	assert_string_equal(s, "abc");
	mem_free(s);
	assert_int_equal(b.max, 10);
	assert_true(buf_puts(&b, "0123456789"));
	assert_false(buf_putc(&b, 'x'));
	mem_free(buf_take(&b, NULL));
	assert_false(buf_failed(&b));
}

static void test_release_twice(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(10);
	buf_puts(&b, "abc");
	buf_release(&b);
	buf_release(&b);
	assert_true(buf_puts(&b, "again"));
	buf_release(&b);
}

static void test_equal(void **state)
{
	(void)state;
	AUTO_BUF struct buf a = BUF_INIT(10);
	AUTO_BUF struct buf b = BUF_INIT(20);
	assert_true(buf_equal(&a, &b));
	buf_puts(&a, "abc");
	assert_false(buf_equal(&a, &b));
	buf_puts(&b, "abd");
	assert_false(buf_equal(&a, &b));
	buf_truncate(&a, 2);
	buf_truncate(&b, 2);
	assert_true(buf_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_no_room_at_all),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_truncate_wipes),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_release_twice),
		cmocka_unit_test(test_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
