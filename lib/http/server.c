// SPDX-License-Identifier: Apache-2.0
// The connections of a server as a set: who comes in, who makes room, and the end.
#include "lib/http/server_int.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum { ACCEPTS_A_WAKEUP = 16, RESUME_MS = 200, QUIET_MS = 250, DRAIN_MS = 30000 };

bool http_server_new(struct loop *l, const struct http_server_opts *o,
		     struct http_server **ret, struct err *e)
{
	if (!o->routes)
		return err_set(e, ERR_BUG, 0, "HTTP server without routes");
	struct http_server *s = mem_alloc(sizeof(*s));
	s->loop = l;
	s->o = *o;
#define DEFAULT(field, value)                                                            \
	if (!s->o.field)                                                                 \
	s->o.field = (value)
	DEFAULT(connections, HTTP_SERVER_CONNECTIONS);
	DEFAULT(head_max, HTTP_SERVER_HEAD_MAX);
	DEFAULT(bodies_max, HTTP_SERVER_BODIES_MAX);
	DEFAULT(handshake_ms, HTTP_SERVER_HANDSHAKE_MS);
	DEFAULT(head_ms, HTTP_SERVER_HEAD_MS);
	DEFAULT(body_ms, HTTP_SERVER_BODY_MS);
	DEFAULT(answer_ms, HTTP_SERVER_ANSWER_MS);
	DEFAULT(send_ms, HTTP_SERVER_SEND_MS);
	DEFAULT(idle_ms, HTTP_SERVER_IDLE_MS);
#undef DEFAULT
	*ret = s;
	return true;
}

static void close_listeners(struct http_server *s)
{
	while (s->listeners) {
		struct http_listener *l = s->listeners;
		s->listeners = l->next;
		http_listener_free(l);
	}
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	s->ended = true;
	close_listeners(s);
	while (s->conns)
		http_conn_free(s->conns);
	for (struct http_exchange *x = s->exchanges; x; x = x->next)
		x->server = NULL;
	loop_timer_cancel(&s->resume);
	loop_timer_cancel(&s->drain_step);
	loop_timer_cancel(&s->drain_end);
	loop_later_cancel(s->loop, s);
	mem_free(s);
}

const struct http_server_stats *http_server_stats(const struct http_server *s)
{
	struct http_server_stats *t = &((struct http_server *)(uintptr_t)s)->stats;
	t->idle = t->handshaking = 0;
	for (const struct http_conn *c = s->conns; c; c = c->next) {
		t->idle += c->phase == HTTP_IDLE;
		t->handshaking += c->phase == HTTP_HANDSHAKE;
	}
	return t;
}

void http_server_note(struct http_server *s, const char *what, const struct err *e)
{
	if (s->o.note && e->kind != ERR_NONE)
		s->o.note(s->o.ctx, what, e);
}

// --- coming in

static void watch_listeners(struct http_server *s, bool on)
{
	s->paused = !on;
	for (struct http_listener *l = s->listeners; l; l = l->next)
		(void)!loop_fd_change(l->handle, on ? LOOP_READ : 0, NULL);
}

static void on_resume(void *ctx, struct loop_timer *t)
{
	(void)t;
	watch_listeners(ctx, true);
}

// Nobody can be taken in now: the queue in the kernel waits.
static void pause_listeners(struct http_server *s)
{
	watch_listeners(s, false);
	loop_timer_in(s->loop, &s->resume, RESUME_MS, on_resume, s);
}

// How long a connection must have been in its phase before it makes room for another, and
// who goes first. Younger ones are kept: a flood shall not wash the good clients out.
static const struct {
	int64_t after_ms;
	unsigned rank; // 0: never goes
} evictable[] = {
	[HTTP_HANDSHAKE] = { 1000, 3 }, [HTTP_HEAD] = { 1000, 3 },
	[HTTP_BODY] = { 2000, 2 },      [HTTP_IDLE] = { 5000, 1 },
	[HTTP_CLOSING] = { 0, 4 },
};

// The one that is missed least, the oldest of its rank. NULL: all are at work.
static struct http_conn *whom_to_evict(const struct http_server *s)
{
	struct http_conn *best = NULL;
	int64_t now = clock_mono_ms();
	for (struct http_conn *c = s->conns; c; c = c->next) {
		unsigned rank = evictable[c->phase].rank;
		unsigned least = best ? evictable[best->phase].rank : 1;
		if (rank >= least && now - c->since_ms >= evictable[c->phase].after_ms &&
		    (!best || rank > least || c->since_ms < best->since_ms))
			best = c;
	}
	return best;
}

static bool make_room(struct http_server *s)
{
	struct http_conn *c = whom_to_evict(s);
	if (!c)
		return false;
	s->stats.evicted++;
	http_conn_free(c);
	return true;
}

void http_server_accept(struct http_server *s, struct http_listener *l)
{
	for (int i = 0; i < ACCEPTS_A_WAKEUP || s->draining; i++) {
		bool full = s->stats.open >= s->o.connections;
		if (full && !whom_to_evict(s)) {
			pause_listeners(s);
			return;
		}
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			int cause = errno;
			if (cause == ECONNABORTED || cause == EINTR)
				continue;
			bool out_of = cause == EMFILE || cause == ENFILE ||
				      cause == ENOBUFS || cause == ENOMEM;
			if (out_of && make_room(s))
				continue;
			if (out_of)
				pause_listeners(s);
			return;
		}
		if (full)
			(void)make_room(s);
		int yes = 1;
		if (!l->path)
			(void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes,
					  sizeof(yes));
		http_conn_new(s, fd, l->path != NULL);
	}
}

// --- the end

static void tell_drained(void *ctx)
{
	struct http_server *s = ctx;
	s->drain.done(s->drain.ctx);
}

static void look_whether_drained(struct http_server *s)
{
	if (!s->draining || s->ended || s->listeners || s->conns)
		return;
	s->ended = true;
	loop_timer_cancel(&s->drain_step);
	loop_timer_cancel(&s->drain_end);
	loop_later(s->loop, tell_drained, s);
}

void http_server_conn_gone(struct http_server *s)
{
	s->stats.open--;
	if (s->paused && !s->ended) {
		loop_timer_cancel(&s->resume);
		watch_listeners(s, true);
	}
	look_whether_drained(s);
}

static void on_quiet(void *ctx, struct loop_timer *t)
{
	struct http_server *s = ctx;
	(void)t;
	s->quiet = true;
	for (struct http_conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		if (http_conn_is_silent(c))
			http_conn_free(c);
	}
}

static void on_last_accept(void *ctx, struct loop_timer *t)
{
	struct http_server *s = ctx;
	(void)t;
	for (struct http_listener *l = s->listeners; l; l = l->next)
		http_server_accept(s, l);
	if (s->paused) { // no room for those that wait
		loop_timer_in(s->loop, &s->drain_step, RESUME_MS, on_last_accept, s);
		return;
	}
	close_listeners(s);
	loop_timer_in(s->loop, &s->drain_step, s->drain.linger_ms, on_quiet, s);
	look_whether_drained(s);
}

static void on_drain_end(void *ctx, struct loop_timer *t)
{
	struct http_server *s = ctx;
	(void)t;
	close_listeners(s);
	while (s->conns)
		http_conn_free(s->conns);
	look_whether_drained(s);
}

void http_server_drain(struct http_server *s, const struct http_drain *d)
{
	s->draining = true;
	s->drain = *d;
	if (!s->drain.linger_ms)
		s->drain.linger_ms = QUIET_MS;
	if (!s->drain.max_ms)
		s->drain.max_ms = DRAIN_MS;
	loop_timer_in(s->loop, &s->drain_end, s->drain.max_ms, on_drain_end, s);
	loop_timer_in(s->loop, &s->drain_step, d->accept_ms, on_last_accept, s);
}
