// SPDX-License-Identifier: Apache-2.0
// Between the files of the server: server.c (connections as a set), server_listen.c
// (addresses), server_conn.c (one connection's life), server_answer.c (exchanges, answers),
// server_tls.c (linked only by who serves TLS).
#pragma once

#include <sys/types.h>

#include "lib/http/server.h"
#include "lib/tls/tls.h"

enum {
	HTTP_READ_STEP = 16 * 1024,
	HTTP_HEAD_STEP = 2047, // with its NUL a block of the heap's size classes
	HTTP_LINGER_MS = 1000, // for a refused client to read the answer
};

// A connection's I/O when it is not plain.
struct http_io {
	MUST_CHECK bool (*accept)(void *server, int fd, struct tls_conn **ret,
				  struct err *e);
	MUST_CHECK enum tls_io (*handshake)(struct tls_conn *c, struct err *e);
	MUST_CHECK enum tls_io (*read)(struct tls_conn *c, void *to, size_t max,
				       size_t *ret_n, struct err *e);
	MUST_CHECK enum tls_io (*write)(struct tls_conn *c, const void *from, size_t len,
					size_t *ret_n, struct err *e);
	bool (*has_pending)(const struct tls_conn *c);
	void (*end)(struct tls_conn *c); // says good-bye
	void (*free)(struct tls_conn *c);
};

struct http_listener {
	struct http_listener *next;
	struct http_server *server;
	int fd;
	struct loop_fd *handle;
	char *path; // of a unix socket
	bool keep_path;
	dev_t dev; // the path's, to remove nobody else's socket
	ino_t ino;
	unsigned port;
};

enum http_phase {
	HTTP_HANDSHAKE,
	HTTP_HEAD, // of the first request, or begun
	HTTP_BODY,
	HTTP_HANDLER,   // it has the exchange
	HTTP_STREAMING, // it sends piece by piece
	HTTP_SENDING,   // the rest of an answer
	HTTP_IDLE,      // between requests
	HTTP_CLOSING,   // the answer is out, the client is still sending
};

struct http_conn {
	struct http_conn *next, **prev;
	struct http_server *server;
	int fd;
	struct loop_fd *handle;
	struct loop_timer timer; // the phase's deadline
	enum http_phase phase;
	int64_t since_ms;         // begin of the phase
	const struct http_io *io; // NULL: plain
	struct tls_conn *tls;     // NULL until the first byte comes
	bool unix_socket;
	bool working, woken; // inside http_conn_work(); it is put off
	bool close, linger;  // after the answer
	size_t scanned;      // of `in`: http_head_end()
	struct buf in;       // read, not used yet
	struct buf out, out_body;
	size_t sent; // of both
	struct http_exchange *x;
};

struct http_exchange {
	struct http_incoming in;
	struct http_exchange *next, **prev; // of the server
	struct http_server *server;         // NULL when it is gone
	struct http_conn *conn;             // NULL when nobody waits
	const struct http_route *route;
	struct buf head, body; // what `in` shows
	struct http_chunked chunked;
	size_t counted; // of the body, in the server's sum
	bool head_only, streaming, out_chunked;
	void (*on_gone)(void *ctx);
	void *gone_ctx;
	void (*on_room)(void *ctx);
	void *room_ctx;
};

struct http_server {
	struct loop *loop;
	struct http_server_opts o; // with the defaults filled in
	const struct http_io *io;
	void *io_server;
	struct http_listener *listeners;
	struct http_conn *conns;
	struct http_exchange *exchanges;
	struct http_server_stats stats;
	struct loop_timer resume; // listeners that were paused
	bool paused;
	bool draining, quiet, ended; // quiet: silent connections may go
	struct http_drain drain;
	struct loop_timer drain_step, drain_end;
};

// server.c
void http_server_accept(struct http_server *s, struct http_listener *l);
void http_server_conn_gone(struct http_server *s); // after a connection has left the list
void http_server_note(struct http_server *s, const char *what, const struct err *e);

// server_listen.c
void http_listener_free(struct http_listener *l);

// server_conn.c
void http_conn_new(struct http_server *s, int fd, bool unix_socket);
void http_conn_free(struct http_conn *c);
void http_conn_set_phase(struct http_conn *c, enum http_phase phase);
// Later in this round it goes on by itself.
void http_conn_wake(struct http_conn *c);
// No request of it has begun: it may go without harm.
bool http_conn_is_silent(const struct http_conn *c);

// server_answer.c
struct http_exchange *http_exchange_new(struct http_conn *c);
void http_exchange_free(struct http_exchange *x);
// Nobody waits any more: the handler keeps an exchange that leads nowhere.
void http_exchange_orphan(struct http_exchange *x);
// The server's own answer, and the connection's end; allow: an Allow header, or NULL.
void http_conn_refuse(struct http_conn *c, int status, const char *text,
		      const char *allow);
