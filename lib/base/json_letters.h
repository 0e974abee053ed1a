// SPDX-License-Identifier: Apache-2.0
// For readers and writers of JSON text: what stands for itself in a string (RFC 8259 section 7).
#pragma once

#include <stdbool.h>
#include <stddef.h>

// How many bytes at p come before the first quote, backslash or control character, at most
// len. *ret_other, when wanted, becomes true if one of them is no ASCII.
size_t json_letters(const char *p, size_t len, bool *ret_other);
