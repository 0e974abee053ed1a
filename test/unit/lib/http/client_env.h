// SPDX-License-Identifier: Apache-2.0
// What the client's tests share: a server on the same loop, an owner that notes what it
// is told, and a clock that the test moves.
#pragma once

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

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
