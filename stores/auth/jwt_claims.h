// SPDX-License-Identifier: Apache-2.0
// What a refused token says of itself, for the person who has to find out why: audience,
// subject, end. These are names and times, not secrets; the signature is not looked at.
#pragma once

#include <stdint.h>

#include "lib/base/buf.h"

// Appends "the token is for 'vault', of 'system:serviceaccount:prod:app', and ended at
// 2026-11-21T05:02:10.000Z"; nothing when the text is no token that can be read.
void jwt_describe(const char *token, int64_t wall_ms, struct buf *to);
