// SPDX-License-Identifier: Apache-2.0
// Policies of the webhook, for `ampoule check`: read as the webhook reads them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

// Whether a file, or the first file of a folder, holds policies: nothing but blocks policy and
// purpose, and not the agent's own stanza `policy`.
bool check_is_policies(const char *path);

// Errors name file, line and what is wrong. warn(ctx, text) is told of exemptions that have
// ended. *ret_n: how many policies and purposes there are.
MUST_CHECK bool check_policies(const char *path,
			       void (*warn)(void *ctx, const char *text), void *ctx,
			       size_t *ret_n, struct err *e);
