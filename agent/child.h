// SPDX-License-Identifier: Apache-2.0
// Programs that the agent starts; the only door to fork and exec.
//
// A command (notify) gets a clean
// environment (PATH, HOME, LANG, POD_*, what `environ_add` names), no descriptor of ours but
// 0 (empty), 1 and 2, the signal mask that we were born with, and its own process group, so
// that a time-out ends its children too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/loop/loop.h"

struct child;

// e is NULL when the program ended with 0; else it says how it ended (kind ERR_RETRY).
typedef void child_done_fn(void *ctx, const struct err *e);

struct child_setup {
	const char *const *argv;        // NULL-ended; argv[0] is looked up in PATH
	const char *const *environ_add; // "K=V", NULL-ended; or NULL
	int64_t timeout_ms;
};

MUST_CHECK bool child_start(struct loop *l, const struct child_setup *setup,
			    child_done_fn *done, void *ctx, struct child **ret,
			    struct err *e);
// Whether there is such a program, in PATH or by its path.
bool child_can_start(const char *program);
// Kills it; `done` does not run.
void child_kill(struct child *c);

// The program of exec mode gets the environment that is given, our stdin, stdout and stderr,
// and signal mask, SIGPIPE and core limit as we were given them.
struct child_program {
	const char *const *argv; // NULL-ended; argv[0] is looked up in our PATH
	char *const *env;        // the whole of it
	const char *out, *err;   // files to append to; NULL = ours
	bool own_group;          // a process group of its own
};

// Exit codes for a program that could not be started, as the shells have them.
enum { CHILD_NOT_RUNNABLE = 126, CHILD_NOT_FOUND = 127 };

// On failure e->cause is the errno, for child_exit_code().
MUST_CHECK bool child_launch(struct loop *l, const struct child_program *p,
			     loop_child_fn *done, void *ctx, pid_t *ret, struct err *e);
// Becomes the program: same process id, nothing of ours stays. Returns only when it fails.
// The loop, which gives the old signal mask, may be NULL.
MUST_CHECK bool child_become(const struct loop *l, const struct child_program *p,
			     struct err *e);
int child_exit_code(const struct err *e);
