// SPDX-License-Identifier: Apache-2.0
// See clock_fake.h. Defines all that lib/base/clock.c defines, so that the linker never
// takes the real one.
#include "test/support/clock_fake.h"

#include <assert.h>
#include <stdbool.h>
#include <time.h>

#include "lib/base/clock.h"

static bool stopped;
static int64_t mono, wall;

static int64_t real_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return stopped ? mono : real_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
	return stopped ? wall : real_ms(CLOCK_REALTIME);
}

void clock_fake_set(int64_t mono_ms, int64_t wall_ms)
{
	stopped = true;
	mono = mono_ms;
	wall = wall_ms;
}

void clock_fake_advance(int64_t ms)
{
	assert(stopped);
	mono += ms;
	wall += ms;
}

void clock_fake_step_wall(int64_t ms)
{
	assert(stopped);
	wall += ms;
}

void clock_fake_release(void)
{
	stopped = false;
}
