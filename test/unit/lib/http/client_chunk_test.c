// SPDX-License-Identifier: Apache-2.0
// Answers without an end: given piece by piece, cancelled from inside.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/lib/http/client_env.h"

static unsigned chunks;
static void on_chunk(void *ctx, const void *bytes, size_t len)
{
	(void)ctx;
	chunks++;
	snprintf(t.body, sizeof(t.body), "%.*s", (int)len, (const char *)bytes);
	if (t.cancel)
		http_cancel(TAKE(t.cancel));
	if (t.free_client)
		http_client_free(TAKE(t.client));
}

static void start_chunked(void)
{
	chunks = 0;
	new_client((struct http_client_opts){ 0 });
	t.cancel = send_with((struct http_request){
		.chunk = on_chunk, .max_body = 100, .timeout_ms = INT64_MAX });
	until(&t.n_asked, 1);
	peer_send(0, "HTTP/1.1 200 OK\r\n\r\n");
	rounds(20);
}

static void test_chunks(void **state)
{
	(void)state;
	start_chunked();
	t.cancel = NULL;
	for (unsigned i = 0; i < 30; i++) { // more than max_body in all, and for hours
		char text[16];
		snprintf(text, sizeof(text), "piece %02u", i);
		peer_send(0, text);
		until(&chunks, i + 1);
		assert_string_equal(t.body, text);
		clock_fake_advance(3600000);
		rounds(3);
	}
	shutdown(t.peers[0].fd, SHUT_WR);
	until(&t.done, 1);
	assert_int_equal(t.failed, 0);
}

static void test_cancel_in_chunk(void **state)
{
	(void)state;
	start_chunked();
	peer_send(0, "one");
	until(&chunks, 1);
	assert_true(peer_closed(0));
	assert_int_equal(t.done, 0);
}

static void test_free_in_chunk(void **state)
{
	(void)state;
	start_chunked();
	t.cancel = NULL;
	t.free_client = true;
	peer_send(0, "one");
	until(&chunks, 1);
	assert_true(peer_closed(0));
	assert_int_equal(t.done, 0);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		CASE(test_chunks),
		CASE(test_cancel_in_chunk),
		CASE(test_free_in_chunk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
