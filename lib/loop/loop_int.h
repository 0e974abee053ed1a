// SPDX-License-Identifier: Apache-2.0
// Inside lib/loop only: the loop's state, and what its parts offer each other. Each part
// (timers, signals, children, inotify) owns one member and one file.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/loop/loop.h"

struct loop_fd {
	struct loop *loop;
	int fd;
	unsigned events;
	bool removed; // a batch of events may still point here: freed after the round
	loop_fd_fn *fn;
	void *ctx;
};

struct later;

struct loop_timers {
	struct loop_timer **heap; // least (at_ms, order) first
	unsigned n, cap;
	struct loop_timer **due; // taken off the heap, not yet run; NULL = cancelled
	unsigned n_due, cap_due;
	uint64_t order;   // number of the last arming
	int fd;           // the timerfd
	int64_t fd_at_ms; // what it is set to
	struct loop_fd *io;
};

struct loop_signals {
	int fd; // -1 until the first signal is added
	sigset_t mask, old_mask;
	bool reserved; // the mask has one that the C library keeps for itself
	struct loop_fd *io;
	struct loop_signal_origin origin; // of the one that is being told
	struct {
		loop_signal_fn *fn;
		void *ctx;
	} handler[_NSIG];
};

struct loop_children {
	struct loop_child *first;
	bool by_signal; // SIGCHLD is ours
	bool orphans;
};

struct loop {
	int epoll_fd;
	bool stopped, in_round;
	struct later *later, *later_last;
	void **dead; // handles removed in this round
	size_t n_dead, cap_dead;
	struct loop_timers timers;
	struct loop_signals signals;
	struct loop_children children;
	struct loop_inotify *inotify; // NULL until the first user
};

// Frees a handle when no event that is already fetched can point to it.
void loop_bury(struct loop *l, void *handle);
// What a failed system call means: ERR_LIMIT when something has run out, else ERR_BUG.
bool loop_sys_error(struct err *e, int cause, const char *call);

MUST_CHECK bool loop_timers_init(struct loop *l, struct err *e);
void loop_timers_release(struct loop *l);
// Sets the timerfd for the first timer. True when one is due already.
bool loop_timers_prepare(struct loop *l);
void loop_timers_run(struct loop *l);

// Before each wait.
void loop_signals_prepare(const struct loop *l);
void loop_signals_release(struct loop *l);

void loop_inotify_release(struct loop *l);
