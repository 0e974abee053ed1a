// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 server on the loop: TCP and unix sockets, plain or TLS (lib/tls), keep-alive. It
// serves the webhook and the agent's listeners. No HTTP/2: kube-apiserver speaks HTTP/1.1 to
// services. Small when idle: a connection that waits for its next request holds no buffer
// but its TLS library's.
//
//	static const struct http_route routes[] = {
//		{ "GET", "/healthz", 0, on_healthz },
//		{ "POST", "/mutate", 8 << 20, on_mutate },
//		{ NULL },
//	};
//	struct http_server_opts o = { .routes = routes, .ctx = me };
//	if (!http_server_new(loop, &o, &s, e)) …
//	http_server_use_tls(s, tls);			// before listening; or stay plain
//	if (!http_server_listen(s, "[::]:8443", NULL, e)) …
//
//	static void on_mutate(void *ctx, struct http_exchange *x)
//	{
//		const struct http_incoming *in = http_exchange_incoming(x);
//		…						// now, or later
//		http_answer(x, &(struct http_answer){ .status = 200, .type = "…",
//						      .body = json.data, .len = json.len });
//	}
//
// One request of a connection is served at a time; what a client sends ahead waits. A
// connection is given at most HTTP_SERVER_BUDGET bytes and one request a wake-up, then the
// others have their turn.
//
// What is refused without asking the handler, with a status, a line of text and the
// connection's end: a malformed head (400), too long a head (431), an unknown path (404), a
// known path with another method (405 with Allow), a body above the route's limit (413, by
// Content-Length before a byte of it is read), codings (501), versions (505), too many bytes
// of bodies in the whole server (503 for the largest that is not whole). GET serves HEAD too;
// its body is not sent.
//
// Deadlines are absolute for each phase, never per byte: a client that sends a byte a second
// gains nothing. A request not whole in time is answered with 408, a handler that does not
// answer in time with 504 (its late answer is dropped).
//
// At the limit of connections one makes room for a new one: the oldest that has been at its
// handshake or head for a second, else at its body for two, else idle for five. When there
// is none, new ones wait in the kernel's queue.
//
// Errors are for start-up only. Afterwards nothing fails as a whole: broken connections are
// counted (http_server_stats()) and told to opts.note.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/http/server_head.h"
#include "lib/loop/loop.h"

struct tls_server;
struct tls_conn;
struct http_server;
struct http_exchange;

enum {
	HTTP_SERVER_CONNECTIONS = 1024,
	HTTP_SERVER_HEAD_MAX = 16 * 1024,
	HTTP_SERVER_BODIES_MAX = 32 << 20, // of all connections together
	HTTP_SERVER_HANDSHAKE_MS = 5000,   // from the connection's begin
	HTTP_SERVER_HEAD_MS = 10000, // from the handshake's end, or the head's first byte
	HTTP_SERVER_BODY_MS = 10000, // from the head's end
	HTTP_SERVER_ANSWER_MS = 30000, // for the handler to begin
	HTTP_SERVER_SEND_MS = 30000,   // for the client to take a whole answer
	HTTP_SERVER_IDLE_MS = 300000,  // between requests
	HTTP_SERVER_BUDGET = 64 * 1024,
};

typedef void http_handler_fn(void *ctx, struct http_exchange *x);

// A table ends with a NULL path. The first row that fits counts; a path that has rows of its
// own is not given to a pattern because of its method.
struct http_route {
	const char *method; // "GET", …; NULL: any
	const char *path;   // whole and exact; with "*" at its end: all that begin so
	size_t max_body;
	http_handler_fn *fn;
};

struct http_server_opts {
	const struct http_route *routes; // lives as long as the server
	void *ctx;                       // for handlers and note
	// 0: the values above.
	unsigned connections;
	size_t head_max, bodies_max;
	int64_t handshake_ms, head_ms, body_ms, answer_ms, send_ms, idle_ms;
	// Of a connection that broke: what (a fixed word: "handshake", "read", "write") and
	// why. May be NULL. A port scan makes many: log at debug.
	void (*note)(void *ctx, const char *what, const struct err *e);
};

MUST_CHECK bool http_server_new(struct loop *l, const struct http_server_opts *o,
				struct http_server **ret, struct err *e);
// Connections opened from now on speak TLS with the server's present material: after
// tls_server_reload(t) those that exist go on with theirs, so that a new certificate drops
// nobody. `t` stays the caller's and outlives the server. NULL: plain again.
void http_server_use_tls(struct http_server *s, struct tls_server *t);

struct http_listen_opts {
	unsigned mode;    // of a unix socket, 0 = 0600
	bool ipv6_only;   // "[::]:PORT" takes IPv4 as well unless set
	bool keep_socket; // do not remove the unix socket at the end
};
// "127.0.0.1:8200", "[::1]:8200", "localhost:8200" (the IPv4 loopback), ":8200" (every
// address), "unix:///run/x.sock", "/run/x.sock". Several calls add up. Port 0: the kernel
// chooses, see http_server_port(). A socket that a killed process left is replaced, another
// kind of file is an error, and so is a socket that somebody listens at.
MUST_CHECK bool http_server_listen(struct http_server *s, const char *address,
				   const struct http_listen_opts *o, struct err *e);
unsigned http_server_port(const struct http_server *s); // of the last TCP listener; 0

// The graceful end. Listeners go on for accept_ms (a Service needs a moment to forget us),
// then what waits in their queues is taken and they close. From the call on every answer
// says "Connection: close"; connections without a request close when they have been silent
// for linger_ms after the listeners closed. `done` runs from the loop when the last one has
// gone, or after max_ms, when those that are left are cut. A request that has arrived is
// answered.
struct http_drain {
	int64_t accept_ms; // 0: stop accepting at once
	int64_t linger_ms; // 0 = 250
	int64_t max_ms;    // 0 = 30000
	void (*done)(void *ctx);
	void *ctx;
};
void http_server_drain(struct http_server *s, const struct http_drain *d);
// Cuts everything. Exchanges that handlers still hold stay valid, their answers are dropped.
void http_server_free(struct http_server *s);

struct http_server_stats {
	unsigned open, idle, handshaking; // connections now; idle: between requests
	uint64_t accepted, evicted;       // connections
	uint64_t handshake_failed;        // TLS
	uint64_t timed_out;               // deadlines of any phase
	uint64_t requests;                // heads that were read and well-formed
	uint64_t answers[6];              // by hundreds of the status: [2] = 2xx
	uint64_t refused;                 // answered by the server itself
	uint64_t cut;                     // the client left before its answer was out
	size_t bodies;                    // bytes of request bodies held now
};
const struct http_server_stats *http_server_stats(const struct http_server *s);

// --- one request and its answer. An exchange belongs to its handler until it is answered:
// http_answer(), http_stream_end() or http_stream_abort() end it, and it must not be
// touched afterwards. Exactly one of them is called in the end, also when the client has
// long gone (the answer is dropped then).

struct http_incoming {
	struct http_head head; // method, path, query, fields
	const char *body;      // decoded and whole; "" when there is none; NUL behind it
	size_t body_len;
	bool unix_socket; // came by one
};
// Valid as long as the exchange. The request's bytes are wiped with it.
const struct http_incoming *http_exchange_incoming(const struct http_exchange *x);
// Takes the body away (to keep it longer, or to parse it in place); the view is empty then.
void http_exchange_take_body(struct http_exchange *x, struct buf *to);
// Nobody waits for the answer any more (left, or the deadline is over): a handler that is
// slow may look before it goes on.
bool http_exchange_gone(const struct http_exchange *x);
// `fn` runs once when that happens; the answer (any) is still due. For cancelling work.
void http_exchange_on_gone(struct http_exchange *x, void (*fn)(void *ctx), void *ctx);
// The connection over which it came, for its version, cipher or client certificate; NULL
// for a plain one and when the client has left.
const struct tls_conn *http_exchange_tls(const struct http_exchange *x);

struct http_answer {
	int status;       // 200 … 599
	const char *type; // Content-Type, NULL = none
	// More headers. Not Content-Length, Transfer-Encoding, Connection, Date. What cannot
	// stand in a header line (control characters) is left out.
	const struct http_field *fields;
	size_t n_fields;
	const void *body; // copied
	size_t len;
	bool close; // end the connection afterwards
};
void http_answer(struct http_exchange *x, const struct http_answer *a);
// The same with a body that is given away: no copy, wiped when it is out.
void http_answer_take(struct http_exchange *x, const struct http_answer *a,
		      struct buf *body);
// A line of text as the whole body, for errors; reason is not secret.
void http_answer_text(struct http_exchange *x, int status, const char *text);

// In pieces, for an answer whose length is not known: chunked, or until the connection's
// end for HTTP/1.0. send_ms runs from the last moment when nothing was waiting to be sent.
// a->body is not looked at.
void http_stream_begin(struct http_exchange *x, const struct http_answer *a);
// Copied. *ret_waiting (may be NULL): bytes not taken by the client yet; above
// HTTP_SERVER_BUDGET a producer should wait for on_room. False when nobody listens.
bool http_stream_send(struct http_exchange *x, const void *bytes, size_t len,
		      size_t *ret_waiting);
// Runs each time when all that was sent is out.
void http_stream_on_room(struct http_exchange *x, void (*fn)(void *ctx), void *ctx);
void http_stream_end(struct http_exchange *x);
// The answer cannot be finished: the connection is cut, so that the client knows.
void http_stream_abort(struct http_exchange *x);

// "Not Found" for 404, …
const char *http_status_words(int status);
