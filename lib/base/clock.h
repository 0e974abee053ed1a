// SPDX-License-Identifier: Apache-2.0
// Time. Unit tests link test/support/clock_fake.c in place of clock.c and move time
// themselves, so nothing in a test waits.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Milliseconds since boot, counting suspended time (CLOCK_BOOTTIME): drives every lease and
// timer, so that a changed wall clock starts no storm.
int64_t clock_mono_ms(void);
// Milliseconds since 1970 (UTC): for logs, audit lines and certificates only.
int64_t clock_wall_ms(void);

enum { CLOCK_RFC3339_LEN = 25 };
// "2026-11-21T04:36:05.123Z" and NUL.
void clock_rfc3339(int64_t wall_ms, char ret[static CLOCK_RFC3339_LEN]);
// "2026-11-21T04:36:05Z", with any fraction of a second, or an offset such as +01:00. False,
// and *ret_wall_ms as it was, for anything else.
bool clock_rfc3339_parse(const char *text, int64_t *ret_wall_ms);
