// SPDX-License-Identifier: Apache-2.0
// Delays between retries: doubling from min to max, with jitter, so that a thousand agents
// that lost the store together do not come back together.
#pragma once

#include <stdint.h>

struct backoff {
	int64_t min_ms;
	int64_t max_ms;
	unsigned tries; // since the last success
	uint64_t seed;  // state of the jitter; 0 = seeded at first use
};

// The next delay: min × 2^tries, at most max, less a random 0–25 %.
int64_t backoff_next(struct backoff *b);
// After a success.
void backoff_reset(struct backoff *b);

// A random number in [0, n), for spreading; not for keys. n > 0.
uint64_t backoff_random(uint64_t *seed, uint64_t n);
// base less a random part of up to `percent` of it (0–100).
int64_t backoff_jitter(uint64_t *seed, int64_t base_ms, unsigned percent);
