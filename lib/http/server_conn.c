// SPDX-License-Identifier: Apache-2.0
// One connection's life: handshake, head, body, handler, answer, and again. Each step either
// goes on, or waits for the descriptor, for the handler or for its next turn.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/http/server_int.h"

// What a step ends with.
enum go {
	GO_ON,
	GO_READ,  // wait until the descriptor is readable
	GO_WRITE, // … writable
	GO_WAIT,  // for the handler
	GO_LATER, // the others have their turn first
	GO_END,   // the connection has ended: free it
};

static int64_t phase_ms(const struct http_conn *c)
{
	const struct http_server_opts *o = &c->server->o;
	switch (c->phase) {
	case HTTP_HANDSHAKE:
		return o->handshake_ms;
	case HTTP_HEAD:
		return o->head_ms;
	case HTTP_BODY:
		return o->body_ms;
	case HTTP_HANDLER:
		return o->answer_ms;
	case HTTP_STREAMING:
	case HTTP_SENDING:
		return o->send_ms;
	case HTTP_IDLE:
		return o->idle_ms;
	case HTTP_CLOSING:
		break;
	}
	return HTTP_LINGER_MS;
}

bool http_conn_is_silent(const struct http_conn *c)
{
	return c->phase == HTTP_IDLE || (c->phase == HTTP_HANDSHAKE && !c->tls) ||
	       (c->phase == HTTP_HEAD && c->in.len == 0);
}

static void on_deadline(void *ctx, struct loop_timer *t)
{
	struct http_conn *c = ctx;
	(void)t;
	bool silent = http_conn_is_silent(c);
	if (c->phase != HTTP_IDLE && c->phase != HTTP_CLOSING)
		c->server->stats.timed_out++;
	if (!silent && (c->phase == HTTP_HEAD || c->phase == HTTP_BODY))
		http_conn_refuse(c, 408, "the request was not whole in time", NULL);
	else if (c->phase == HTTP_HANDLER)
		http_conn_refuse(c, 504, "no answer in time", NULL);
	else
		http_conn_free(c);
}

void http_conn_set_phase(struct http_conn *c, enum http_phase phase)
{
	c->phase = phase;
	c->since_ms = clock_mono_ms();
	loop_timer_at(c->server->loop, &c->timer, c->since_ms + phase_ms(c), on_deadline,
		      c);
}

// --- bytes

static enum tls_io plain(ssize_t n, size_t *ret_n, enum tls_io wants, struct err *e)
{
	if (n > 0) {
		*ret_n = (size_t)n;
		return TLS_OK;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return wants;
	if (n < 0 && errno != ECONNRESET && errno != EPIPE)
		err_set(e, ERR_RETRY, errno, "connection");
	return TLS_CLOSED;
}

static enum go to_go(struct http_conn *c, enum tls_io r, const char *what,
		     const struct err *e)
{
	if (r == TLS_OK)
		return GO_ON;
	if (r == TLS_WANT_READ)
		return GO_READ;
	if (r == TLS_WANT_WRITE)
		return GO_WRITE;
	http_server_note(c->server, what, e);
	return GO_END;
}

static enum go read_some(struct http_conn *c, struct buf *to, size_t max, size_t *budget)
{
	struct err e = ERR_INIT;
	size_t n = 0;
	char *at = buf_room(to, max);
	if (!at)
		return GO_END; // the caller has looked at the maximum
	enum tls_io r = c->io ? c->io->read(c->tls, at, max, &n, &e)
			      : plain(recv(c->fd, at, max, 0), &n, TLS_WANT_READ, &e);
	to->len += n;
	buf_end(to);
	*budget -= n < *budget ? n : *budget;
	return to_go(c, r, "read", &e);
}

static enum go handshake(struct http_conn *c)
{
	struct err e = ERR_INIT;
	enum tls_io r = TLS_FAILED;
	if (c->tls || c->io->accept(c->server->io_server, c->fd, &c->tls, &e))
		r = c->io->handshake(c->tls, &e);
	if (r == TLS_OK)
		http_conn_set_phase(c, HTTP_HEAD);
	if (r == TLS_FAILED || r == TLS_CLOSED)
		c->server->stats.handshake_failed++;
	return to_go(c, r, "handshake", &e);
}

// --- the request

// The row that fits; NULL, with the status that says why not.
static const struct http_route *find_route(const struct http_server *s,
					   const struct http_head *h, int *ret_status)
{
	*ret_status = 404;
	for (const struct http_route *r = s->o.routes; r->path; r++) {
		size_t len = strlen(r->path);
		bool all = len > 0 && r->path[len - 1] == '*';
		if (all && *ret_status == 405)
			continue; // the path has rows of its own
		if (all ? h->path.len < len - 1 ||
				    memcmp(h->path.p, r->path, len - 1) != 0
			: !str_eq(h->path, r->path))
			continue;
		if (!r->method || str_eq(h->method, r->method) ||
		    (str_eq(h->method, "HEAD") && strcmp(r->method, "GET") == 0))
			return r;
		*ret_status = 405;
	}
	return NULL;
}

// "GET, POST": what the path takes.
static void add_allow(const struct http_server *s, const struct http_head *h,
		      struct buf *to)
{
	for (const struct http_route *r = s->o.routes; r->path; r++)
		if (r->method && str_eq(h->path, r->path))
			buf_printf(to, "%s%s", to->len ? ", " : "", r->method);
}

// Takes the head off c->in; what follows it stays there.
static bool take_head(struct http_conn *c, size_t len, int *ret_status,
		      const char **ret_reason)
{
	struct buf rest = { .max = c->in.max };
	struct http_exchange *x = http_exchange_new(c);
	buf_add(&rest, c->in.data + len, c->in.len - len);
	buf_truncate(&c->in, len);
	x->head = c->in;
	c->in = rest;
	c->scanned = 0;
	if (c->in.len == 0)
		buf_release(&c->in);
	*ret_status = http_head_parse(x->head.data, len, &x->in.head, ret_reason);
	return *ret_status == 0;
}

static enum go refuse_request(struct http_conn *c, int status, const char *reason)
{
	http_conn_refuse(c, status, reason, NULL);
	return GO_ON;
}

static void dispatch(struct http_conn *c)
{
	struct http_exchange *x = c->x;
	http_conn_set_phase(c, HTTP_HANDLER);
	x->in.body = buf_str(&x->body);
	x->in.body_len = x->body.len;
	x->route->fn(c->server->o.ctx, x);
}

static enum go begin_body(struct http_conn *c)
{
	struct http_exchange *x = c->x;
	const struct http_head *h = &x->in.head;
	x->body.max = x->route->max_body;
	if (h->content_length > x->route->max_body)
		return refuse_request(c, 413, "the body is too long");
	if (!h->chunked && h->content_length == 0) {
		dispatch(c);
		return GO_ON;
	}
	http_conn_set_phase(c, HTTP_BODY);
	if (h->wants_continue && c->in.len == 0)
		buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
	return GO_ON;
}

static enum go begin_request(struct http_conn *c, size_t head_len)
{
	int status = 0;
	const char *reason = "no such path";
	if (!take_head(c, head_len, &status, &reason))
		return refuse_request(c, status, reason);
	struct http_exchange *x = c->x;
	c->server->stats.requests++;
	c->close = !x->in.head.keep_alive;
	x->head_only = str_eq(x->in.head.method, "HEAD");
	x->route = find_route(c->server, &x->in.head, &status);
	if (x->route)
		return begin_body(c);
	if (status == 404)
		return refuse_request(c, 404, reason);
	AUTO_BUF struct buf allow = BUF_INIT(256);
	add_allow(c->server, &x->in.head, &allow);
	http_conn_refuse(c, 405, "another method is served here", buf_str(&allow));
	return GO_ON;
}

static enum go read_head(struct http_conn *c, size_t *budget)
{
	c->in.max = c->server->o.head_max + HTTP_READ_STEP;
	size_t end = http_head_end(buf_str(&c->in), c->in.len, &c->scanned);
	if (end > c->server->o.head_max || (!end && c->in.len >= c->server->o.head_max))
		return refuse_request(c, 431, "the head is too long");
	if (end)
		return begin_request(c, end);
	enum go go = read_some(c, &c->in, HTTP_HEAD_STEP, budget);
	if (go == GO_ON && c->phase == HTTP_IDLE)
		http_conn_set_phase(c, HTTP_HEAD);
	if (c->in.len == 0)
		buf_release(&c->in); // while it is idle
	return go;
}

// Counts what the body has grown by. False: too much in the whole server.
static bool count_body(struct http_conn *c)
{
	struct http_exchange *x = c->x;
	c->server->stats.bodies += x->body.len - x->counted;
	x->counted = x->body.len;
	return c->server->stats.bodies <= c->server->o.bodies_max;
}

static enum go read_chunked(struct http_conn *c, size_t *budget)
{
	struct http_exchange *x = c->x;
	if (c->in.len == 0) {
		enum go go = read_some(c, &c->in, HTTP_READ_STEP, budget);
		if (go != GO_ON)
			return go;
	}
	size_t used = 0;
	enum http_chunked_result r =
		http_chunked_take(&x->chunked, c->in.data, c->in.len, &used, &x->body);
	struct buf rest = { .max = c->in.max };
	buf_add(&rest, c->in.data + used, c->in.len - used);
	buf_release(&c->in);
	c->in = rest;
	if (r == HTTP_CHUNKED_BAD)
		return refuse_request(c, 400, "malformed chunk");
	if (r == HTTP_CHUNKED_TOO_LONG)
		return refuse_request(c, 413, "the body is too long");
	if (r == HTTP_CHUNKED_END)
		dispatch(c);
	return GO_ON;
}

static enum go read_plain_body(struct http_conn *c, size_t *budget)
{
	struct http_exchange *x = c->x;
	size_t whole = (size_t)x->in.head.content_length, left = whole - x->body.len;
	if (c->in.len > 0) { // came with the head
		size_t n = c->in.len < left ? c->in.len : left;
		struct buf rest = { .max = c->in.max };
		buf_add(&x->body, c->in.data, n);
		buf_add(&rest, c->in.data + n, c->in.len - n);
		buf_release(&c->in);
		c->in = rest;
	} else {
		size_t step = left < HTTP_READ_STEP ? left : HTTP_READ_STEP;
		enum go go = read_some(c, &x->body, step, budget);
		if (go != GO_ON)
			return go;
	}
	if (x->body.len == whole)
		dispatch(c);
	return GO_ON;
}

// The largest body that is still on its way gives way to the others.
static struct http_conn *largest_body(const struct http_server *s)
{
	struct http_conn *largest = NULL;
	for (struct http_conn *c = s->conns; c; c = c->next)
		if (c->phase == HTTP_BODY &&
		    (!largest || c->x->counted > largest->x->counted))
			largest = c;
	return largest;
}

static enum go read_body(struct http_conn *c, size_t *budget)
{
	while (!count_body(c)) {
		struct http_conn *largest = largest_body(c->server);
		if (largest == c || !largest)
			return refuse_request(c, 503, "too many requests with bodies");
		http_conn_refuse(largest, 503, "too many requests with bodies", NULL);
	}
	return c->x->in.head.chunked ? read_chunked(c, budget)
				     : read_plain_body(c, budget);
}

// --- the answer

static enum go send_some(struct http_conn *c)
{
	struct err e = ERR_INIT;
	size_t n = 0;
	bool body = c->sent >= c->out.len;
	const struct buf *b = body ? &c->out_body : &c->out;
	const char *at = b->data + c->sent - (body ? c->out.len : 0);
	size_t len = b->len - (size_t)(at - b->data);
	enum tls_io r =
		c->io ? c->io->write(c->tls, at, len, &n, &e)
		      : plain(send(c->fd, at, len, MSG_NOSIGNAL), &n, TLS_WANT_WRITE, &e);
	c->sent += n;
	if (c->sent == c->out.len + c->out_body.len) {
		buf_release(&c->out);
		buf_release(&c->out_body);
		c->sent = 0;
	}
	return to_go(c, r, "write", &e);
}

static enum go discard(struct http_conn *c, size_t *budget)
{
	char bytes[4096];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	if (n > 0) {
		*budget -= (size_t)n < *budget ? (size_t)n : *budget;
		return GO_ON;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? GO_READ : GO_END;
}

// A whole answer is out: the next request, or the end.
static enum go after_answer(struct http_conn *c)
{
	if (c->close && c->linger) {
		// What is still being sent would be answered by a reset, which takes our
		// answer with it: read it for a moment.
		if (c->io)
			c->io->end(c->tls);
		shutdown(c->fd, SHUT_WR);
		http_conn_set_phase(c, HTTP_CLOSING);
		return GO_ON;
	}
	if (c->close || (c->server->draining && c->server->quiet))
		return GO_END;
	http_conn_set_phase(c, c->in.len ? HTTP_HEAD : HTTP_IDLE);
	return c->in.len || (c->io && c->io->has_pending(c->tls)) ? GO_LATER : GO_READ;
}

static enum go step(struct http_conn *c, size_t *budget)
{
	if (c->phase == HTTP_CLOSING)
		return discard(c, budget);
	if (c->out.len + c->out_body.len > 0)
		return send_some(c);
	switch (c->phase) {
	case HTTP_HANDSHAKE:
		return handshake(c);
	case HTTP_HEAD:
	case HTTP_IDLE:
		return read_head(c, budget);
	case HTTP_BODY:
		return read_body(c, budget);
	case HTTP_SENDING:
		return after_answer(c);
	case HTTP_STREAMING:
		loop_timer_cancel(&c->timer); // nothing waits for the client
		if (c->x->on_room)
			c->x->on_room(c->x->room_ctx);
		return c->out.len + c->out_body.len > 0 || c->phase != HTTP_STREAMING
			       ? GO_ON
			       : GO_WAIT;
	case HTTP_HANDLER:
	case HTTP_CLOSING:
		break;
	}
	return GO_WAIT;
}

static void work(struct http_conn *c)
{
	size_t budget = HTTP_SERVER_BUDGET;
	enum go go = GO_ON;
	c->working = true;
	while (go == GO_ON)
		go = budget == 0 ? GO_LATER : step(c, &budget);
	c->working = false;
	if (go == GO_LATER)
		http_conn_wake(c);
	unsigned events = go == GO_READ ? LOOP_READ : go == GO_WRITE ? LOOP_WRITE : 0;
	if (go == GO_END || !loop_fd_change(c->handle, events, NULL))
		http_conn_free(c);
}

static void on_woken(void *ctx)
{
	struct http_conn *c = ctx;
	c->woken = false;
	work(c);
}

void http_conn_wake(struct http_conn *c)
{
	if (c->working || c->woken)
		return;
	c->woken = true;
	loop_later(c->server->loop, on_woken, c);
}

static void on_ready(void *ctx, int fd, unsigned events)
{
	struct http_conn *c = ctx;
	(void)fd;
	// While the handler has it nothing is asked for: only a broken connection is told.
	bool waits = c->phase == HTTP_HANDLER ||
		     (c->phase == HTTP_STREAMING && c->out.len == 0);
	if (waits && events & LOOP_HANGUP)
		http_conn_free(c);
	else if (!waits)
		work(c);
}

void http_conn_new(struct http_server *s, int fd, bool unix_socket)
{
	struct http_conn *c = mem_alloc(sizeof(*c));
	c->server = s;
	c->fd = fd;
	c->unix_socket = unix_socket;
	c->io = s->io;
	c->next = s->conns;
	c->prev = &s->conns;
	if (c->next)
		c->next->prev = &c->next;
	s->conns = c;
	c->out.max = c->out_body.max = SIZE_MAX / 4; // our own bytes
	s->stats.open++;
	s->stats.accepted++;
	http_conn_set_phase(c, c->io ? HTTP_HANDSHAKE : HTTP_HEAD);
	if (!loop_fd_add(s->loop, fd, LOOP_READ, on_ready, c, &c->handle, NULL))
		http_conn_free(c);
}

void http_conn_free(struct http_conn *c)
{
	struct http_server *s = c->server;
	struct http_exchange *x = TAKE(c->x);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	loop_timer_cancel(&c->timer);
	if (c->woken)
		loop_later_cancel(s->loop, c);
	loop_fd_remove(c->handle);
	if (c->tls) {
		if (c->phase != HTTP_HANDSHAKE && c->phase != HTTP_CLOSING)
			c->io->end(c->tls);
		c->io->free(c->tls);
	}
	close(c->fd);
	buf_release(&c->in);
	buf_release(&c->out);
	buf_release(&c->out_body);
	bool held = c->phase == HTTP_HANDLER || c->phase == HTTP_STREAMING;
	s->stats.cut += held || c->phase == HTTP_SENDING;
	mem_free(c);
	if (x && held)
		http_exchange_orphan(x);
	else
		http_exchange_free(x);
	http_server_conn_gone(s);
}
