// SPDX-License-Identifier: Apache-2.0
// What the operator's policies leave to the agent (restrict {…} of the configuration), asked
// before it is done. A policy that enforces refuses. One that warns or audits is told of: the
// audit event `policy`, and for the former a warning in the log, once for the same words (the
// last 1024 are known), since a template is run again and again.
#pragma once

#include "lib/conf/conf.h"

// `who` is the template's name, or "listener". False: refused, in the policy's name.
MUST_CHECK bool bounds_path(const struct conf *c, const char *who, const char *store,
			    const char *path, struct err *e);
MUST_CHECK bool bounds_option(const struct conf *c, const char *who, const char *option,
			      struct err *e);
// NULL: the function may be called; else the policy that refuses it.
const char *bounds_function(const struct conf *c, const char *who, const char *name);
// For what has no pattern of its own: refuses in mode enforce, else tells. False: refused.
MUST_CHECK bool bounds_pass(const struct conf_breach *b, const char *who, struct err *e);
