// SPDX-License-Identifier: Apache-2.0
// links: lib/http
// A server over lib/http/server.h for the system tests.
//
//	http_server [--tls CERT KEY] [--connections N] [--scale N] ADDRESS…
//
// --scale divides every deadline. Prints "port N". SIGHUP reads CERT and KEY again
// ("reloaded"), SIGTERM drains ("drained"), SIGUSR1 prints the counters.
//
//	GET  /hello	"hello"
//	GET  /tls	version and cipher
//	POST /echo	the body (at most 1 MiB)
//	POST /digest	the body's length and sum (at most 16 MiB)
//	GET  /later?MS	"later" after MS milliseconds
//	GET  /stream?N	N lines in pieces, as the client takes them
//	GET  /cut	an answer that ends too early
//	any  /any/…	method, path, query and headers as they were read
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/http/server.h"
#include "lib/tls/tls.h"

static struct {
	const char *cert, *key;
	struct loop *loop;
	struct http_server *server;
	struct tls_server *tls;
} me;

static uint64_t number_of(struct str s)
{
	char text[24] = "";
	uint64_t n = 0;
	snprintf(text, sizeof(text), "%.*s", (int)s.len, s.p);
	return str_uint64(text, &n, NULL) ? n : 0;
}

static void on_hello(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	http_answer_text(x, 200, "hello");
}

static void on_tls(void *ctx, struct http_exchange *x)
{
	char text[128] = "plain";
	const struct tls_conn *c = http_exchange_tls(x);
	(void)ctx;
	if (c)
		snprintf(text, sizeof(text), "%s %s", tls_version(c), tls_cipher(c));
	http_answer_text(x, 200, text);
}

static void on_echo(void *ctx, struct http_exchange *x)
{
	struct buf body = BUF_INIT(0);
	(void)ctx;
	http_exchange_take_body(x, &body);
	http_answer_take(x, &(struct http_answer){ .status = 200 }, &body);
}

static void on_digest(void *ctx, struct http_exchange *x)
{
	const struct http_incoming *in = http_exchange_incoming(x);
	uint32_t sum = 0;
	char text[64];
	(void)ctx;
	for (size_t i = 0; i < in->body_len; i++)
		sum = sum * 31 + (unsigned char)in->body[i];
	snprintf(text, sizeof(text), "%zu %u", in->body_len, sum);
	http_answer_text(x, 200, text);
}

struct late {
	struct loop_timer timer;
	struct http_exchange *x;
};

static void on_due(void *ctx, struct loop_timer *t)
{
	struct late *l = ctx;
	(void)t;
	http_answer_text(l->x, 200, http_exchange_gone(l->x) ? "gone" : "later");
	mem_free(l);
}

static void on_later(void *ctx, struct http_exchange *x)
{
	struct late *l = mem_alloc(sizeof(*l));
	(void)ctx;
	l->x = x;
	loop_timer_in(me.loop, &l->timer,
		      (int64_t)number_of(http_exchange_incoming(x)->head.query), on_due,
		      l);
}

struct stream {
	struct http_exchange *x;
	uint64_t at, n;
};

static void on_stream_room(void *ctx)
{
	struct stream *s = ctx;
	size_t waiting = 0;
	while (s->at < s->n && waiting < HTTP_SERVER_BUDGET) {
		char line[32];
		int len = snprintf(line, sizeof(line), "%llu\n",
				   (unsigned long long)s->at++);
		if (!http_stream_send(s->x, line, (size_t)len, &waiting))
			break;
	}
	if (s->at == s->n) {
		http_stream_end(s->x);
		mem_free(s);
	}
}

static void on_stream_gone(void *ctx)
{
	struct stream *s = ctx;
	printf("stream gone\n");
	http_stream_end(s->x);
	mem_free(s);
}

static void on_stream(void *ctx, struct http_exchange *x)
{
	struct stream *s = mem_alloc(sizeof(*s));
	(void)ctx;
	s->x = x;
	s->n = number_of(http_exchange_incoming(x)->head.query);
	http_exchange_on_gone(x, on_stream_gone, s);
	http_stream_on_room(x, on_stream_room, s);
	http_stream_begin(x,
			  &(struct http_answer){ .status = 200, .type = "text/plain" });
}

static void on_cut(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	http_stream_begin(x, &(struct http_answer){ .status = 200 });
	(void)!http_stream_send(x, "half", 4, NULL);
	http_stream_abort(x);
}

static void on_any(void *ctx, struct http_exchange *x)
{
	const struct http_head *h = &http_exchange_incoming(x)->head;
	struct buf body = BUF_INIT(1 << 16);
	(void)ctx;
	buf_printf(&body, "%.*s %.*s ?%.*s\n", (int)h->method.len, h->method.p,
		   (int)h->path.len, h->path.p, (int)h->query.len, h->query.p);
	for (size_t i = 0; i < h->n_fields; i++)
		buf_printf(&body, "%.*s=%.*s\n", (int)h->fields[i].name.len,
			   h->fields[i].name.p, (int)h->fields[i].value.len,
			   h->fields[i].value.p);
	const struct http_field field = { str_of("X-Test"), str_of("yes") };
	http_answer_take(
		x,
		&(struct http_answer){ .status = 200, .fields = &field, .n_fields = 1 },
		&body);
}

static const struct http_route routes[] = {
	{ "GET", "/hello", 0, on_hello },
	{ "GET", "/tls", 0, on_tls },
	{ "POST", "/echo", 1 << 20, on_echo },
	{ "POST", "/digest", 16 << 20, on_digest },
	{ "GET", "/later", 0, on_later },
	{ "GET", "/stream", 0, on_stream },
	{ "GET", "/cut", 0, on_cut },
	{ NULL, "/any/*", 4096, on_any },
	{ .path = NULL },
};

static bool load(struct err *e)
{
	AUTO_BUF struct buf cert = BUF_INIT(1 << 16);
	AUTO_BUF struct buf key = BUF_INIT(1 << 16);
	if (!file_read(me.cert, &cert, e) || !file_read(me.key, &key, e))
		return false;
	const struct tls_server_opts o = { .cert_pem = bytes_of(cert.data, cert.len),
					   .key_pem = bytes_of(key.data, key.len) };
	return me.tls ? tls_server_reload(me.tls, &o, e) : tls_server_new(&o, &me.tls, e);
}

static void on_drained(void *ctx)
{
	(void)ctx;
	printf("drained\n");
	loop_stop(me.loop);
}

static void on_signal(void *ctx, int signo, pid_t sender)
{
	struct err e = ERR_INIT;
	const struct http_server_stats *t = http_server_stats(me.server);
	(void)ctx, (void)sender;
	if (signo == SIGHUP)
		printf("%s\n", load(&e) ? "reloaded" : e.text);
	else if (signo == SIGTERM)
		http_server_drain(me.server, &(struct http_drain){ .done = on_drained });
	else
		printf("open=%u idle=%u accepted=%llu evicted=%llu timed_out=%llu "
		       "requests=%llu refused=%llu bodies=%zu\n",
		       t->open, t->idle, (unsigned long long)t->accepted,
		       (unsigned long long)t->evicted, (unsigned long long)t->timed_out,
		       (unsigned long long)t->requests, (unsigned long long)t->refused,
		       t->bodies);
}

static void scale(struct http_server_opts *o, int64_t by)
{
	o->handshake_ms = HTTP_SERVER_HANDSHAKE_MS / by;
	o->head_ms = HTTP_SERVER_HEAD_MS / by;
	o->body_ms = HTTP_SERVER_BODY_MS / by;
	o->answer_ms = HTTP_SERVER_ANSWER_MS / by;
	o->send_ms = HTTP_SERVER_SEND_MS / by;
	o->idle_ms = HTTP_SERVER_IDLE_MS / by;
}

static bool run(char **at, struct http_server_opts *o, struct err *e)
{
	for (; *at && str_starts(*at, "--"); at++) {
		if (strcmp(*at, "--tls") == 0) {
			me.cert = *++at;
			me.key = *++at;
		} else if (strcmp(*at, "--connections") == 0) {
			o->connections = (unsigned)number_of(str_of(*++at));
		} else if (strcmp(*at, "--scale") == 0) {
			scale(o, (int64_t)number_of(str_of(*++at)));
		}
	}
	if (!crypto_init(e) || !loop_new(&me.loop, e) ||
	    !http_server_new(me.loop, o, &me.server, e) || (me.cert && !load(e)))
		return false;
	http_server_use_tls(me.server, me.tls);
	for (; *at; at++)
		if (!http_server_listen(me.server, *at, NULL, e))
			return false;
	static const int signals[] = { SIGHUP, SIGTERM, SIGUSR1 };
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (!loop_signal_add(me.loop, signals[i], on_signal, NULL, e))
			return false;
	printf("port %u\n", http_server_port(me.server));
	if (!loop_run(me.loop, e))
		return false;
	http_server_free(me.server);
	tls_server_free(me.tls);
	loop_free(me.loop);
	return true;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct http_server_opts o = { .routes = routes };
	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	mem_init(false);
	if (run(argv + 1, &o, &e))
		return 0;
	fprintf(stderr, "http_server: %s\n", e.text);
	return 1;
}
