// SPDX-License-Identifier: Apache-2.0
// Secret bytes with a type of their own: no function that logs or formats accepts it, so
// that printing one does not compile. It lives on the wiping heap (mem.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/auto.h"

struct secret;

// Copies; the caller's own copy stays his to wipe. NUL is added behind the bytes.
struct secret *secret_new(const void *bytes, size_t len) __attribute__((returns_nonnull));
struct secret *secret_from_str(const char *s) __attribute__((returns_nonnull));
void secret_free(struct secret *s);

// The bytes are NUL-ended and belong to the secret. NULL for NULL.
const char *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);

// Constant time for equal lengths. Two NULLs are equal.
bool secret_equal(const struct secret *a, const struct secret *b);

void auto_secret_(struct secret **s);
#define AUTO_SECRET AUTO(auto_secret_)
