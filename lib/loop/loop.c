// SPDX-License-Identifier: Apache-2.0
// The round: wait, handle what came, run due timers, run what was put off. Descriptors
// are level-triggered and each is called once a round, so that a busy one starves nobody.
#include "lib/loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/loop/loop_int.h"

enum { EVENTS_A_ROUND = 64 };

struct later {
	struct later *next;
	loop_later_fn *fn; // NULL: cancelled
	void *ctx;
};

bool loop_sys_error(struct err *e, int cause, const char *call)
{
	bool out_of = cause == EMFILE || cause == ENFILE || cause == ENOSPC ||
		      cause == ENOMEM || cause == EAGAIN;
	return err_set(e, out_of ? ERR_LIMIT : ERR_BUG, cause, "event loop: %s", call);
}

bool loop_new(struct loop **ret, struct err *e)
{
	struct loop *l = mem_alloc(sizeof(*l));
	l->timers.fd = l->signals.fd = -1;
	sigprocmask(SIG_BLOCK, NULL, &l->signals.old_mask);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		loop_sys_error(e, errno, "epoll_create1");
	if (l->epoll_fd < 0 || !loop_timers_init(l, e)) {
		loop_free(l);
		return false;
	}
	*ret = l;
	return true;
}

static void bury_dead(struct loop *l)
{
	for (size_t i = 0; i < l->n_dead; i++)
		mem_free(l->dead[i]);
	l->n_dead = 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	assert(!l->in_round);
	loop_inotify_release(l);
	loop_signals_release(l);
	loop_timers_release(l);
	while (l->later) {
		struct later *first = l->later;
		l->later = first->next;
		mem_free(first);
	}
	bury_dead(l);
	mem_free(l->dead);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	mem_free(l);
}

void loop_bury(struct loop *l, void *handle)
{
	if (!l->in_round) {
		mem_free(handle);
		return;
	}
	if (l->n_dead == l->cap_dead) {
		l->cap_dead = l->cap_dead ? 2 * l->cap_dead : 16;
		l->dead = mem_realloc(l->dead, l->cap_dead * sizeof(*l->dead));
	}
	l->dead[l->n_dead++] = handle;
}

static uint32_t epoll_mask(unsigned events)
{
	return (events & LOOP_READ ? EPOLLIN : 0u) |
	       (events & LOOP_WRITE ? EPOLLOUT : 0u) |
	       (events & LOOP_HANGUP ? EPOLLRDHUP : 0u);
}

static bool control(struct loop_fd *h, int op, struct err *e)
{
	struct epoll_event ev = { .events = epoll_mask(h->events), .data.ptr = h };
	if (epoll_ctl(h->loop->epoll_fd, op, h->fd, &ev) == 0)
		return true;
	return loop_sys_error(e, errno, "epoll_ctl");
}

bool loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx,
		 struct loop_fd **ret, struct err *e)
{
	struct loop_fd *h = mem_alloc(sizeof(*h));
	*h = (struct loop_fd){
		.loop = l, .fd = fd, .events = events, .fn = fn, .ctx = ctx
	};
	if (!control(h, EPOLL_CTL_ADD, e)) {
		mem_free(h);
		return false;
	}
	*ret = h;
	return true;
}

bool loop_fd_change(struct loop_fd *h, unsigned events, struct err *e)
{
	if (h->events == events)
		return true;
	unsigned before = h->events;
	h->events = events;
	if (control(h, EPOLL_CTL_MOD, e))
		return true;
	h->events = before;
	return false;
}

void loop_fd_remove(struct loop_fd *h)
{
	if (!h)
		return;
	assert(!h->removed);
	h->removed = true;
	// Fails harmlessly when the descriptor is closed: the kernel has forgotten it
	// then.
	epoll_ctl(h->loop->epoll_fd, EPOLL_CTL_DEL, h->fd, NULL);
	loop_bury(h->loop, h);
}

static void handle_event(const struct epoll_event *ev)
{
	struct loop_fd *h = ev->data.ptr;
	if (h->removed)
		return;
	unsigned events = 0;
	if (ev->events & EPOLLIN)
		events |= LOOP_READ;
	if (ev->events & EPOLLOUT)
		events |= LOOP_WRITE;
	// Whoever reads or writes learns the reason from his next call.
	if (ev->events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
		events |= LOOP_HANGUP | (h->events & (LOOP_READ | LOOP_WRITE));
	h->fn(h->ctx, h->fd, events);
}

void loop_later(struct loop *l, loop_later_fn *fn, void *ctx)
{
	struct later *n = mem_alloc(sizeof(*n));
	n->fn = fn;
	n->ctx = ctx;
	if (l->later)
		l->later_last->next = n;
	else
		l->later = n;
	l->later_last = n;
}

void loop_later_cancel(struct loop *l, void *ctx)
{
	for (struct later *n = l->later; n; n = n->next)
		if (n->ctx == ctx)
			n->fn = NULL;
}

// Those that are waiting now; what they put off in turn waits for the next round. One is
// taken off just before it runs: until then it can be cancelled.
static void run_later(struct loop *l)
{
	struct later *last = l->later ? l->later_last : NULL;
	for (bool more = last != NULL; more;) {
		struct later *first = l->later;
		loop_later_fn *fn = first->fn;
		void *ctx = first->ctx;
		more = first != last;
		l->later = first->next;
		mem_free(first);
		if (fn)
			fn(ctx);
	}
}

bool loop_once(struct loop *l, int max_ms, struct err *e)
{
	assert(!l->in_round);
	bool busy = loop_timers_prepare(l) || l->later || l->stopped;
	struct epoll_event events[EVENTS_A_ROUND];
	loop_signals_prepare(l);
	int n = epoll_wait(l->epoll_fd, events, EVENTS_A_ROUND, busy ? 0 : max_ms);
	if (n < 0 && errno != EINTR)
		return loop_sys_error(e, errno, "epoll_wait");
	l->in_round = true;
	for (int i = 0; i < n; i++)
		handle_event(&events[i]);
	loop_timers_run(l);
	run_later(l);
	l->in_round = false;
	bury_dead(l);
	return true;
}

bool loop_run(struct loop *l, struct err *e)
{
	bool ok = true;
	while (ok && !l->stopped)
		ok = loop_once(l, -1, e);
	l->stopped = false;
	return ok;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}
