// SPDX-License-Identifier: Apache-2.0
// The server on a loop with a clock that the test moves: deadlines, limits, order, the end.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/http/server.h"
#include "test/support/clock_fake.h"

enum { START = 1000000, CONNECTIONS = 4, BODIES = 10000 };
#define HOST "Host: a\r\n"

static struct {
	struct loop *loop;
	struct http_server *server;
	char path[64];
	struct http_exchange *held[8];
	unsigned n_held, gone, drained;
	char got[1 << 18];
} t;

static void on_hello(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	http_answer_text(x, 200, "hello");
}

static void on_gone(void *ctx)
{
	(void)ctx;
	t.gone++;
}

static void on_hold(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	http_exchange_on_gone(x, on_gone, NULL);
	t.held[t.n_held++] = x;
}

static void on_length(void *ctx, struct http_exchange *x)
{
	char text[32];
	(void)ctx;
	snprintf(text, sizeof(text), "len=%zu", http_exchange_incoming(x)->body_len);
	http_answer_text(x, 200, text);
}

static void on_stream(void *ctx, struct http_exchange *x)
{
	on_hold(ctx, x);
	http_stream_begin(x, &(struct http_answer){ .status = 200 });
}

static const struct http_route routes[] = {
	{ "GET", "/hello", 0, on_hello },
	{ NULL, "/hold", 9000, on_hold },
	{ "POST", "/length", 9000, on_length },
	{ "GET", "/stream", 0, on_stream },
	{ .path = NULL },
};

static void turn(void)
{
	for (int i = 0; i < 8; i++)
		assert_true(loop_once(t.loop, 0, NULL));
}

static void pass(int64_t ms)
{
	clock_fake_advance(ms);
	turn();
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	clock_fake_set(START, 784111777000);
	snprintf(t.path, sizeof(t.path), "/tmp/ampoule-server-%d.sock", (int)getpid());
	const struct http_server_opts o = { .routes = routes,
					    .connections = CONNECTIONS,
					    .bodies_max = BODIES };
	return loop_new(&t.loop, NULL) && http_server_new(t.loop, &o, &t.server, NULL) &&
			       http_server_listen(t.server, t.path, NULL, NULL)
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	(void)state;
	http_server_free(t.server);
	for (unsigned i = 0; i < t.n_held; i++)
		if (t.held[i])
			http_answer_text(t.held[i], 200, "late");
	loop_free(t.loop);
	clock_fake_release();
	return 0;
}

static int dial(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	memcpy(at.sun_path, t.path, strlen(t.path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	turn();
	return fd;
}

static void tell(int fd, const char *bytes)
{
	size_t len = strlen(bytes);
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
	turn();
}

// What has come; "" for nothing, NULL when the connection has ended.
static const char *hear(int fd)
{
	size_t len = 0;
	for (;;) {
		ssize_t n = recv(fd, t.got + len, sizeof(t.got) - 1 - len, 0);
		if (n <= 0) {
			t.got[len] = '\0';
			return len || (n < 0 && errno == EAGAIN) ? t.got : NULL;
		}
		len += (size_t)n;
		turn();
	}
}

static void expect_answer(int fd, const char *part)
{
	const char *got = hear(fd);
	if (!got || !strstr(got, part))
		fail_msg("no '%s' in '%s'", part, got ? got : "(ended)");
}

static void keeps_a_connection(void **state)
{
	(void)state;
	int fd = dial();
	tell(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	assert_string_equal(hear(fd), "HTTP/1.1 200 OK\r\n"
				      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
				      "Content-Type: text/plain; charset=utf-8\r\n"
				      "Content-Length: 6\r\n\r\nhello\n");
	assert_int_equal(http_server_stats(t.server)->idle, 1);
	tell(fd, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");
	const char *got = hear(fd);
	assert_non_null(strstr(got, "Content-Length: 6\r\n"));
	assert_null(strstr(got, "hello"));
	pass(HTTP_SERVER_IDLE_MS - 1);
	assert_string_equal(hear(fd), "");
	pass(2);
	assert_null(hear(fd));
	close(fd);
}

static void what_comes_ahead_waits_its_turn(void **state)
{
	(void)state;
	int fd = dial();
	tell(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\nPOST /length HTTP/1.1\r\n" HOST
		 "Content-Length: 3\r\n\r\nabcGET /hello HTTP/1.1\r\n" HOST "\r\n");
	assert_string_equal(hear(fd), "");
	assert_int_equal(t.n_held, 1);
	http_answer_text(TAKE(t.held[0]), 200, "first");
	turn();
	const char *got = hear(fd);
	const char *first = strstr(got, "first"), *second = strstr(got, "len=3"),
		   *third = strstr(got, "hello");
	assert_true(first && second && third && first < second && second < third);
	close(fd);
}

static void each_phase_has_an_absolute_end(void **state)
{
	(void)state;
	int head = dial(), body = dial(), handler = dial(), silent = dial();
	tell(head, "GET /he");
	tell(body, "POST /length HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n1");
	tell(handler, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	for (int i = 0; i < 9; i++) { // a byte a second gains nothing
		pass(1000);
		tell(head, "l");
		if (i < 7)
			tell(body, "2");
	}
	assert_string_equal(hear(head), "");
	assert_string_equal(hear(body), "");
	pass(1001);
	expect_answer(head, "408 ");
	expect_answer(body, "408 ");
	assert_null(hear(silent));
	assert_string_equal(hear(handler), "");
	pass(20000);
	expect_answer(handler, "504 ");
	assert_int_equal(t.gone, 1);
	assert_true(http_exchange_gone(t.held[0]));
	http_answer_text(TAKE(t.held[0]), 200, "too late");
	pass(HTTP_SERVER_IDLE_MS);
	assert_int_equal(http_server_stats(t.server)->open, 0);
	assert_int_equal(http_server_stats(t.server)->timed_out, 4);
	close(head), close(body), close(handler), close(silent);
}

static void limits_are_refused_with_a_status(void **state)
{
	(void)state;
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{ "GET /nowhere HTTP/1.1\r\n" HOST "\r\n", "404 " },
		{ "PUT /hello HTTP/1.1\r\n" HOST "\r\n", "Allow: GET\r\n" },
		{ "POST /length HTTP/1.1\r\n" HOST "Content-Length: 9001\r\n\r\n",
		  "413 " },
		{ "POST /length HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		  "2329\r\n",
		  "" },
		{ "GET /hello HTTP/1.1\r\n\r\n", "400 " },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = dial();
		tell(fd, cases[i].request);
		expect_answer(fd, cases[i].answer);
		close(fd);
		turn();
	}
	static char much[HTTP_SERVER_HEAD_MAX + 1];
	memset(much, 'a', sizeof(much) - 1);
	int fd = dial();
	tell(fd, "GET /hello HTTP/1.1\r\nX: ");
	tell(fd, much);
	expect_answer(fd, "431 ");
	close(fd);
}

static void bodies_have_a_common_limit(void **state)
{
	(void)state;
	static char half[6001];
	memset(half, 'b', sizeof(half) - 1);
	int a = dial(), b = dial();
	static const char head[] =
		"POST /length HTTP/1.1\r\n" HOST "Content-Length: 6001\r\n\r\n";
	tell(a, head), tell(a, half);
	assert_int_equal(http_server_stats(t.server)->bodies, 6000);
	// Who asks for less is not refused for what others hold.
	tell(b, "POST /length HTTP/1.1\r\n" HOST "Content-Length: 5000\r\n\r\n");
	half[4999] = '\0';
	tell(b, half);
	expect_answer(a, "503 ");
	tell(b, "b");
	expect_answer(b, "len=5000");
	close(a), close(b);
	a = dial(), b = dial();
	half[4999] = 'b';
	tell(a, head), half[5999] = '\0', tell(a, half);
	tell(b, head), half[5999] = 'b', tell(b, half);
	expect_answer(b, "503 ");
	tell(a, "bb");
	expect_answer(a, "len=6001");
	assert_int_equal(http_server_stats(t.server)->bodies, 0);
	close(a), close(b);
}

static void who_does_not_begin_makes_room(void **state)
{
	(void)state;
	int fds[CONNECTIONS];
	for (int i = 0; i < CONNECTIONS; i++)
		fds[i] = dial();
	tell(fds[0], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	tell(fds[1], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	expect_answer(fds[1], "hello");
	tell(fds[2], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	pass(1500); // fds[3] has said nothing
	int fd = dial();
	tell(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	expect_answer(fd, "hello");
	assert_null(hear(fds[3]));
	assert_string_equal(hear(fds[1]), "");
	pass(3000);
	tell(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	expect_answer(fd, "hello");
	pass(600);
	int next = dial(); // now the one that has been idle for long
	tell(next, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	assert_null(hear(fds[1]));
	tell(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(t.n_held, 4);
	int waits = dial(); // all are at work
	tell(waits, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	assert_string_equal(hear(waits), "");
	http_answer_text(TAKE(t.held[0]), 200, "done");
	pass(200);
	assert_string_equal(hear(waits), ""); // fresh ones are kept
	pass(5000);
	expect_answer(waits, "hello");
	assert_int_equal(http_server_stats(t.server)->evicted, 3);
	for (int i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
	close(fd), close(next), close(waits);
}

static void a_stream_ends_or_is_cut(void **state)
{
	(void)state;
	int fd = dial();
	tell(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
	expect_answer(fd, "Transfer-Encoding: chunked\r\n\r\n");
	pass(HTTP_SERVER_SEND_MS + 1); // nothing waits for the client: no deadline
	size_t waiting = 0;
	assert_true(http_stream_send(t.held[0], "abc", 3, &waiting));
	assert_int_equal(waiting, 8);
	turn();
	assert_string_equal(hear(fd), "3\r\nabc\r\n");
	http_stream_end(TAKE(t.held[0]));
	turn();
	assert_string_equal(hear(fd), "0\r\n\r\n");
	tell(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
	(void)hear(fd);
	http_stream_abort(TAKE(t.held[1]));
	turn();
	assert_null(hear(fd));
	close(fd);
	fd = dial();
	tell(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
	close(fd);
	turn();
	assert_int_equal(t.gone, 1);
	assert_false(http_stream_send(t.held[2], "x", 1, NULL));
	http_stream_end(TAKE(t.held[2]));
}

static void on_drained(void *ctx)
{
	(void)ctx;
	t.drained++;
}

static void the_end_answers_what_has_arrived(void **state)
{
	(void)state;
	int busy = dial(), idle = dial();
	tell(busy, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	tell(idle, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	expect_answer(idle, "hello");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	memcpy(at.sun_path, t.path, strlen(t.path) + 1);
	int queued = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(queued, (struct sockaddr *)&at, sizeof(at)), 0);
	http_server_drain(t.server, &(struct http_drain){ .done = on_drained });
	tell(queued, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	expect_answer(queued, "Connection: close");
	assert_int_equal(access(t.path, F_OK), -1);
	tell(idle, "GET /hello HTTP/1.1\r\n" HOST "\r\n"); // just in time
	expect_answer(idle, "Connection: close");
	pass(1000);
	assert_int_equal(t.drained, 0);
	http_answer_text(TAKE(t.held[0]), 200, "done");
	turn();
	expect_answer(busy, "done");
	assert_int_equal(t.drained, 1);
	close(busy), close(idle), close(queued);
}

static void the_end_has_an_end(void **state)
{
	(void)state;
	int fd = dial();
	tell(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
	http_server_drain(t.server,
			  &(struct http_drain){ .done = on_drained, .max_ms = 5000 });
	pass(4999);
	assert_int_equal(t.drained, 0);
	pass(1);
	assert_int_equal(t.drained, 1);
	assert_int_equal(t.gone, 1);
	close(fd);
}

static void sockets_are_replaced_with_care(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	struct stat st;
	assert_int_equal(stat(t.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(http_server_listen(t.server, t.path, NULL, &e));
	assert_non_null(strstr(e.text, "another process listens"));
	err_clear(&e);
	assert_false(http_server_listen(t.server, "/dev/null", NULL, &e));
	assert_non_null(strstr(e.text, "is no socket"));
	static const char *const wrong[] = { "8200", "host.example:80",
					     "127.0.0.1:", "127.0.0.1:65536", "[::1]" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		err_clear(&e);
		assert_false(http_server_listen(t.server, wrong[i], NULL, &e));
		assert_non_null(strstr(e.text, wrong[i]));
	}
	assert_true(http_server_listen(t.server, "localhost:0", NULL, NULL));
	assert_int_not_equal(http_server_port(t.server), 0);
	// A socket that a killed process has left
	char path[80];
	snprintf(path, sizeof(path), "%s.old", t.path);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	memcpy(at.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	assert_true(http_server_listen(t.server, path,
				       &(struct http_listen_opts){ .mode = 0660 }, NULL));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_a_connection),
		TEST(what_comes_ahead_waits_its_turn),
		TEST(each_phase_has_an_absolute_end),
		TEST(limits_are_refused_with_a_status),
		TEST(bodies_have_a_common_limit),
		TEST(who_does_not_begin_makes_room),
		TEST(a_stream_ends_or_is_cut),
		TEST(the_end_answers_what_has_arrived),
		TEST(the_end_has_an_end),
		TEST(sockets_are_replaced_with_care),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
