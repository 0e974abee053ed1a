// SPDX-License-Identifier: Apache-2.0
// Children's ends: one pidfd a child; SIGCHLD where the kernel or its filter refuses
// pidfds, and for orphans. It neither forks nor kills; agent/child.c does.
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/loop/loop.h"
#include "lib/loop/loop_int.h"

struct loop_child {
	struct loop *loop;
	struct loop_child *next;
	pid_t pid;
	int fd; // the pidfd, or -1: SIGCHLD tells
	struct loop_fd *io;
	loop_child_fn *fn;
	void *ctx;
};

void loop_child_remove(struct loop_child *h)
{
	if (!h)
		return;
	struct loop_child **at = &h->loop->children.first;
	while (*at && *at != h)
		at = &(*at)->next;
	if (*at)
		*at = h->next;
	loop_fd_remove(h->io);
	if (h->fd >= 0)
		close(h->fd);
	mem_free(h);
}

// The handle ends before the callback runs, which so may start the next child at once.
static void finish(struct loop_child *h, int status)
{
	loop_child_fn *fn = h->fn;
	void *ctx = h->ctx;
	pid_t pid = h->pid;
	loop_child_remove(h);
	fn(ctx, pid, status);
}

// False while it lives.
static bool try_reap(struct loop_child *h)
{
	int status;
	pid_t got = waitpid(h->pid, &status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return false;
	finish(h, got == h->pid ? status : LOOP_STATUS_UNKNOWN);
	return true;
}

static void on_pidfd(void *ctx, int fd, unsigned events)
{
	(void)fd;
	(void)events;
	try_reap(ctx);
}

static struct loop_child *find(struct loop *l, pid_t pid)
{
	struct loop_child *h = l->children.first;
	while (h && h->pid != pid)
		h = h->next;
	return h;
}

// A callback may change the list: begin anew after each.
static void reap_known(struct loop *l)
{
	for (struct loop_child *h = l->children.first; h;)
		h = h->fd < 0 && try_reap(h) ? l->children.first : h->next;
}

// Looks at each dead child before it is reaped, since one of ours wants its status.
static void reap_all(struct loop *l)
{
	siginfo_t info = { 0 };
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		struct loop_child *h = find(l, info.si_pid);
		if (h)
			try_reap(h);
		else
			waitpid(info.si_pid, NULL, WNOHANG);
		info.si_pid = 0;
	}
}

static void look(struct loop *l)
{
	reap_known(l);
	if (l->children.orphans)
		reap_all(l);
}

static void on_sigchld(void *ctx, int signo, pid_t sender)
{
	(void)signo;
	(void)sender;
	look(ctx);
}

static void look_later(void *ctx)
{
	look(ctx);
}

static bool use_sigchld(struct loop *l, struct err *e)
{
	if (!l->children.by_signal && !loop_signal_add(l, SIGCHLD, on_sigchld, l, e))
		return false;
	l->children.by_signal = true;
	loop_later(l, look_later, l); // for one that has ended before this
	return true;
}

bool loop_child_add(struct loop *l, pid_t pid, loop_child_fn *fn, void *ctx,
		    struct loop_child **ret, struct err *e)
{
	siginfo_t info = { 0 };
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
		return err_set(e, ERR_BUG, errno, "event loop: child %d", (int)pid);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0); // always close-on-exec
	if (fd < 0 && !use_sigchld(l, e))
		return false;
	struct loop_child *h = mem_alloc(sizeof(*h));
	*h = (struct loop_child){ .loop = l, .pid = pid, .fd = fd, .fn = fn, .ctx = ctx };
	h->next = l->children.first;
	l->children.first = h;
	if (fd >= 0 && !loop_fd_add(l, fd, LOOP_READ, on_pidfd, h, &h->io, e)) {
		loop_child_remove(h);
		return false;
	}
	*ret = h;
	return true;
}

bool loop_child_reap_orphans(struct loop *l, struct err *e)
{
	l->children.orphans = true;
	return use_sigchld(l, e);
}
