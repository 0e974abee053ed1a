// SPDX-License-Identifier: Apache-2.0
// The variables that an agent holds, for the command that it runs itself (container NULL) or
// for the wrapped command of a container.
#pragma once

#include "agent/agent.h"
#include "agent/exec_env.h"

// Whether each has its value. For a container: none of its own still waits; else: every file
// and sink is written too.
bool exec_vars_ready(const struct agent *a, const char *container);
// What the first one waits for.
void exec_vars_reason(const struct agent *a, const char *container, struct err *ret);
// Grows with every change of one of them.
unsigned long exec_vars_generation(const struct agent *a, const char *container);
MUST_CHECK bool exec_vars_fill(const struct agent *a, const char *container,
			       struct exec_env *to, struct err *e);
