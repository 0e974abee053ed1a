// SPDX-License-Identifier: Apache-2.0
// RFC 3339 text of a time. Apart from clock.c so that the fake clock need not repeat it.
#include <stdio.h>
#include <time.h>

#include "lib/base/clock.h"

void clock_rfc3339(int64_t wall_ms, char ret[static CLOCK_RFC3339_LEN])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	gmtime_r(&s, &tm);
	// No strftime() anywhere: with it comes libc's code for time zones, 7 KB.
	unsigned ms = (unsigned)(wall_ms % 1000) % 1000;
	snprintf(ret, CLOCK_RFC3339_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, ms);
}
