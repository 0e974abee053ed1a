// SPDX-License-Identifier: Apache-2.0
// Header lines as servers send them, good and bad.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/http/headers.h"

static struct http_headers h = HTTP_HEADERS_INIT;

static void add(const char *line)
{
	assert_true(http_headers_add(&h, line, strlen(line)));
}

static int teardown(void **state)
{
	(void)state;
	http_headers_release(&h);
	return 0;
}

static void test_lines(void **state)
{
	(void)state;
	add("HTTP/1.1 200 OK\r\n");
	add("Content-Type: text/plain; charset=utf-8\r\n");
	add("X-Blank:\r\n");
	add("X-Tight:a:b\r\n");
	add("x-twice: first\r\n");
	add("X-Twice: second\r\n");
	add("X-Spaces:  \t a b \t \r\n");
	add("X-Bare: no line end");
	add("\r\n");
	assert_string_equal(http_headers_get(&h, "content-type"),
			    "text/plain; charset=utf-8");
	assert_string_equal(http_headers_get(&h, "X-BLANK"), "");
	assert_string_equal(http_headers_get(&h, "X-Tight"), "a:b");
	assert_string_equal(http_headers_get(&h, "X-Twice"), "first");
	assert_string_equal(http_headers_get(&h, "X-Spaces"), "a b");
	assert_string_equal(http_headers_get(&h, "X-Bare"), "no line end");
	assert_null(http_headers_get(&h, "X-None"));
	assert_null(http_headers_get(&h, "X"));
	assert_null(http_headers_get(&h, ""));
	assert_null(http_headers_get(&h, "text/plain; charset=utf-8"));
}

static void test_bad_lines(void **state)
{
	(void)state;
	add("");
	add("\n");
	add(": no name");
	add("no colon");
	add(" folded: line");
	add("\tfolded: line");
	assert_true(http_headers_add(&h, "X-Nul: a\0b", 10));
	assert_true(http_headers_add(&h, "X-\0: a", 6));
	assert_int_equal(h.text.len, 0);
	assert_null(http_headers_get(&h, "folded"));
}

static void test_new_answer(void **state)
{
	(void)state;
	add("X-A: interim");
	add("HTTP/1.1 200 OK");
	assert_null(http_headers_get(&h, "X-A"));
	add("HTTPS: is no status line");
	add("HTTP/: but this is taken for one");
	assert_null(http_headers_get(&h, "HTTPS"));
}

static void test_limit(void **state)
{
	(void)state;
	char line[1024];
	memset(line, 'a', sizeof(line));
	line[3] = ':';
	unsigned n = 0;
	while (http_headers_add(&h, line, sizeof(line)))
		n++;
	assert_in_range(n, 63, 65);
	size_t before = h.text.len;
	assert_false(http_headers_add(&h, line, sizeof(line))); // nothing half
	assert_int_equal(h.text.len, before);
	assert_int_equal(strlen(http_headers_get(&h, "aaa")), sizeof(line) - 4);
	add("HTTP/1.1 200 OK");
	add("B: b");
	assert_string_equal(http_headers_get(&h, "b"), "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_lines, teardown),
		cmocka_unit_test_teardown(test_bad_lines, teardown),
		cmocka_unit_test_teardown(test_new_answer, teardown),
		cmocka_unit_test_teardown(test_limit, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
