// SPDX-License-Identifier: Apache-2.0
// Lines that were added and removed, as `diff -u` shows them.
#pragma once

#include "lib/base/buf.h"

// Appends the difference of two texts; nothing when they are equal.
void inject_diff(const char *name, const char *from, const char *to, struct buf *out);
