// SPDX-License-Identifier: Apache-2.0
// The event loop: one thread, epoll; timers on one timerfd, signals by signalfd, children by
// pidfd or SIGCHLD, files by inotify. The only door to those calls.
//
// Rules of life: a handle belongs to the caller who added it, and goes with its _remove or
// _cancel; any callback may add or remove anything, itself included. Callbacks run to their
// end, in order of arrival; timers that are due run in order of their times.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

struct loop;

MUST_CHECK bool loop_new(struct loop **ret, struct err *e);
void loop_free(struct loop *l);
// Runs until loop_stop(). False when the kernel fails us.
MUST_CHECK bool loop_run(struct loop *l, struct err *e);
// One round: waits for at most max_ms (-1: for ever) and handles what came. For tests.
MUST_CHECK bool loop_once(struct loop *l, int max_ms, struct err *e);
void loop_stop(struct loop *l);

// --- descriptors. The descriptor stays the caller's.
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };
struct loop_fd;
typedef void loop_fd_fn(void *ctx, int fd, unsigned events);
MUST_CHECK bool loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *ctx,
			    struct loop_fd **ret, struct err *e);
MUST_CHECK bool loop_fd_change(struct loop_fd *h, unsigned events, struct err *e);
void loop_fd_remove(struct loop_fd *h); // NULL is fine

// --- timers. Embedded in the caller's struct; zero is a valid, unset timer.
struct loop_timer;
typedef void loop_timer_fn(void *ctx, struct loop_timer *t);
struct loop_timer {
	struct loop *loop; // set while armed
	int64_t at_ms;	   // clock_mono_ms()
	unsigned slot;
	loop_timer_fn *fn;
	void *ctx;
};
// Arms (or moves) the timer for a time of clock_mono_ms(); in the past means soon.
void loop_timer_at(struct loop *l, struct loop_timer *t, int64_t at_ms, loop_timer_fn *fn,
		   void *ctx);
void loop_timer_in(struct loop *l, struct loop_timer *t, int64_t delay_ms, loop_timer_fn *fn,
		   void *ctx);
void loop_timer_cancel(struct loop_timer *t);
bool loop_timer_armed(const struct loop_timer *t);

// --- signals. Blocks the signal for the process and delivers it here. One handler each.
typedef void loop_signal_fn(void *ctx, int signo, pid_t sender);
MUST_CHECK bool loop_signal_add(struct loop *l, int signo, loop_signal_fn *fn, void *ctx,
				struct err *e);
// The mask that the process had before the first loop_signal_add(), for children.
const void *loop_signal_old_mask(const struct loop *l); // const sigset_t *

// --- children of this process, reaped here. status as of waitpid(2).
struct loop_child;
typedef void loop_child_fn(void *ctx, pid_t pid, int status);
MUST_CHECK bool loop_child_add(struct loop *l, pid_t pid, loop_child_fn *fn, void *ctx,
			       struct loop_child **ret, struct err *e);
void loop_child_remove(struct loop_child *h);

// --- a path's content, surviving Kubernetes' `..data` swaps, editors' renames, and a file
// or folder that does not exist yet. fn runs (coalesced, after the dust of 50 ms) when what
// the path resolves to has changed, appeared or gone. For a folder: any entry directly in it.
struct loop_watch;
typedef void loop_watch_fn(void *ctx, const char *path);
MUST_CHECK bool loop_watch_add(struct loop *l, const char *path, loop_watch_fn *fn, void *ctx,
			       struct loop_watch **ret, struct err *e);
void loop_watch_remove(struct loop_watch *h);

// --- opens of one file or folder by anybody (read receipts). The watch is set before it
// returns. once: it ends by itself after the first event of the inode. Fails with ERR_LIMIT
// when the kernel has no inotify instance or watch left. An overflow of the kernel's queue
// is told with name == NULL to every open watch.
struct loop_opens;
typedef void loop_opens_fn(void *ctx, const char *name);
MUST_CHECK bool loop_opens_add(struct loop *l, const char *path, bool once,
			       loop_opens_fn *fn, void *ctx, struct loop_opens **ret,
			       struct err *e);
void loop_opens_remove(struct loop_opens *h);

// --- later: after the present callback, before the loop waits again.
typedef void loop_later_fn(void *ctx);
void loop_later(struct loop *l, loop_later_fn *fn, void *ctx);
// Forgets those with this ctx (of an object that goes).
void loop_later_cancel(struct loop *l, void *ctx);
