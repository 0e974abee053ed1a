// SPDX-License-Identifier: Apache-2.0
// Descriptors, what is put off, signals and children: fairness, removal from inside
// callbacks, and that a loop at rest does not wake.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/auto.h"
#include "lib/loop/loop.h"

static struct loop *l;
static struct err e;

static int setup(void **state)
{
	(void)state;
	err_clear(&e);
	return loop_new(&l, &e) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(l);
	return 0;
}

static void once(int max_ms)
{
	assert_true(loop_once(l, max_ms, &e));
}

struct end {
	int fd[2];
	struct loop_fd *h;
	struct end *other; // removed by our callback
	unsigned calls, seen;
};

static void end_open(struct end *p, unsigned events, loop_fd_fn *fn)
{
	memset(p, 0, sizeof(*p));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->fd), 0);
	assert_true(loop_fd_add(l, p->fd[0], events, fn, p, &p->h, &e));
}

static void end_close(struct end *p)
{
	loop_fd_remove(p->h);
	close(p->fd[0]);
	if (p->fd[1] >= 0)
		close(p->fd[1]);
}

static void seen(void *ctx, int fd, unsigned events)
{
	struct end *p = ctx;
	assert_int_equal(fd, p->fd[0]);
	p->calls++;
	p->seen = events;
}

static void test_events(void **state)
{
	(void)state;
	struct end p;
	end_open(&p, LOOP_READ, seen);
	once(0);
	assert_int_equal(p.calls, 0);
	assert_int_equal(write(p.fd[1], "x", 1), 1);
	once(1000);
	assert_int_equal(p.seen, LOOP_READ);
	once(1000); // level-triggered
	assert_int_equal(p.calls, 2);
	assert_true(loop_fd_change(p.h, LOOP_WRITE, &e));
	once(1000);
	assert_int_equal(p.seen, LOOP_WRITE);
	assert_true(loop_fd_change(p.h, 0, &e));
	once(0);
	assert_int_equal(p.calls, 3);
	assert_true(loop_fd_change(p.h, LOOP_READ, &e));
	close(p.fd[1]);
	p.fd[1] = -1;
	once(1000);
	assert_int_equal(p.seen, LOOP_READ | LOOP_HANGUP);
	end_close(&p);
}

static void test_add_fails(void **state)
{
	(void)state;
	struct loop_fd *h = NULL;
	assert_false(loop_fd_add(l, -1, LOOP_READ, seen, NULL, &h, &e));
	assert_int_equal(e.kind, ERR_BUG);
	assert_null(h);
}

static void remove_both(void *ctx, int fd, unsigned events)
{
	(void)fd;
	(void)events;
	struct end *p = ctx;
	p->calls++;
	loop_fd_remove(TAKE(p->other->h));
	loop_fd_remove(TAKE(p->h));
}

// Both are ready in one batch; whoever comes first removes both.
static void test_remove_in_batch(void **state)
{
	(void)state;
	struct end a, b;
	end_open(&a, LOOP_WRITE, remove_both);
	end_open(&b, LOOP_WRITE, remove_both);
	a.other = &b;
	b.other = &a;
	once(1000);
	once(0);
	assert_int_equal(a.calls + b.calls, 1);
	end_close(&a);
	end_close(&b);
}

// More descriptors than a batch holds, all always ready: each gets its share.
static void test_fair(void **state)
{
	(void)state;
	enum { ENDS = 200, ROUNDS = 40 };
	static struct end ends[ENDS];
	for (unsigned i = 0; i < ENDS; i++)
		end_open(&ends[i], LOOP_WRITE, seen);
	for (unsigned i = 0; i < ROUNDS; i++)
		once(1000);
	for (unsigned i = 0; i < ENDS; i++) {
		assert_in_range(ends[i].calls, 9, 16);
		end_close(&ends[i]);
	}
}

static unsigned laters;
static void later_again(void *ctx)
{
	laters++;
	if (ctx)
		loop_later(l, later_again, ctx);
}

static void test_later(void **state)
{
	(void)state;
	int a, b;
	laters = 0;
	loop_later(l, later_again, &a);
	loop_later(l, later_again, &b);
	loop_later(l, later_again, NULL);
	loop_later_cancel(l, &b);
	once(-1); // does not wait
	assert_int_equal(laters, 2);
	once(-1); // what it put off again
	assert_int_equal(laters, 3);
	loop_later_cancel(l, &a);
	once(0);
	assert_int_equal(laters, 3);
	loop_later(l, later_again, &a); // goes with the loop
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void test_run_and_stop(void **state)
{
	(void)state;
	loop_later(l, stop, l);
	assert_true(loop_run(l, &e));
	loop_stop(l); // before the run counts as well
	assert_true(loop_run(l, &e));
}

static int got_signo;
static pid_t got_sender;
static unsigned signals;
static void on_signal(void *ctx, int signo, pid_t sender)
{
	(void)ctx;
	signals++;
	got_signo = signo;
	got_sender = sender;
}

static void test_signals(void **state)
{
	(void)state;
	signals = 0;
	assert_true(loop_signal_add(l, SIGUSR1, on_signal, NULL, &e));
	assert_true(loop_signal_add(l, SIGHUP, on_signal, NULL, &e));
	assert_false(sigismember(loop_signal_old_mask(l), SIGUSR1));
	kill(getpid(), SIGUSR1);
	once(1000);
	assert_int_equal(got_signo, SIGUSR1);
	assert_int_equal(got_sender, getpid());
	kill(getpid(), SIGHUP);
	once(1000);
	assert_int_equal(got_signo, SIGHUP);
	assert_int_equal(signals, 2);
}

static pid_t dead_pid;
static int dead_status;
static unsigned deaths;
static void on_death(void *ctx, pid_t pid, int status)
{
	(void)ctx;
	deaths++;
	dead_pid = pid;
	dead_status = status;
}

// A child that ends with `code` when it is released.
static pid_t spawn(int code, int *ret_hold)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char c;
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 1 ? code : 99);
	}
	close(fds[0]);
	*ret_hold = fds[1];
	return pid;
}

// Not by closing alone: younger children have inherited the descriptor.
static void release(int hold)
{
	assert_int_equal(write(hold, "", 1), 1);
	close(hold);
}

static void wait_deaths(unsigned n)
{
	for (int i = 0; i < 1000 && deaths < n; i++)
		once(1000);
	assert_int_equal(deaths, n);
}

static void test_child(void **state)
{
	(void)state;
	deaths = 0;
	int hold;
	struct loop_child *h;
	pid_t pid = spawn(7, &hold);
	assert_true(loop_child_add(l, pid, on_death, NULL, &h, &e));
	once(0);
	assert_int_equal(deaths, 0);
	release(hold);
	wait_deaths(1);
	assert_int_equal(dead_pid, pid);
	assert_true(WIFEXITED(dead_status) && WEXITSTATUS(dead_status) == 7);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // reaped
}

static void test_child_removed(void **state)
{
	(void)state;
	deaths = 0;
	int hold;
	struct loop_child *h;
	pid_t pid = spawn(0, &hold);
	assert_true(loop_child_add(l, pid, on_death, NULL, &h, &e));
	loop_child_remove(h);
	release(hold);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	once(0);
	assert_int_equal(deaths, 0);
	assert_false(loop_child_add(l, pid, on_death, NULL, &h, &e)); // no such process
}

// No pidfd to be had: SIGCHLD does it, also for one that was dead before.
static void test_child_without_pidfd(void **state)
{
	(void)state;
	enum { CHILDREN = 5 };
	deaths = 0;
	int hold[CHILDREN];
	struct loop_child *h;
	pid_t pid[CHILDREN];
	for (int i = 0; i < CHILDREN; i++)
		pid[i] = spawn(i, &hold[i]);
	release(hold[0]);
	assert_int_equal(
		waitid(P_PID, (id_t)pid[0], &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	// The signal's descriptor must be there before the descriptors run out.
	assert_true(loop_signal_add(l, SIGCHLD, on_signal, NULL, &e));
	struct rlimit was, none;
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = (rlim_t)dup(0);
	close((int)none.rlim_cur);
	setrlimit(RLIMIT_NOFILE, &none);
	for (int i = 0; i < CHILDREN; i++)
		assert_true(loop_child_add(l, pid[i], on_death, NULL, &h, &e));
	setrlimit(RLIMIT_NOFILE, &was);
	for (int i = 1; i < CHILDREN; i++)
		release(hold[i]);
	wait_deaths(CHILDREN);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

// Orphans are reaped, a child with a handle keeps its status.
static void test_orphans(void **state)
{
	(void)state;
	enum { ORPHANS = 300 };
	deaths = 0;
	int hold, none;
	struct loop_child *h;
	assert_true(loop_child_reap_orphans(l, &e));
	pid_t pid = spawn(3, &hold);
	assert_true(loop_child_add(l, pid, on_death, NULL, &h, &e));
	for (int i = 0; i < ORPHANS; i++) {
		spawn(1, &none);
		release(none);
	}
	release(hold);
	wait_deaths(1);
	assert_int_equal(WEXITSTATUS(dead_status), 3);
	for (int i = 0; i < 10000 && waitid(P_ALL, 0, &(siginfo_t){ 0 },
					    WEXITED | WNOWAIT | WNOHANG) == 0;
	     i++)
		once(1000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void never(void *ctx, struct loop_timer *t)
{
	(void)t;
	*(bool *)ctx = true;
}

// At rest, one round lasts as long as it may: nothing wakes it.
static void test_rest(void **state)
{
	(void)state;
	bool woke = false;
	struct loop_timer t = { 0 }, gone = { 0 };
	struct loop_watch *w;
	struct end p;
	end_open(&p, LOOP_READ, seen);
	loop_timer_in(l, &gone, 30, never, &woke);
	loop_timer_in(l, &t, 100000, never, &woke);
	assert_true(loop_watch_add(l, "/nowhere/at/all", (loop_watch_fn *)NULL, NULL, &w,
				   &e));
	once(0);
	loop_timer_cancel(&gone);
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	once(150);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 >=
		    149);
	assert_false(woke);
	loop_timer_cancel(&t);
	loop_watch_remove(w);
	end_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove_in_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fair, setup, teardown),
		cmocka_unit_test_setup_teardown(test_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_run_and_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child_without_pidfd, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_orphans, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
