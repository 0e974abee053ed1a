// SPDX-License-Identifier: Apache-2.0
// Signals through one signalfd whose mask grows with each signal that is asked for.
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/loop/loop.h"
#include "lib/loop/loop_int.h"

static void on_signalfd(void *ctx, int fd, unsigned events)
{
	(void)events;
	struct loop *l = ctx;
	struct signalfd_siginfo info[16];
	ssize_t n = read(fd, info, sizeof(info));
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]); i++) {
		unsigned signo = info[i].ssi_signo;
		l->signals.origin = (struct loop_signal_origin){
			.code = info[i].ssi_code,
			.value.sival_ptr = (void *)(uintptr_t)info[i].ssi_ptr,
		};
		if (signo < _NSIG && l->signals.handler[signo].fn)
			l->signals.handler[signo].fn(l->signals.handler[signo].ctx,
						     (int)signo, (pid_t)info[i].ssi_pid);
	}
}

struct loop_signal_origin loop_signal_origin(const struct loop *l)
{
	return l->signals.origin;
}

// sigaddset() refuses the few that the C library keeps for itself, which differ from the
// application's library: both libraries lay the set out as the kernel does.
static void add_to(sigset_t *set, int signo)
{
	unsigned long *words = (unsigned long *)(void *)set;
	unsigned bit = (unsigned)signo - 1, width = 8 * sizeof(*words);
	words[bit / width] |= 1UL << bit % width;
}

bool loop_signal_add(struct loop *l, int signo, loop_signal_fn *fn, void *ctx,
		     struct err *e)
{
	struct loop_signals *s = &l->signals;
	assert(signo > 0 && signo < _NSIG);
	sigset_t mask = s->mask;
	add_to(&mask, signo);
	int fd = signalfd(s->fd, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return loop_sys_error(e, errno, "signalfd");
	bool first = s->fd < 0;
	s->fd = fd;
	if (first && !loop_fd_add(l, fd, LOOP_READ, on_signalfd, l, &s->io, e)) {
		close(fd);
		s->fd = -1;
		return false;
	}
	s->mask = mask;
	s->reserved |= signo >= 32 && signo < SIGRTMIN;
	s->handler[signo].fn = fn;
	s->handler[signo].ctx = ctx;
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return true;
}

const void *loop_signal_old_mask(const struct loop *l)
{
	return &l->signals.old_mask;
}

// musl forgets those of its own when it makes a thread or a process.
void loop_signals_prepare(const struct loop *l)
{
	if (l->signals.reserved)
		sigprocmask(SIG_BLOCK, &l->signals.mask, NULL);
}

void loop_signals_release(struct loop *l)
{
	loop_fd_remove(l->signals.io);
	if (l->signals.fd >= 0)
		close(l->signals.fd);
}
