// SPDX-License-Identifier: Apache-2.0
// Retry delays. The jitter is splitmix64, seeded once from the kernel.
#include "lib/base/backoff.h"

#include <sys/random.h>

#include "lib/base/clock.h"

enum { JITTER_PERCENT = 25, SHIFT_MAX = 20 };

uint64_t backoff_random(uint64_t *seed, uint64_t n)
{
	if (*seed == 0 &&
	    (getrandom(seed, sizeof(*seed), GRND_NONBLOCK) < 0 || *seed == 0))
		*seed = (uint64_t)clock_mono_ms() | 1;
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % n;
}

int64_t backoff_jitter(uint64_t *seed, int64_t base_ms, unsigned percent)
{
	uint64_t span = (uint64_t)base_ms * percent / 100;
	return base_ms - (int64_t)backoff_random(seed, span + 1);
}

int64_t backoff_next(struct backoff *b)
{
	unsigned shift = b->tries < SHIFT_MAX ? b->tries : SHIFT_MAX;
	if (b->tries < UINT32_MAX)
		b->tries++;
	int64_t delay = b->min_ms > b->max_ms >> shift ? b->max_ms : b->min_ms << shift;
	return backoff_jitter(&b->seed, delay, JITTER_PERCENT);
}

void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}
