// SPDX-License-Identifier: Apache-2.0
// Exchanges, and how an answer becomes bytes.
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/http/date.h"
#include "lib/http/server_int.h"

static const struct {
	int status;
	const char *words;
} status_words[] = {
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 307, "Temporary Redirect" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *http_status_words(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(status_words); i++)
		if (status_words[i].status == status)
			return status_words[i].words;
	static const char *const classes[] = { "", "Continue", "Success", "Redirect",
					       "Client Error" };
	size_t class = (size_t)(status / 100);
	return class < ARRAY_LEN(classes) ? classes[class] : "Server Error";
}

// --- exchanges

struct http_exchange *http_exchange_new(struct http_conn *c)
{
	struct http_server *s = c->server;
	struct http_exchange *x = mem_alloc(sizeof(*x));
	x->server = s;
	x->conn = c;
	x->in.unix_socket = c->unix_socket;
	x->next = s->exchanges;
	x->prev = &s->exchanges;
	if (x->next)
		x->next->prev = &x->next;
	s->exchanges = x;
	c->x = x;
	return x;
}

static void uncount_body(struct http_exchange *x)
{
	if (x->server)
		x->server->stats.bodies -= x->counted;
	x->counted = 0;
}

void http_exchange_free(struct http_exchange *x)
{
	if (!x)
		return;
	uncount_body(x);
	if (x->server) {
		*x->prev = x->next;
		if (x->next)
			x->next->prev = x->prev;
	}
	buf_release(&x->head);
	buf_release(&x->body);
	mem_free(x);
}

void http_exchange_orphan(struct http_exchange *x)
{
	x->conn = NULL;
	if (x->on_gone)
		x->on_gone(x->gone_ctx);
}

const struct http_incoming *http_exchange_incoming(const struct http_exchange *x)
{
	return &x->in;
}

void http_exchange_take_body(struct http_exchange *x, struct buf *to)
{
	uncount_body(x);
	buf_release(to);
	*to = x->body;
	x->body = (struct buf)BUF_INIT(0);
	x->in.body = "";
	x->in.body_len = 0;
}

bool http_exchange_gone(const struct http_exchange *x)
{
	return !x->conn;
}

void http_exchange_on_gone(struct http_exchange *x, void (*fn)(void *ctx), void *ctx)
{
	x->on_gone = fn;
	x->gone_ctx = ctx;
}

const struct tls_conn *http_exchange_tls(const struct http_exchange *x)
{
	return x->conn ? x->conn->tls : NULL;
}

// --- answers

static bool is_plain_text(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static void add_line(struct buf *to, struct str name, struct str value)
{
	if (!name.len || !is_plain_text(name) || !is_plain_text(value))
		return;
	buf_add(to, name.p, name.len);
	buf_puts(to, ": ");
	buf_add(to, value.p, value.len);
	buf_puts(to, "\r\n");
}

// The status line and the headers that both kinds of answer have.
static void add_head(struct http_conn *c, const struct http_answer *a)
{
	char date[HTTP_DATE_LEN];
	http_date_write(clock_wall_ms(), date);
	buf_printf(&c->out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", a->status,
		   http_status_words(a->status), date);
	if (a->type)
		add_line(&c->out, str_of("Content-Type"), str_of(a->type));
	for (size_t i = 0; i < a->n_fields; i++)
		add_line(&c->out, a->fields[i].name, a->fields[i].value);
	if (a->close || c->server->draining)
		c->close = true;
	if (c->close)
		buf_puts(&c->out, "Connection: close\r\n");
	else if (c->x && c->x->in.head.http10)
		buf_puts(&c->out, "Connection: keep-alive\r\n");
	unsigned class = (unsigned)a->status / 100;
	if (class < ARRAY_LEN(c->server->stats.answers))
		c->server->stats.answers[class]++;
}

static bool has_no_body(int status)
{
	return status < 200 || status == 204 || status == 304;
}

// A whole answer; `body` is emptied.
static void answer(struct http_conn *c, const struct http_answer *a, struct buf *body)
{
	add_head(c, a);
	if (!has_no_body(a->status))
		buf_printf(&c->out, "Content-Length: %zu\r\n", body->len);
	buf_puts(&c->out, "\r\n");
	if (!has_no_body(a->status) && !(c->x && c->x->head_only)) {
		if (body->len <= HTTP_READ_STEP) { // one record, one packet or a few
			buf_add(&c->out, body->data, body->len);
		} else {
			c->out_body = *body;
			*body = (struct buf){ .max = body->max };
		}
	}
	buf_release(body);
	http_conn_set_phase(c, HTTP_SENDING);
	http_conn_wake(c);
}

void http_answer_take(struct http_exchange *x, const struct http_answer *a,
		      struct buf *body)
{
	struct http_conn *c = x->conn;
	if (c) {
		answer(c, a, body);
		c->x = NULL;
	} else {
		buf_release(body);
	}
	http_exchange_free(x);
}

void http_answer(struct http_exchange *x, const struct http_answer *a)
{
	struct buf body = BUF_INIT(a->len);
	if (a->len)
		buf_add(&body, a->body, a->len);
	http_answer_take(x, a, &body);
}

void http_answer_text(struct http_exchange *x, int status, const char *text)
{
	struct buf body = BUF_INIT(strlen(text) + 1);
	buf_printf(&body, "%s\n", text);
	const struct http_answer a = { .status = status,
				       .type = "text/plain; charset=utf-8" };
	http_answer_take(x, &a, &body);
}

void http_conn_refuse(struct http_conn *c, int status, const char *text,
		      const char *allow)
{
	struct http_field field = { str_of("Allow"), str_of(allow) };
	const struct http_answer a = { .status = status,
				       .type = "text/plain; charset=utf-8",
				       .fields = &field,
				       .n_fields = allow != NULL,
				       .close = true };
	struct buf body = BUF_INIT(strlen(text) + 1);
	bool held = c->phase == HTTP_HANDLER;
	buf_printf(&body, "%s\n", text);
	c->linger = !held;
	c->server->stats.refused++;
	answer(c, &a, &body);
	struct http_exchange *x = TAKE(c->x);
	if (held)
		http_exchange_orphan(x);
	else
		http_exchange_free(x);
}

// --- streams

void http_stream_begin(struct http_exchange *x, const struct http_answer *a)
{
	struct http_conn *c = x->conn;
	x->streaming = true;
	if (!c)
		return;
	x->out_chunked = !x->in.head.http10;
	c->close = c->close || x->in.head.http10;
	add_head(c, a);
	if (x->out_chunked)
		buf_puts(&c->out, "Transfer-Encoding: chunked\r\n");
	buf_puts(&c->out, "\r\n");
	http_conn_set_phase(c, HTTP_STREAMING);
	http_conn_wake(c);
}

bool http_stream_send(struct http_exchange *x, const void *bytes, size_t len,
		      size_t *ret_waiting)
{
	struct http_conn *c = x->conn;
	if (!c)
		return false;
	if (len > 0 && !x->head_only) {
		if (!loop_timer_armed(&c->timer))
			http_conn_set_phase(c, HTTP_STREAMING);
		if (x->out_chunked)
			buf_printf(&c->out, "%zx\r\n", len);
		buf_add(&c->out, bytes, len);
		if (x->out_chunked)
			buf_puts(&c->out, "\r\n");
		http_conn_wake(c);
	}
	if (ret_waiting)
		*ret_waiting = c->out.len - c->sent;
	return true;
}

void http_stream_on_room(struct http_exchange *x, void (*fn)(void *ctx), void *ctx)
{
	x->on_room = fn;
	x->room_ctx = ctx;
}

void http_stream_end(struct http_exchange *x)
{
	struct http_conn *c = x->conn;
	if (c) {
		if (x->out_chunked && !x->head_only)
			buf_puts(&c->out, "0\r\n\r\n");
		c->x = NULL;
		http_conn_set_phase(c, HTTP_SENDING);
		http_conn_wake(c);
	}
	http_exchange_free(x);
}

void http_stream_abort(struct http_exchange *x)
{
	struct http_conn *c = x->conn;
	if (c) {
		buf_release(&c->out);
		c->sent = 0;
		c->close = true;
		c->linger = false;
		c->x = NULL;
		http_conn_set_phase(c, HTTP_SENDING);
		http_conn_wake(c);
	}
	http_exchange_free(x);
}
