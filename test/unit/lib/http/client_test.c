// SPDX-License-Identifier: Apache-2.0
// The client against a small server on the same loop: who owns what when, deadlines, slow
// answers, idle connections, cancelling at any moment.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/lib/http/client_env.h"

static void test_get(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ 0 });
	t.answer = OK_HEAD "good";
	send_one();
	assert_int_equal(t.done, 0); // never from inside the call
	until(&t.done, 1);
	assert_int_equal(t.status, 200);
	assert_string_equal(t.body, "good");
	assert_false(t.reused);
	send_one();
	until(&t.done, 2);
	assert_true(t.reused);
	assert_int_equal(t.n_peers, 1);
}

static void test_bad_request(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ 0 });
	struct http_header h = { "X-A", "a\r\nX-B: b" };
	struct http_request bad[] = {
		{ .method = "GET", .url = "nonsense://x/" },
		{ .method = "GET", .url = t.url, .headers = &h, .n_headers = 1 },
		{ .method = "", .url = t.url },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&t.e);
		assert_false(http_send(t.client, &bad[i], on_done, &t, NULL, &t.e));
		assert_true(t.e.kind != ERR_NONE);
	}
	rounds(10);
	assert_int_equal(t.done, 0);
}

static void test_cancel(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ .max_connections = 1 });
	struct http_call *active = send_one(), *queued = send_one(), *third = send_one();
	until(&t.n_asked, 1);
	http_cancel(queued);
	http_cancel(active); // the third one gets its place, on a connection of its own
	until(&t.n_asked, 2);
	assert_true(peer_closed(0));
	peer_send(1, OK_HEAD "good");
	until(&t.done, 1);
	(void)third;
	// Ended already, but not yet told: still no callback.
	struct http_call *ended = send_with((struct http_request){ .timeout_ms = 10 });
	clock_fake_advance(11);
	http_cancel(ended);
	rounds(20);
	assert_int_equal(t.done, 1);
}

static void test_cancel_another_in_callback(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ 0 });
	t.answer = OK_HEAD "good";
	send_one();
	t.cancel = send_one();
	until(&t.done, 1);
	rounds(50);
	assert_int_equal(t.done, 1);
}

static void test_free_in_callback(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ .max_connections = 2 });
	t.answer = OK_HEAD "good";
	t.free_client = true;
	for (unsigned i = 0; i < 5; i++)
		send_one();
	until(&t.done, 1);
	rounds(50);
	assert_int_equal(t.done, 1);
	assert_null(t.client);
}

static void test_free_while_active(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ 0 });
	send_one();
	until(&t.n_asked, 1);
	http_client_free(TAKE(t.client));
	assert_true(peer_closed(0));
	assert_int_equal(t.done, 0);
}

static void test_deadline(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ .max_connections = 1 });
	send_with((struct http_request){ .timeout_ms = 2000 });
	send_with((struct http_request){ .timeout_ms = 1500 }); // waits for the first
	until(&t.n_asked, 1);
	clock_fake_advance(1499);
	rounds(5);
	assert_int_equal(t.done, 0);
	clock_fake_advance(1);
	until(&t.done, 1);
	assert_non_null(
		strstr(t.error, "no connection was free within 1.5 s (1 are in use)"));
	clock_fake_advance(500);
	until(&t.done, 2);
	assert_int_equal(t.kind, ERR_RETRY);
	assert_non_null(strstr(t.error, ": did not answer within 2 s"));
	assert_true(peer_closed(0)); // a late answer must not meet another request
}

static void test_slow_answer(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ 0 });
	char kib[1600];
	memset(kib, 'x', sizeof(kib));
	kib[sizeof(kib) - 1] = '\0';
	send_with((struct http_request){ .timeout_ms = 3600000 });
	until(&t.n_asked, 1);
	clock_fake_advance(60000); // thinking is allowed
	rounds(5);
	peer_send(0, "HTTP/1.1 200 OK\r\n\r\n");
	rounds(20);
	for (unsigned i = 0; i < 3; i++) { // enough in each window
		peer_send(0, kib);
		rounds(20);
		clock_fake_advance(HTTP_SLOW_WINDOW_MS);
		rounds(20);
		assert_int_equal(t.done, 0);
	}
	peer_send(0, "a few bytes");
	rounds(20);
	clock_fake_advance(HTTP_SLOW_WINDOW_MS);
	until(&t.done, 1);
	assert_non_null(strstr(t.error, "comes too slowly (11 bytes in 15 s)"));
	assert_int_equal(t.kind, ERR_RETRY);
}

static void test_idle(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ 0 });
	t.answer = OK_HEAD "good";
	send_one();
	until(&t.done, 1);
	rounds(5);
	clock_fake_advance(HTTP_IDLE_MS - 1);
	rounds(5);
	assert_non_null(t.peers[0].h);
	send_one(); // used again: the time begins anew
	until(&t.done, 2);
	assert_true(t.reused);
	rounds(5);
	clock_fake_advance(HTTP_IDLE_MS - 1);
	rounds(5);
	assert_non_null(t.peers[0].h);
	clock_fake_advance(1);
	assert_true(peer_closed(0));
	assert_int_equal(loop_next_timer_ms(t.loop), INT64_MAX); // at rest
	send_one();
	until(&t.done, 3);
	assert_int_equal(t.n_peers, 2);
}

static void test_close_idle(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ .close_idle = true });
	t.answer = OK_HEAD "good";
	t.again = true; // a request from inside the callback still uses the connection
	send_one();
	until(&t.done, 2);
	assert_true(t.reused);
	assert_true(peer_closed(0));
	assert_int_equal(loop_next_timer_ms(t.loop), INT64_MAX);
}

static void test_drop(void **state)
{
	(void)state;
	new_client((struct http_client_opts){ 0 });
	send_one();
	until(&t.n_asked, 1);
	http_client_drop_idle(t.client); // the one under way goes on
	t.answer = OK_HEAD "good";
	send_one();
	until(&t.done, 1);
	assert_int_equal(t.n_peers, 2);
	peer_send(0, OK_HEAD "late");
	until(&t.done, 2);
	assert_string_equal(t.body, "late");
	assert_true(peer_closed(0)); // its connection is not kept
	send_one();
	until(&t.done, 3);
	assert_true(t.reused);
}

static void test_many(void **state)
{
	(void)state;
	enum { CALLS = 500 };
	new_client((struct http_client_opts){ .max_connections = 4 });
	t.answer = OK_HEAD "good";
	for (unsigned i = 0; i < CALLS; i++)
		send_one();
	until(&t.done, CALLS);
	assert_int_equal(t.failed, 0);
	assert_int_equal(t.n_peers, 4);
}

static void test_version(void **state)
{
	(void)state;
	assert_non_null(strstr(http_version(), "libcurl/"));
	assert_true(strstr(http_version(), "OpenSSL/") ||
		    strstr(http_version(), "mbedTLS/"));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		CASE(test_get),
		CASE(test_bad_request),
		CASE(test_cancel),
		CASE(test_cancel_another_in_callback),
		CASE(test_free_in_callback),
		CASE(test_free_while_active),
		CASE(test_deadline),
		CASE(test_slow_answer),
		CASE(test_idle),
		CASE(test_close_idle),
		CASE(test_drop),
		CASE(test_many),
		CASE(test_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
