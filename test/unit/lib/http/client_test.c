// SPDX-License-Identifier: Apache-2.0
// The client against a small server on the same loop, where the test moves the clock: who
// owns what when, deadlines, slow answers, idle connections, cancelling at any moment.
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "lib/http/client.h"
#include "test/support/clock_fake.h"

enum { PEERS_MAX = 64, START = 5000000 };

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"

struct peer {
	int fd;
	struct loop_fd *h;
	bool asked;
};

static struct {
	struct loop *loop;
	struct err e;
	struct http_client *client;
	int listener;
	struct loop_fd *accept;
	char url[64];
	struct peer peers[PEERS_MAX];
	unsigned n_peers, n_asked;
	const char *answer; // sent at once; NULL: the test answers
	// what the owner was told
	unsigned done, failed;
	int status;
	char body[64], error[ERR_TEXT_MAX];
	enum err_kind kind;
	bool reused;
	bool free_client, again;
	struct http_call *cancel;
} t;

static void on_request(void *ctx, int fd, unsigned events)
{
	(void)events;
	struct peer *p = ctx;
	char bytes[8192];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	if (n <= 0) {
		loop_fd_remove(TAKE(p->h));
		return;
	}
	t.n_asked++;
	p->asked = true;
	if (t.answer)
		assert_int_equal(write(fd, t.answer, strlen(t.answer)), strlen(t.answer));
}

static void on_accept(void *ctx, int fd, unsigned events)
{
	(void)ctx;
	(void)events;
	struct peer *p = &t.peers[t.n_peers++];
	assert_true(t.n_peers < PEERS_MAX);
	p->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(p->fd >= 0);
	assert_true(loop_fd_add(t.loop, p->fd, LOOP_READ, on_request, p, &p->h, &t.e));
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!loop_new(&t.loop, &t.e) || bind(t.listener, (void *)&a, sizeof(a)) != 0 ||
	    listen(t.listener, 64) != 0 ||
	    getsockname(t.listener, (void *)&a, &len) != 0 ||
	    !loop_fd_add(t.loop, t.listener, LOOP_READ, on_accept, NULL, &t.accept, &t.e))
		return -1;
	snprintf(t.url, sizeof(t.url), "http://127.0.0.1:%u/", ntohs(a.sin_port));
	clock_fake_set(START, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_client_free(t.client);
	for (unsigned i = 0; i < t.n_peers; i++) {
		loop_fd_remove(t.peers[i].h);
		close(t.peers[i].fd);
	}
	loop_fd_remove(t.accept);
	close(t.listener);
	loop_free(t.loop);
	clock_fake_release();
	return 0;
}

static void new_client(struct http_client_opts opts)
{
	opts.proxy = "";
	if (!http_client_new(t.loop, &opts, &t.client, &t.e))
		fail_msg("%s", t.e.text);
}

static void on_done(void *ctx, const struct http_response *r, const struct err *e);

static struct http_call *send_with(struct http_request req)
{
	struct http_call *call = NULL;
	req.method = "GET";
	req.url = t.url;
	if (!http_send(t.client, &req, on_done, &t, &call, &t.e))
		fail_msg("%s", t.e.text);
	return call;
}

static struct http_call *send_one(void)
{
	return send_with((struct http_request){ 0 });
}

static void on_done(void *ctx, const struct http_response *r, const struct err *e)
{
	assert_ptr_equal(ctx, &t);
	assert_true(!r != !e);
	t.done++;
	if (e) {
		t.failed++;
		t.kind = e->kind;
		snprintf(t.error, sizeof(t.error), "%s", e->text);
	} else {
		t.status = r->status;
		t.reused = r->reused;
		snprintf(t.body, sizeof(t.body), "%s", buf_str(r->body));
	}
	if (t.cancel)
		http_cancel(TAKE(t.cancel));
	if (t.again) {
		t.again = false;
		send_one();
	}
	if (t.free_client)
		http_client_free(TAKE(t.client));
}

// Rounds of the loop until *n has reached `want`. libcurl's own timers run on the fake
// clock, hence it is nudged where nothing else happens.
static void until(const unsigned *n, unsigned want)
{
	struct timespec from, now;
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (*n < want) {
		assert_true(loop_once(t.loop, 5, &t.e));
		clock_gettime(CLOCK_MONOTONIC, &now);
		assert_true(now.tv_sec - from.tv_sec < 20);
	}
	assert_int_equal(*n, want);
}

static void rounds(unsigned n)
{
	while (n-- > 0)
		assert_true(loop_once(t.loop, 0, &t.e));
}

static void peer_send(unsigned i, const char *text)
{
	assert_int_equal(write(t.peers[i].fd, text, strlen(text)), strlen(text));
}

// Whether the client has closed this connection.
static bool peer_closed(unsigned i)
{
	for (unsigned n = 0; n < 1000 && t.peers[i].h; n++)
		assert_true(loop_once(t.loop, 1, &t.e));
	return !t.peers[i].h;
}

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

static void test_version(void **state)
{
	(void)state;
	assert_non_null(strstr(http_version(), "libcurl/"));
	assert_true(strstr(http_version(), "OpenSSL/") ||
		    strstr(http_version(), "mbedTLS/"));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

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
		CASE(test_chunks),
		CASE(test_cancel_in_chunk),
		CASE(test_free_in_chunk),
		CASE(test_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
