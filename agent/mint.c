// SPDX-License-Identifier: Apache-2.0
// The bucket as one time: taking moves it on by a period, and it may lie one period ahead.
#include "agent/mint.h"

enum { BUCKET = 2, PERIOD_MIN_MS = 5000, PERIOD_MAX_MS = 10 * 60 * 1000 };

static int64_t period(int64_t lease_ms)
{
	int64_t third = lease_ms / 3;
	return third < PERIOD_MIN_MS   ? PERIOD_MIN_MS
	       : third > PERIOD_MAX_MS ? PERIOD_MAX_MS
				       : third;
}

int64_t mint_wait(const struct mint *m, int64_t now_ms, int64_t lease_ms)
{
	int64_t wait = m->full_ms - now_ms - (BUCKET - 1) * period(lease_ms);
	return wait > 0 ? wait : 0;
}

void mint_take(struct mint *m, int64_t now_ms, int64_t lease_ms)
{
	m->full_ms = (m->full_ms > now_ms ? m->full_ms : now_ms) + period(lease_ms);
}

void mint_give_back(struct mint *m, int64_t lease_ms)
{
	m->full_ms -= period(lease_ms);
}
