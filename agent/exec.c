// SPDX-License-Identifier: Apache-2.0
// One command's life: waiting → running → stopping → running … → ended.
#include "agent/exec.h"
#include "agent/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/child.h"
#include "lib/base/auto.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { SETTLE_MS = 200, SIGNAL_BASE = 128 };

struct exec {
	struct exec_setup setup;
	struct child_program program;
	struct loop_timer settle, grace;
	pid_t pid;     // 0: does not run
	bool stopping; // our stop signal is out
	bool again;    // start anew when it has ended
	bool ending;   // somebody asked it to end: no restart any more
};

static bool has_terminal(void)
{
	AUTO_CLOSE int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd >= 0;
}

// --- start and end

static void on_end(void *ctx, pid_t pid, int status);

static bool start(struct exec *x, struct err *e)
{
	AUTO_ENV struct exec_env env = { 0 };
	exec_env_inherit(&env);
	if (!x->setup.fill(x->setup.ctx, &env, e))
		return false;
	x->program.env = env.list;
	bool ok = child_launch(x->setup.loop, &x->program, on_end, x, &x->pid, e);
	x->program.env = NULL;
	if (ok)
		log_info("command started", LOG_STR("command", x->program.argv[0]),
			 LOG_INT("pid", x->pid));
	else
		x->pid = 0;
	if (ok && x->setup.started)
		x->setup.started(x->setup.ctx);
	return ok;
}

static void try_start(struct exec *x)
{
	struct err e = ERR_INIT;
	x->stopping = x->again = false;
	if (!start(x, &e))
		x->setup.ended(x->setup.ctx, child_exit_code(&e), &e);
}

static void on_end(void *ctx, pid_t pid, int status)
{
	struct exec *x = ctx;
	x->pid = 0;
	loop_timer_cancel(&x->grace);
	if (x->stopping && x->program.own_group)
		kill(-pid, SIGKILL); // what it has left behind
	if (x->again && !x->ending) {
		try_start(x);
		return;
	}
	loop_timer_cancel(&x->settle);
	int code = status == LOOP_STATUS_UNKNOWN ? EXIT_FAILURE
		   : WIFSIGNALED(status)         ? SIGNAL_BASE + WTERMSIG(status)
						 : WEXITSTATUS(status);
	log_info("command ended", LOG_STR("command", x->program.argv[0]),
		 LOG_INT("code", code));
	x->setup.ended(x->setup.ctx, code, NULL);
}

static void on_grace(void *ctx, struct loop_timer *t)
{
	struct exec *x = ctx;
	(void)t;
	log_warn("command does not end in time: killed",
		 LOG_STR("command", x->program.argv[0]));
	kill(x->program.own_group ? -x->pid : x->pid, SIGKILL);
}

static void stop(struct exec *x)
{
	if (x->stopping)
		return;
	x->stopping = true;
	kill(x->pid, x->setup.conf->stop_signo);
	kill(x->pid, SIGCONT); // one that is stopped could not end
	loop_timer_in(x->setup.loop, &x->grace, x->setup.conf->stop_timeout_ms, on_grace,
		      x);
}

// A value that no environment can hold must not cost the command that runs.
static void on_settle(void *ctx, struct loop_timer *t)
{
	struct exec *x = ctx;
	AUTO_ENV struct exec_env env = { 0 };
	struct err e = ERR_INIT;
	(void)t;
	if (!x->setup.fill(x->setup.ctx, &env, &e)) {
		log_fail(LOG_ERROR, &e, "command keeps its old variables");
		return;
	}
	audit(AUDIT_RESTART, LOG_STR("command", x->program.argv[0]));
	x->again = true;
	stop(x);
}

void exec_changed(struct exec *x)
{
	if (x->ending)
		log_info("command was asked to end: no restart",
			 LOG_STR("command", x->program.argv[0]));
	else if (!x->pid)
		try_start(x);
	else if (x->setup.conf->restart == RESTART_ALWAYS && !x->again &&
		 !loop_timer_armed(&x->settle))
		loop_timer_in(x->setup.loop, &x->settle, SETTLE_MS, on_settle, x);
}

void exec_stop(struct exec *x)
{
	x->ending = true;
	if (x->pid)
		stop(x);
}

pid_t exec_pid(const struct exec *x)
{
	return x->pid;
}

bool exec_signal(const struct exec *x, int signo, struct err *e)
{
	if (!x->pid)
		return err_set(e, ERR_MISSING, 0, "the command does not run now");
	return kill(x->pid, signo) == 0 ||
	       err_set(e, ERR_DENIED, errno, "signal the command");
}

// --- signals

// As Ctrl-Z does to a program without a handler: in a process group that nobody could
// continue the kernel drops it.
static void stop_myself(void)
{
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

// What the terminal sends to our process group the command has got itself, but for a hang-up,
// which only the session's leader is told.
static bool has_got_it(const struct exec *x, int signo, int code)
{
	bool told_alone = signo == SIGHUP && getsid(0) == getpid();
	return !x->program.own_group && code > 0 && !told_alone;
}

static void pass_on(const struct exec *x, int signo, struct loop_signal_origin from)
{
	if (from.code == SI_QUEUE)
		sigqueue(x->pid, signo, from.value);
	else
		kill(x->pid, signo);
}

static void on_signal(void *ctx, int signo, pid_t sender)
{
	struct exec *x = ctx;
	struct loop_signal_origin from = loop_signal_origin(x->setup.loop);
	(void)sender;
	if (signo == SIGTERM && (x->pid || x->again))
		x->ending = true;
	bool running = x->pid != 0;
	if (running && !has_got_it(x, signo, from.code))
		pass_on(x, signo, from);
	x->setup.told(x->setup.ctx, signo, running);
	if (signo == SIGTSTP && !x->program.own_group)
		stop_myself();
}

// Not those that cannot be caught, that tell of a fault of ours, or that the kernel sends for
// our own doing.
static bool can_pass(int signo)
{
	static const int not [] = { SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS,
				    SIGFPE,  SIGILL,  SIGTRAP, SIGABRT, SIGSYS,
				    SIGPIPE, SIGTTIN, SIGTTOU };
	for (size_t i = 0; i < ARRAY_LEN(not ); i++)
		if (signo == not [i])
			return false;
	// Two of the C library's own threads; 34 is such a one with musl only.
	return signo != 32 && signo != 33;
}

bool exec_new(const struct exec_setup *setup, struct exec **ret, struct err *e)
{
	struct exec *x = mem_alloc(sizeof(*x));
	x->setup = *setup;
	x->program = (struct child_program){
		.argv = setup->argv && setup->argv[0] ? setup->argv
						      : setup->conf->command,
		.out = setup->conf->out,
		.err = setup->conf->err,
		.own_group = !has_terminal(),
	};
	bool ok = loop_child_reap_orphans(setup->loop, e);
	for (int signo = 1; ok && signo < _NSIG; signo++)
		ok = !can_pass(signo) ||
		     loop_signal_add(setup->loop, signo, on_signal, x, e);
	if (!ok) {
		exec_free(x);
		return false;
	}
	*ret = x;
	return true;
}

void exec_free(struct exec *x)
{
	if (!x)
		return;
	loop_timer_cancel(&x->settle);
	loop_timer_cancel(&x->grace);
	mem_free(x);
}
