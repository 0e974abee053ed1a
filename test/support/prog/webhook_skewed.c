// SPDX-License-Identifier: Apache-2.0
// links: webhook
// ampoule-webhook with a wall clock that is off by WALL_CLOCK_OFF seconds, for the static build:
// in a dynamic one faketime takes the place of libc's functions. The TLS library and libcurl
// see the same clock, since a static program calls its own functions before libc's.
#include <sys/syscall.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ret)
{
	static long off, known;
	if (!known) {
		const char *text = getenv("WALL_CLOCK_OFF");
		off = text ? strtol(text, NULL, 10) : 0;
		known = 1;
	}
	int rc = (int)syscall(SYS_clock_gettime, id, ret);
	if (rc == 0 && id == CLOCK_REALTIME)
		ret->tv_sec += off;
	return rc;
}

time_t time(time_t *ret)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

#include "webhook/main.c"
