// SPDX-License-Identifier: Apache-2.0
// The forms of the single words of a sealed line (sealed_line.h); each has one way to be
// written, since the words are compared as bytes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

// Decimal, 1 to 10^15, without a leading zero.
MUST_CHECK bool sealed_version_read(struct str word, uint64_t *ret, struct err *e);
// 2026-11-21T04:36:05Z
MUST_CHECK bool sealed_time_ok(struct str word, struct err *e);
// Percent-encoded, 1 to 200 letters.
MUST_CHECK bool sealed_author_ok(struct str word, struct err *e);
