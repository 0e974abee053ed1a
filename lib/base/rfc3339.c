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
	char date[CLOCK_RFC3339_LEN];
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	unsigned ms = (unsigned)(wall_ms % 1000) % 1000;
	snprintf(ret, CLOCK_RFC3339_LEN, "%.19s.%03uZ", date, ms);
}
