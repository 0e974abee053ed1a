// SPDX-License-Identifier: Apache-2.0
// Published test vectors: bytes from hex, and comparison with hex. Include after cmocka.h.
#pragma once

#include <stddef.h>

#include "lib/crypto/bytes.h"

enum { VECTOR_MAX = 4096 };

// The bytes of `hex` (blanks are skipped) in one of eight buffers that are used in turn.
struct bytes vector(const char *hex);
// Fails the test when the bytes are not those of `hex`.
void assert_vector(const void *p, size_t len, const char *hex);
