// SPDX-License-Identifier: Apache-2.0
// links: lib/http
// What a client sends to a whole server, in two pieces: every answer must be one, nothing
// may stay behind, and a request that comes afterwards over another connection is served.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/http/server.h"
#include "lib/http/server_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct http_server *server;
static struct http_exchange *held;

static void on_hold(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	if (held)
		http_answer_text(held, 200, "held");
	held = x;
}

static void on_echo(void *ctx, struct http_exchange *x)
{
	const struct http_incoming *in = http_exchange_incoming(x);
	(void)ctx;
	http_answer(x, &(struct http_answer){
			       .status = 200, .body = in->body, .len = in->body_len });
}

static void on_stream(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	http_stream_begin(x, &(struct http_answer){ .status = 200 });
	if (!http_stream_send(x, "piece", 5, NULL))
		abort();
	http_stream_end(x);
}

static const struct http_route routes[] = {
	{ "GET", "/h", 0, on_hold },
	{ "POST", "/e", 512, on_echo },
	{ "GET", "/s", 0, on_stream },
	{ NULL, "/e/*", 64, on_echo },
	{ .path = NULL },
};

static void start(void)
{
	mem_init(false);
	const struct http_server_opts o = { .routes = routes, .head_max = 1024 };
	if (!loop_new(&loop, NULL) || !http_server_new(loop, &o, &server, NULL))
		abort();
}

static void turn(void)
{
	for (int i = 0; i < 6; i++)
		if (!loop_once(loop, 0, NULL))
			abort();
}

static int open_client(void)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		abort();
	http_conn_new(server, pair[1], true);
	return pair[0];
}

static void send_to(int fd, const void *bytes, size_t len)
{
	(void)!send(fd, bytes, len, MSG_NOSIGNAL);
	turn();
}

static size_t receive(int fd, char *to, size_t max)
{
	ssize_t n = recv(fd, to, max, 0);
	return n > 0 ? (size_t)n : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] = "GET /s HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char begin[] = "HTTP/1.1 ";
	static char got[1 << 16];
	if (!loop)
		start();
	if (size == 0 || size > 8192)
		return 0;
	size_t len = size - 1, cut = data[0] < len ? data[0] : len;
	int fd = open_client(), other = open_client();
	send_to(fd, data + 1, cut);
	send_to(fd, data + 1 + cut, len - cut);
	size_t n = receive(fd, got, sizeof(got));
	if (n > 0 && (n < sizeof(begin) || memcmp(got, begin, sizeof(begin) - 1) != 0))
		abort();
	send_to(other, good, sizeof(good) - 1);
	n = receive(other, got, sizeof(got));
	if (n == 0 || !memmem(got, n, "200 OK", 6))
		abort();
	close(fd);
	close(other);
	if (held)
		http_answer_text(held, 200, "held");
	held = NULL;
	turn();
	for (int i = 0; i < 64 && http_server_stats(server)->open; i++)
		turn();
	if (http_server_stats(server)->open || http_server_stats(server)->bodies)
		abort();
	return 0;
}
