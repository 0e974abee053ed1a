// SPDX-License-Identifier: Apache-2.0
// Unix stream sockets of the agent: the status socket, the sockets of wrapped commands.
#pragma once

#include <sys/types.h>

#include "lib/base/err.h"

// Listens at `path`, in the place of a socket that was left there. `what` names the option in
// errors. The caller closes *ret and removes the path.
MUST_CHECK bool unix_listen(const char *path, mode_t mode, const char *what, int *ret,
			    struct err *e);
// A connected, non-blocking socket; e->cause is the errno.
MUST_CHECK bool unix_connect(const char *path, int *ret, struct err *e);
