// SPDX-License-Identifier: Apache-2.0
// The supervisor of exec mode: starts one command, passes signals on in their order, starts it
// anew when its variables change, ends with it. It is usable as process 1: orphans are reaped.
//
// Process group and terminal. With a controlling terminal the command stays in our process
// group: the kernel then does job control for both (Ctrl-C, Ctrl-Z, fg, bg, pipelines), no
// terminal changes hands, and what the terminal sends is not sent a second time. Without
// one (pods, services) it gets a group of its own, so that SIGKILL reaches its children too.
// It is never a session of its own.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "agent/exec_env.h"
#include "lib/base/err.h"
#include "lib/conf/conf.h"
#include "lib/loop/loop.h"

struct exec;

struct exec_setup {
	struct loop *loop;
	const struct conf_exec *conf; // borrowed
	const char *const *argv;      // borrowed; wins over the conf's command
	// Puts the variables as they are now behind what the process was given.
	bool (*fill)(void *ctx, struct exec_env *to, struct err *e);
	void (*started)(void *ctx); // each time; may be NULL
	// The command has ended with this exit code (128+n: by signal n), or could not be
	// started: e says why then, else it is NULL.
	void (*ended)(void *ctx, int code, const struct err *e);
	// Every signal, after it has been passed on; `running`: there was a command to pass to.
	void (*told)(void *ctx, int signo, bool running);
	void *ctx;
};

// Takes over every signal that can be passed on.
MUST_CHECK bool exec_new(const struct exec_setup *setup, struct exec **ret,
			 struct err *e);
// Does not end the command.
void exec_free(struct exec *x);

// The variables are there, or have changed: starts the command; later a restart after 200 ms
// of quiet, when the configuration wants one.
void exec_changed(struct exec *x);
// Ends it: stop signal, time-out, SIGKILL; `ended` is called.
void exec_stop(struct exec *x);
pid_t exec_pid(const struct exec *x); // 0: it does not run now
// Sends a signal to the command (notify = "signal:HUP@child").
MUST_CHECK bool exec_signal(const struct exec *x, int signo, struct err *e);
