// SPDX-License-Identifier: Apache-2.0
// Go's time.Time in UTC: its text, and its layouts ("2006-01-02T15:04:05Z07:00").
#pragma once

#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "templates/value.h"

struct val gotime_now(void);
// time.Time.Format
void gotime_format(struct buf *out, const struct val *t, struct str layout);
// time.Time.String, without the monotonic part.
void gotime_string(struct buf *out, const struct val *t);
