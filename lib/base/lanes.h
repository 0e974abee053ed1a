// SPDX-License-Identifier: Apache-2.0
// Eight bytes at once, in one word.
#pragma once

#include <stdint.h>

// The byte k in each of them.
#define LANES(k) ((uint64_t)(k)*0x0101010101010101u)
