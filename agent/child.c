// SPDX-License-Identifier: Apache-2.0
// Starting commands. posix_spawn shares our memory until exec, so the heap, which is wiped
// in forked children, is still there to read argv from.
#include "agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { ENV_MAX = 64 };

struct child {
	pid_t pid;
	struct loop_child *watch;
	struct loop_timer timer;
	bool timed_out;
	char *name;
	child_done_fn *done;
	void *ctx;
};

static void child_free(struct child *c)
{
	loop_timer_cancel(&c->timer);
	loop_child_remove(c->watch);
	mem_free(c->name);
	mem_free(c);
}

static void on_end(void *ctx, pid_t pid, int status)
{
	struct child *c = ctx;
	struct err e = ERR_INIT;
	(void)pid;
	if (c->timed_out)
		err_set(&e, ERR_RETRY, 0, "command '%s' was killed after its time-out",
			c->name);
	else if (WIFSIGNALED(status))
		err_set(&e, ERR_RETRY, 0, "command '%s' was ended by signal %d", c->name,
			WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		err_set(&e, ERR_RETRY, 0, "command '%s' ended with status %d", c->name,
			WEXITSTATUS(status));
	child_done_fn *done = c->done;
	void *done_ctx = c->ctx;
	c->watch = NULL; // gone with the child
	child_free(c);
	done(done_ctx, e.kind == ERR_NONE ? NULL : &e);
}

static void on_timeout(void *ctx, struct loop_timer *t)
{
	struct child *c = ctx;
	(void)t;
	c->timed_out = true;
	kill(-c->pid, SIGKILL);
}

// What a command may see of our environment: nothing of the stores, nothing of the agent.
static size_t clean_environ(const char **to, const char *const *add)
{
	static const char *const keep[] = { "PATH=", "HOME=", "LANG=",
					    "TZ=",   "POD_",  "NODE_" };
	size_t n = 0;
	for (char **env = environ; *env && n < ENV_MAX / 2; env++)
		for (size_t i = 0; i < ARRAY_LEN(keep); i++)
			if (str_starts(*env, keep[i]))
				to[n++] = *env;
	for (; add && *add && n < ENV_MAX - 1; add++)
		to[n++] = *add;
	to[n] = NULL;
	return n;
}

static int spawn(struct loop *l, const struct child_setup *setup, pid_t *ret)
{
	const char *env[ENV_MAX];
	clean_environ(env, setup->environ_add);
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t files;
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&files);
	sigset_t all;
	sigfillset(&all);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, loop_signal_old_mask(l));
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	int rc = posix_spawnp(ret, setup->argv[0], &files, &attr,
			      (char *const *)(uintptr_t)setup->argv,
			      (char *const *)(uintptr_t)env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return rc;
}

bool child_start(struct loop *l, const struct child_setup *setup, child_done_fn *done,
		 void *ctx, struct child **ret, struct err *e)
{
	pid_t pid;
	int rc = spawn(l, setup, &pid);
	if (rc == ENOENT)
		return err_set(e, ERR_CONFIG, rc,
			       "command '%s' (the agent's image has no such program)",
			       setup->argv[0]);
	if (rc != 0)
		return err_set(e, ERR_CONFIG, rc, "start command '%s'", setup->argv[0]);
	struct child *c = mem_alloc(sizeof(*c));
	c->pid = pid;
	c->name = mem_strdup(setup->argv[0]);
	c->done = done;
	c->ctx = ctx;
	if (!loop_child_add(l, pid, on_end, c, &c->watch, e)) {
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		child_free(c);
		return false;
	}
	loop_timer_in(l, &c->timer, setup->timeout_ms, on_timeout, c);
	*ret = c;
	return true;
}

void child_kill(struct child *c)
{
	if (!c)
		return;
	kill(-c->pid, SIGKILL);
	loop_child_remove(c->watch);
	c->watch = NULL;
	waitpid(c->pid, NULL, 0);
	child_free(c);
}

bool child_can_start(const char *program)
{
	const char *path = getenv("PATH");
	struct str rest = str_of(path ? path : "/usr/local/bin:/bin:/usr/bin"), dir;
	if (strchr(program, '/'))
		return access(program, X_OK) == 0;
	while (str_next(&rest, ':', &dir)) {
		AUTO_FREE char *file =
			mem_printf("%.*s/%s", (int)dir.len, dir.p, program);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}

// --- the program of exec mode

static size_t strings_len(const char *const *list)
{
	size_t n = 0;
	for (; list && *list; list++)
		n += strlen(*list) + 1;
	return n;
}

static bool program_error(const struct child_program *p, int cause, struct err *e)
{
	const char *name = p->argv[0];
	switch (cause) {
	case ENOENT:
		return err_set(e, ERR_CONFIG, cause,
			       "command '%s' (or the interpreter that it names)", name);
	case EACCES:
	case ENOEXEC:
		return err_set(e, ERR_CONFIG, cause,
			       "command '%s' is no executable file, or its volume is "
			       "mounted noexec",
			       name);
	case E2BIG:
		return err_set(e, ERR_LIMIT, cause,
			       "command '%s': its arguments and environment have %zu "
			       "bytes; the kernel takes a quarter of the stack limit "
			       "(ulimit -s), at most 6 MiB: write large values to files "
			       "with a template",
			       name,
			       strings_len(p->argv) +
				       strings_len((const char *const *)p->env));
	default:
		return err_set(e, ERR_CONFIG, cause, "start command '%s'", name);
	}
}

int child_exit_code(const struct err *e)
{
	return e->cause == ENOENT                          ? CHILD_NOT_FOUND
	       : e->cause == EACCES || e->cause == ENOEXEC ? CHILD_NOT_RUNNABLE
							   : EXIT_FAILURE;
}

static void redirect(posix_spawn_file_actions_t *files, int fd, const char *path)
{
	if (path)
		posix_spawn_file_actions_addopen(files, fd, path,
						 O_WRONLY | O_CREAT | O_APPEND, 0600);
}

bool child_launch(struct loop *l, const struct child_program *p, loop_child_fn *done,
		  void *ctx, pid_t *ret, struct err *e)
{
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t files;
	sigset_t reset;
	sigemptyset(&reset);
	sigaddset(&reset, SIGPIPE); // the only one that we ignore ourselves
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_setsigdefault(&attr, &reset);
	posix_spawnattr_setsigmask(&attr, loop_signal_old_mask(l));
	posix_spawnattr_setflags(&attr,
				 POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
					 (p->own_group ? POSIX_SPAWN_SETPGROUP : 0));
	redirect(&files, STDOUT_FILENO, p->out);
	redirect(&files, STDERR_FILENO, p->err);
	mem_core_limit(true);
	int rc = posix_spawnp(ret, p->argv[0], &files, &attr,
			      (char *const *)(uintptr_t)p->argv, p->env);
	mem_core_limit(false);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	struct loop_child *watch;
	if (rc != 0)
		return program_error(p, rc, e);
	if (loop_child_add(l, *ret, done, ctx, &watch, e))
		return true;
	kill(*ret, SIGKILL);
	waitpid(*ret, NULL, 0);
	return false;
}

bool child_become(const struct loop *l, const struct child_program *p, struct err *e)
{
	if (l)
		sigprocmask(SIG_SETMASK, loop_signal_old_mask(l), NULL);
	signal(SIGPIPE, SIG_DFL);
	mem_core_limit(true);
	execvpe(p->argv[0], (char *const *)(uintptr_t)p->argv, p->env);
	return program_error(p, errno, e);
}
