// SPDX-License-Identifier: Apache-2.0
// Timers: a binary heap of borrowed structs and one timerfd, absolute on CLOCK_BOOTTIME,
// so that neither a changed wall clock nor a suspended machine moves a lease's end.
//
// What is due is decided by clock_mono_ms() alone; the timerfd only ends the wait. So
// tests that move a clock of their own need no waiting.
#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/loop/loop.h"
#include "lib/loop/loop_int.h"

#define UNSET INT64_MAX

// So much too early it may end: the deadline of a busy connection moves on with each request,
// and waking up once for nothing costs less than setting the timerfd each time.
enum { SLACK_MS = 1000 };

static void on_timerfd(void *ctx, int fd, unsigned events)
{
	(void)events;
	struct loop *l = ctx;
	uint64_t expirations;
	if (read(fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		l->timers.fd_at_ms = UNSET;
}

bool loop_timers_init(struct loop *l, struct err *e)
{
	struct loop_timers *t = &l->timers;
	t->fd_at_ms = UNSET;
	t->fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (t->fd < 0)
		return loop_sys_error(e, errno, "timerfd_create");
	return loop_fd_add(l, t->fd, LOOP_READ, on_timerfd, l, &t->io, e);
}

void loop_timers_release(struct loop *l)
{
	struct loop_timers *t = &l->timers;
	for (unsigned i = 0; i < t->n; i++)
		t->heap[i]->loop = NULL; // a later cancel finds it unarmed
	mem_free(t->heap);
	mem_free(t->due);
	loop_fd_remove(t->io);
	if (t->fd >= 0)
		close(t->fd);
}

static bool before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(struct loop_timers *h, unsigned slot, struct loop_timer *t)
{
	h->heap[slot] = t;
	t->slot = slot;
}

static void sift_up(struct loop_timers *h, unsigned slot)
{
	struct loop_timer *t = h->heap[slot];
	while (slot > 0 && before(t, h->heap[(slot - 1) / 2])) {
		put(h, slot, h->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	put(h, slot, t);
}

static void sift_down(struct loop_timers *h, unsigned slot)
{
	struct loop_timer *t = h->heap[slot];
	for (unsigned child; (child = 2 * slot + 1) < h->n; slot = child) {
		if (child + 1 < h->n && before(h->heap[child + 1], h->heap[child]))
			child++;
		if (!before(h->heap[child], t))
			break;
		put(h, slot, h->heap[child]);
	}
	put(h, slot, t);
}

static void heap_remove(struct loop_timers *h, unsigned slot)
{
	struct loop_timer *last = h->heap[--h->n];
	if (slot == h->n)
		return;
	put(h, slot, last);
	sift_up(h, slot);
	sift_down(h, last->slot);
}

void loop_timer_at(struct loop *l, struct loop_timer *t, int64_t at_ms, loop_timer_fn *fn,
		   void *ctx)
{
	struct loop_timers *h = &l->timers;
	loop_timer_cancel(t);
	*t = (struct loop_timer){
		.loop = l, .at_ms = at_ms, .order = ++h->order, .fn = fn, .ctx = ctx
	};
	if (h->n == h->cap) {
		h->cap = h->cap ? 2 * h->cap : 16;
		h->heap = mem_realloc(h->heap, h->cap * sizeof(struct loop_timer *));
	}
	put(h, h->n++, t);
	sift_up(h, t->slot);
}

void loop_timer_in(struct loop *l, struct loop_timer *t, int64_t delay_ms,
		   loop_timer_fn *fn, void *ctx)
{
	int64_t at_ms;
	if (__builtin_add_overflow(clock_mono_ms(), delay_ms, &at_ms))
		at_ms = delay_ms < 0 ? 0 : INT64_MAX - 1;
	loop_timer_at(l, t, at_ms, fn, ctx);
}

void loop_timer_cancel(struct loop_timer *t)
{
	if (!t->loop)
		return;
	struct loop_timers *h = &t->loop->timers;
	if (t->due)
		h->due[t->slot] = NULL;
	else
		heap_remove(h, t->slot);
	t->loop = NULL;
}

bool loop_timer_armed(const struct loop_timer *t)
{
	return t->loop != NULL;
}

int64_t loop_next_timer_ms(const struct loop *l)
{
	return l->timers.n ? l->timers.heap[0]->at_ms : INT64_MAX;
}

bool loop_timers_prepare(struct loop *l)
{
	struct loop_timers *h = &l->timers;
	int64_t at_ms = h->n ? h->heap[0]->at_ms : UNSET;
	if (at_ms != UNSET && at_ms <= clock_mono_ms())
		return true;
	if (h->fd_at_ms <= at_ms && h->fd_at_ms > at_ms - SLACK_MS)
		return false;
	struct itimerspec when = { 0 }; // zero disarms
	if (at_ms != UNSET) {
		when.it_value.tv_sec = at_ms / 1000;
		when.it_value.tv_nsec = at_ms % 1000 * 1000000;
	}
	h->fd_at_ms = at_ms;
	// Cannot fail with these arguments; if it did, looking at once is the safe
	// answer.
	return timerfd_settime(h->fd, TFD_TIMER_ABSTIME, &when, NULL) != 0;
}

// Takes all that is due off the heap first: a timer that is armed again for the past by
// its own callback runs in the next round, and nobody starves.
void loop_timers_run(struct loop *l)
{
	struct loop_timers *h = &l->timers;
	if (h->n == 0)
		return;
	int64_t now = clock_mono_ms();
	for (h->n_due = 0; h->n > 0 && h->heap[0]->at_ms <= now;) {
		struct loop_timer *t = h->heap[0];
		heap_remove(h, 0);
		if (h->n_due == h->cap_due) {
			h->cap_due = h->cap_due ? 2 * h->cap_due : 16;
			h->due = mem_realloc(h->due,
					     h->cap_due * sizeof(struct loop_timer *));
		}
		t->due = true;
		t->slot = h->n_due;
		h->due[h->n_due++] = t;
	}
	for (unsigned i = 0; i < h->n_due; i++) {
		struct loop_timer *t = h->due[i];
		if (!t)
			continue;
		t->loop = NULL;
		t->due = false;
		t->fn(t->ctx, t);
	}
	h->n_due = 0;
}
