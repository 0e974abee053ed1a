// SPDX-License-Identifier: Apache-2.0
// What a head may be, and what is refused with which status.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/http/server_head.h"

#define H "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n"

static const struct {
	const char *head;
	int status;
} heads[] = {
	{ GET H "\r\n", 0 },
	{ "\r\n" GET H "\r\n", 0 },
	{ "\r\n\r\n" GET H "\r\n", 400 },
	{ "GET / HTTP/1.0\r\n\r\n", 0 },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0 },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
	{ "GET /\r\n" H "\r\n", 400 },
	{ " GET / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "G(T / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 505 },
	{ "GET / http/1.1\r\n" H "\r\n", 400 },
	{ "GET http://a/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET /# HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET /\x80 HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET /\x01 HTTP/1.1\r\n" H "\r\n", 400 },
	{ GET "\r\n", 400 },              // no host
	{ GET H H "\r\n", 400 },          // two
	{ GET H " folded\r\n\r\n", 400 }, // obs-fold
	{ GET H "\tfolded\r\n\r\n", 400 },
	{ GET "Host : a\r\n\r\n", 400 },
	{ GET H ": v\r\n\r\n", 400 },
	{ GET H "nothing\r\n\r\n", 400 },
	{ GET H "X: a\x01\r\n\r\n", 400 },
	{ GET H "X: a\x7f\r\n\r\n", 400 },
	{ GET H "X: \xc3\xa9\r\n\r\n", 0 },
	{ GET H "X:\r\n\r\n", 0 },
	{ GET H "X: a\rb\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\n" H "\r\n", 400 },
	{ GET "Host: a\n\r\n", 400 },
	{ GET H "\n", 400 },
	{ POST H "Content-Length: 10\r\n\r\n", 0 },
	{ POST H "Content-Length: 10\r\nContent-Length: 10\r\n\r\n", 400 },
	{ POST H "Content-Length: 1, 1\r\n\r\n", 400 },
	{ POST H "Content-Length: +1\r\n\r\n", 400 },
	{ POST H "Content-Length: -1\r\n\r\n", 400 },
	{ POST H "Content-Length: 0x1\r\n\r\n", 400 },
	{ POST H "Content-Length:\r\n\r\n", 400 },
	{ POST H "Content-Length: 18446744073709551617\r\n\r\n", 400 },
	{ POST H "Transfer-Encoding: chunked\r\n\r\n", 0 },
	{ POST H "Transfer-Encoding: Chunked\r\n\r\n", 0 },
	{ POST H "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400 },
	{ POST H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ POST H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ POST H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
	{ POST H "Transfer-Encoding: identity\r\n\r\n", 501 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ POST H "Expect: 100-continue\r\n\r\n", 0 },
	{ POST H "Expect: more\r\n\r\n", 417 },
};

static void heads_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct http_head h;
		const char *reason = "";
		size_t len = strlen(heads[i].head);
		char *copy = mem_dup(heads[i].head, len); // no NUL behind it
		int status = http_head_parse(copy, len, &h, &reason);
		if (status != heads[i].status)
			fail_msg("%s: %d (%s)", heads[i].head, status, reason);
		mem_free(copy);
	}
}

static void a_nul_is_refused(void **state)
{
	(void)state;
	static const char in_value[] = GET H "X: a\0b\r\n\r\n";
	static const char in_name[] = GET H "X\0: a\r\n\r\n";
	static const char in_target[] = "GET /\0 HTTP/1.1\r\n" H "\r\n";
	struct http_head h;
	const char *reason;
	assert_int_equal(http_head_parse(in_value, sizeof(in_value) - 1, &h, &reason),
			 400);
	assert_int_equal(http_head_parse(in_name, sizeof(in_name) - 1, &h, &reason), 400);
	assert_int_equal(http_head_parse(in_target, sizeof(in_target) - 1, &h, &reason),
			 400);
}

static void the_parts_are_seen(void **state)
{
	(void)state;
	static const char head[] =
		"PUT /v1/a%20b?list=true&x HTTP/1.1\r\nhOsT:a\r\n"
		"X-Vault-Token:  t o k \t\r\nConnection: foo, Close\r\n"
		"Content-Length: 12\r\n\r\n";
	struct http_head h;
	const char *reason;
	assert_int_equal(http_head_parse(head, sizeof(head) - 1, &h, &reason), 0);
	assert_true(str_eq(h.method, "PUT") && str_eq(h.path, "/v1/a%20b"));
	assert_true(str_eq(h.query, "list=true&x"));
	assert_true(str_eq(h.target, "/v1/a%20b?list=true&x"));
	assert_true(str_eq(http_head_field(&h, "x-vault-token"), "t o k"));
	assert_true(str_eq(http_head_field(&h, "Host"), "a"));
	assert_int_equal(http_head_field(&h, "Absent").len, 0);
	assert_false(h.keep_alive);
	assert_int_equal(h.content_length, 12);
}

static void too_many_lines_are_refused(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(1 << 16);
	buf_puts(&b, GET H);
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		buf_puts(&b, "a: b\r\n");
	size_t fits = b.len;
	struct http_head h;
	const char *reason;
	buf_puts(&b, "\r\n");
	assert_int_equal(http_head_parse(b.data, b.len, &h, &reason), 0);
	buf_truncate(&b, fits);
	buf_puts(&b, "a: b\r\n\r\n");
	assert_int_equal(http_head_parse(b.data, b.len, &h, &reason), 431);
}

static void the_end_is_found_byte_by_byte(void **state)
{
	(void)state;
	static const char head[] = "\r\n" GET H "\r\nrest";
	size_t scanned = 0, end = 0, len = 0;
	while (!end && len < sizeof(head) - 1)
		end = http_head_end(head, ++len, &scanned);
	assert_int_equal(end, sizeof(head) - 1 - 4);
	assert_int_equal(len, end);
}

static const struct {
	const char *bytes;
	enum http_chunked_result result;
	const char *body;
} chunked[] = {
	{ "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", HTTP_CHUNKED_END, "abcde" },
	{ "3;a=b;c\r\nabc\r\n0\r\nX: y\r\nZ: w\r\n\r\n", HTTP_CHUNKED_END, "abc" },
	{ "0\r\n\r\n", HTTP_CHUNKED_END, "" },
	{ "00A\r\n0123456789\r\n0\r\n\r\n", HTTP_CHUNKED_END, "0123456789" },
	{ "3\r\nab", HTTP_CHUNKED_MORE, "ab" },
	{ "3\nabc\r\n", HTTP_CHUNKED_BAD, "" },
	{ "\r\n", HTTP_CHUNKED_BAD, "" },
	{ "-1\r\n", HTTP_CHUNKED_BAD, "" },
	{ "0x3\r\nabc", HTTP_CHUNKED_BAD, "" },
	{ "3 \r\nabc", HTTP_CHUNKED_BAD, "" },
	{ "3\r\nabcd\r\n", HTTP_CHUNKED_BAD, "abc" },
	{ "3\r\nabc\n", HTTP_CHUNKED_BAD, "abc" },
	{ "123456789\r\n", HTTP_CHUNKED_BAD, "" },
	{ "11\r\n0123456789012345x", HTTP_CHUNKED_TOO_LONG, "" },
	{ "0\r\n folded\r\n\r\n", HTTP_CHUNKED_BAD, "" },
};

static void chunks_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chunked); i++) {
		AUTO_BUF struct buf to = BUF_INIT(16);
		struct http_chunked c = { .state = 0 };
		size_t used = 0;
		enum http_chunked_result r = http_chunked_take(
			&c, chunked[i].bytes, strlen(chunked[i].bytes), &used, &to);
		if (r != chunked[i].result || strcmp(buf_str(&to), chunked[i].body) != 0)
			fail_msg("%s: %d '%s'", chunked[i].bytes, r, buf_str(&to));
	}
}

static void trailers_have_an_end(void **state)
{
	(void)state;
	AUTO_BUF struct buf in = BUF_INIT(1 << 16);
	AUTO_BUF struct buf to = BUF_INIT(16);
	buf_puts(&in, "0\r\n");
	for (int i = 0; i < HTTP_TRAILERS_MAX / 4; i++)
		buf_puts(&in, "a: b\r\n");
	struct http_chunked c = { .state = 0 };
	size_t used = 0;
	assert_int_equal(http_chunked_take(&c, in.data, in.len, &used, &to),
			 HTTP_CHUNKED_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_taken_or_refused),
		cmocka_unit_test(a_nul_is_refused),
		cmocka_unit_test(the_parts_are_seen),
		cmocka_unit_test(too_many_lines_are_refused),
		cmocka_unit_test(the_end_is_found_byte_by_byte),
		cmocka_unit_test(chunks_are_decoded),
		cmocka_unit_test(trailers_have_an_end),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
