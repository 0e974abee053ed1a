// SPDX-License-Identifier: Apache-2.0
// The wrapper in the application's container (--wrap SOCKET -- COMMAND): asks the sidecar for the
// variables, then becomes the command, or, when the sidecar says so, stays as its supervisor
// (exec.h), restarts it with each new set and passes the sidecar's signals on. It knows no
// configuration, no store and no credential.
//
// Values are kept from their arrival to the start of the command; a salted digest stays, so
// that a sidecar that comes back with the same ones restarts nothing.
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

struct exec_wrap_setup {
	const char *socket;
	const char *const *argv;
	int64_t timeout_ms; // of the first answer; 0 = none
};

// The exit code: the command's, or 126, 127 and 1 with the reason in *e.
int exec_wrap_run(const struct exec_wrap_setup *setup, struct err *e);
