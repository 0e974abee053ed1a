// SPDX-License-Identifier: Apache-2.0
// Inside json.c only (and json_write.c): numbers that keep their text. See json.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"

// Copies a JSON text with each number literal turned into a marked string and each lone
// surrogate escape into U+FFFD. Text that is not valid JSON comes out not valid.
void json_number_mark(const char *text, size_t len, struct buf *to);
// A kept number as an integer; false when it is none or does not fit.
bool json_number_int(const json_t *j, int64_t *ret);
