// SPDX-License-Identifier: Apache-2.0
// Deep equality: same type, same content.
#pragma once

#include "templates/run.h"

MUST_CHECK bool val_deep_equal(struct run *r, const struct val *a, const struct val *b,
			       bool *ret);
