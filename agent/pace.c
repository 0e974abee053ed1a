// SPDX-License-Identifier: Apache-2.0
// Quick at first, then rare.
#include "agent/pace.h"

#include <stddef.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"

// Up to when, how long between two tries, and how much of that is jitter.
static const struct {
	int64_t until_ms, delay_ms;
	unsigned jitter_percent;
} steps[] = {
	{ 250, 250, 25 },
	{ 1000, 600, 25 },
	{ 12000, 1500, 25 },
	{ 45000, 2500, 25 },
	// At most nine tries a minute: with a renewal of the token no more than ten requests.
	{ INT64_MAX, 6900, 3 },
};

int64_t pace_next(struct pace *p)
{
	int64_t now_ms = clock_mono_ms();
	size_t i = 0;
	if (!p->begun)
		p->since_ms = now_ms;
	p->begun = true;
	p->tries++;
	while (now_ms - p->since_ms >= steps[i].until_ms)
		i++;
	return backoff_jitter(&p->seed, steps[i].delay_ms, steps[i].jitter_percent);
}

void pace_reset(struct pace *p)
{
	p->begun = false;
	p->tries = 0;
}
