// SPDX-License-Identifier: Apache-2.0
// Inside lib/base/json*.c only: numbers that keep their text. See json.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"

// A kept number as an integer; false when it is none or does not fit.
bool json_number_int(const json_t *j, int64_t *ret);
