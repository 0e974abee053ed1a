// SPDX-License-Identifier: Apache-2.0
// Token sinks of the peer's auto_auth: the login's token in a file, mode and owner set
// before it can be seen.
#pragma once

#include "agent/volume.h"
#include "lib/base/secret.h"
#include "lib/conf/conf.h"

// Writes the token to every sink; a sink whose path lies in a container's volume is staged
// there and joins the next swap. All sinks are tried; the first error is told.
MUST_CHECK bool sink_write_all(const struct conf *conf, struct volume *const *volumes,
			       const struct secret *token, struct err *e);
