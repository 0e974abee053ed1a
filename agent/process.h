// SPDX-License-Identifier: Apache-2.0
// Finding the application's process, and signalling it safely: by pidfd, checked again after
// it was opened, so that a pid that was reused meanwhile is never hit.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/volume.h"
#include "lib/base/err.h"
#include "lib/conf/conf.h"

// Sends what->signal to the processes that `what` names. For TARGET_CONTAINER the volume of
// that container; it is found in /proc/PID/mountinfo, which is readable across uids when
// the pod shares its process namespace. *ret_n tells how many got it; none at all is an
// error of kind ERR_MISSING, a refusal ERR_DENIED (with the remedy).
MUST_CHECK bool process_signal(const struct conf_notify *what,
			       const struct volume *volume, size_t *ret_n, struct err *e);
