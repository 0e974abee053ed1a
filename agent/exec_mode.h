// SPDX-License-Identifier: Apache-2.0
// Exec mode as a whole: joins the agent, which holds the variables, with the command that gets
// them. The agent may be made anew; the command lives on.
#pragma once

#include "agent/agent.h"
#include "agent/exec.h"

struct exec_mode;

// A command stands behind -- (argv, may be NULL) or in the configuration.
bool exec_mode_wanted(const struct conf *c, const char *const *argv);

struct exec_mode_setup {
	struct loop *loop;
	const struct conf *conf; // borrowed, as long as the mode lives
	const char *const *argv; // borrowed
	// Every signal, after it has been passed on; `running`: there was a command to pass to.
	void (*told)(void *ctx, int signo, bool running);
	void (*ended)(void *ctx); // the command has; exec_mode_code() is known
	void *ctx;
};
MUST_CHECK bool exec_mode_new(const struct exec_mode_setup *setup, struct exec_mode **ret,
			      struct err *e);
void exec_mode_free(struct exec_mode *m);

// Something of the agent has changed: starts the command when all is there, and so on.
void exec_mode_look(struct exec_mode *m, const struct agent *a);
bool exec_mode_running(const struct exec_mode *m);
void exec_mode_stop(struct exec_mode *m);
MUST_CHECK bool exec_mode_signal(const struct exec_mode *m, int signo, struct err *e);
// The exit code, once `ended` has been called; *e says why it could not be started.
int exec_mode_code(const struct exec_mode *m, struct err *e);

// --once: becomes the command, in place. Returns only when it fails.
MUST_CHECK bool exec_mode_become(const struct exec_mode_setup *setup,
				 const struct agent *a, struct err *e);
