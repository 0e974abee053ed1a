// SPDX-License-Identifier: Apache-2.0
// The environment of a command: ours without what is for the agent alone, and the rendered
// variables, which win.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

// Zero is an empty one. "K=V" strings on the wiping heap, NULL-ended once something is in.
struct exec_env {
	char **list;
	size_t n;
};

// What this process was given, less every AMPOULE_* and the TOKEN, CONFIG and SECRET_ID of
// VAULT_ and BAO_: the application gets those only as a variable of its own.
void exec_env_inherit(struct exec_env *env);
// Replaces or adds. The kernel's limits are checked: no NUL, at most 128 KiB. The error names
// the variable.
MUST_CHECK bool exec_env_set(struct exec_env *env, const char *name, const char *value,
			     size_t len, struct err *e);
// The same for a "K=V" that has come over a socket.
MUST_CHECK bool exec_env_put(struct exec_env *env, const char *pair, struct err *e);
void exec_env_release(struct exec_env *env); // wipes
#define AUTO_ENV AUTO(exec_env_release)
