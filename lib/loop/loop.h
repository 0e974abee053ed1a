// SPDX-License-Identifier: Apache-2.0
// The event loop: one thread, epoll; timers on one timerfd, signals by signalfd, children
// by pidfd or SIGCHLD, files by inotify. The only door to those calls. With nothing to do
// it sleeps without a time-out: no tick, no poll.
//
// Rules of life
//  1. A handle belongs to the caller who added it, and goes with its _remove or _cancel.
//     All of them go before loop_free().
//  2. Any callback may add or remove anything, itself included. After its removal a
//     handle's callback does not run again, whatever the kernel had already reported.
//  3. Callbacks run to their end, never inside one another or from inside an _add.
//  4. A round: each descriptor that is ready once, then timers that are due in order of
//     their times, then what was put off. Nobody can starve the others.
//  5. A descriptor is removed from the loop before it is closed.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

struct loop;

MUST_CHECK bool loop_new(struct loop **ret, struct err *e);
void loop_free(struct loop *l);
// Runs until loop_stop(), which also counts when it came before. False when the kernel
// fails us.
MUST_CHECK bool loop_run(struct loop *l, struct err *e);
// One round: waits for at most max_ms (-1: for ever) and handles what came. For tests.
MUST_CHECK bool loop_once(struct loop *l, int max_ms, struct err *e);
void loop_stop(struct loop *l);

// --- descriptors. They stay the caller's. Level-triggered: what is not read or
// written is told again in the next round. LOOP_HANGUP comes with an end or an error
// whether it was asked for or not, together with the events that were: the next read or
// write tells the reason. Asking for it adds the half-closed peer (RDHUP).
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };
struct loop_fd;
typedef void loop_fd_fn(void *ctx, int fd, unsigned events);
MUST_CHECK bool loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn,
			    void *ctx, struct loop_fd **ret, struct err *e);
MUST_CHECK bool loop_fd_change(struct loop_fd *h, unsigned events, struct err *e);
void loop_fd_remove(struct loop_fd *h); // NULL is fine

// --- timers. Embedded in the caller's struct; zero is a valid, unset timer.
struct loop_timer;
typedef void loop_timer_fn(void *ctx, struct loop_timer *t);
struct loop_timer {
	struct loop *loop; // set while armed
	int64_t at_ms;     // clock_mono_ms()
	uint64_t order;    // equal times run in order of their arming
	unsigned slot;
	bool due;
	loop_timer_fn *fn;
	void *ctx;
};
// A timer fires once, and is unarmed when its callback runs.
// Arms (or moves) the timer for a time of clock_mono_ms(); in the past means soon.
void loop_timer_at(struct loop *l, struct loop_timer *t, int64_t at_ms, loop_timer_fn *fn,
		   void *ctx);
void loop_timer_in(struct loop *l, struct loop_timer *t, int64_t delay_ms,
		   loop_timer_fn *fn, void *ctx);
void loop_timer_cancel(struct loop_timer *t);
bool loop_timer_armed(const struct loop_timer *t);
// The time of the first armed timer, INT64_MAX when there is none.
int64_t loop_next_timer_ms(const struct loop *l);

// --- signals. Blocks the signal for the process and delivers it here. One handler each:
// a second call replaces it. They stay blocked after loop_free(). SIGCHLD belongs to the
// children below.
typedef void loop_signal_fn(void *ctx, int signo, pid_t sender);
MUST_CHECK bool loop_signal_add(struct loop *l, int signo, loop_signal_fn *fn, void *ctx,
				struct err *e);
// For the callback of a signal: who sent it, and what rt_sigqueueinfo(2) would pass on.
struct loop_signal_origin {
	int code; // SI_USER, SI_QUEUE, …; above 0 it is the kernel's own (a terminal's)
	union sigval value;
};
struct loop_signal_origin loop_signal_origin(const struct loop *l);
// The mask that the process had at loop_new(), for children.
const void *loop_signal_old_mask(const struct loop *l); // const sigset_t *

// --- children of this process, reaped here. status as of waitpid(2). The handle ends by
// itself before its callback runs: do not remove it then or later.
enum { LOOP_STATUS_UNKNOWN = -1 }; // somebody else has reaped the child
struct loop_child;
typedef void loop_child_fn(void *ctx, pid_t pid, int status);
MUST_CHECK bool loop_child_add(struct loop *l, pid_t pid, loop_child_fn *fn, void *ctx,
			       struct loop_child **ret, struct err *e);
// Forgets a living child, which nobody reaps then.
void loop_child_remove(struct loop_child *h);
// From now on children without a handle are reaped too: for process 1 of a container,
// whose orphans are anybody's.
MUST_CHECK bool loop_child_reap_orphans(struct loop *l, struct err *e);

// --- a path's content, surviving Kubernetes' `..data` swaps, editors' renames, and a
// file or folder that does not exist yet. fn runs (coalesced, after the dust of 50 ms) when
// what the path resolves to has changed, appeared or gone. For a folder: any entry
// directly in it. It may also run when nothing has changed (lost events, an equal
// rewrite), so compare.
//
// Without inotify (128 instances per user on a node) the path is looked at every 2 s,
// where a second change of equal size within the clock's tick may be missed;
// loop_watch_polls() tells. Fails only for a path that cannot be one.
struct loop_watch;
typedef void loop_watch_fn(void *ctx, const char *path);
MUST_CHECK bool loop_watch_add(struct loop *l, const char *path, loop_watch_fn *fn,
			       void *ctx, struct loop_watch **ret, struct err *e);
bool loop_watch_polls(const struct loop_watch *h);
void loop_watch_remove(struct loop_watch *h);

// --- opens of one file, or of the files directly in one folder, by anybody (read
// receipts); a folder that is opened itself does not count. The watch is set before _add returns, on
// the inode that the path names then. name: the entry of the folder, "" for a watched
// file.
//
// once: nothing is told after the first event, and for a file the kernel's watch is gone,
// so that a busy reader wakes nobody; the handle is still the caller's to remove. Fails
// with ERR_LIMIT when the kernel has no inotify instance or watch left, ERR_MISSING when
// there is no such path.
//
// When the kernel's queue has overflowed (16,384 events), name == NULL says that opens
// may have been missed. A `once` file is asked again and told exactly, if its path still
// names it.
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
