// SPDX-License-Identifier: Apache-2.0
// Programs that the agent starts; the only door to fork and exec. A command gets a clean
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
// Kills it; `done` does not run.
void child_kill(struct child *c);
