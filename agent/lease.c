// SPDX-License-Identifier: Apache-2.0
// Lease arithmetic. The shares are the ones that users of the peers know.
#include "agent/lease.h"

#include "lib/base/backoff.h"

enum {
	RENEW_PERCENT = 67,
	FETCH_PERCENT = 90,
	RESERVE_PERCENT = 40, // of a short lease, for an outage while it is replaced
	RESERVE_MAX_MS = 45 * 1000,
	JITTER_PERCENT = 10,
	CAPPED_PERCENT = 95, // below this share of the first grant a renewal was the last
	ROUNDED_MS = 1000,
	SHRUNK_PERCENT = 60, // below this one there is no time to lose
	DELAY_MIN_MS = 1000,
	RETRY_MAX_MS = 5 * 60 * 1000,
};

static int64_t share(int64_t ms, unsigned percent)
{
	// Split so that 2^63 milliseconds cannot overflow.
	return ms / 100 * percent + ms % 100 * percent / 100;
}

// What is left when a lease that cannot be prolonged is replaced.
static int64_t reserve(int64_t lease_ms)
{
	int64_t short_ms = share(lease_ms, RESERVE_PERCENT);
	int64_t long_ms = lease_ms - share(lease_ms, FETCH_PERCENT);
	int64_t ms = short_ms < RESERVE_MAX_MS ? short_ms : RESERVE_MAX_MS;
	return ms > long_ms ? ms : long_ms;
}

enum lease_act lease_plan(const struct lease_terms *t, uint64_t *seed,
			  int64_t *ret_delay_ms)
{
	bool capped = t->renewable &&
		      t->lease_ms < share(t->granted_ms, CAPPED_PERCENT) - ROUNDED_MS;
	bool renew = t->renewable && !capped;
	int64_t at = renew ? share(t->lease_ms, RENEW_PERCENT)
			   : t->lease_ms - reserve(t->lease_ms);
	if (t->percent && t->percent != FETCH_PERCENT)
		at = share(t->lease_ms, t->percent);
	at = backoff_jitter(seed, at, JITTER_PERCENT);
	if (capped && t->lease_ms < share(t->granted_ms, SHRUNK_PERCENT))
		at = 0; // its last third has begun already
	*ret_delay_ms = at < DELAY_MIN_MS ? DELAY_MIN_MS : at;
	return renew ? LEASE_RENEW : LEASE_FETCH;
}

enum lease_act lease_after_failure(int64_t left_ms, uint64_t *seed, int64_t *ret_delay_ms)
{
	if (left_ms <= DELAY_MIN_MS) {
		*ret_delay_ms = 0;
		return LEASE_FETCH;
	}
	int64_t delay = left_ms / 2;
	if (delay > RETRY_MAX_MS)
		delay = RETRY_MAX_MS;
	delay = backoff_jitter(seed, delay, JITTER_PERCENT);
	*ret_delay_ms = delay < DELAY_MIN_MS ? DELAY_MIN_MS : delay;
	return LEASE_RENEW;
}

int64_t lease_poll(int64_t interval_ms, uint64_t *seed)
{
	return backoff_jitter(seed, interval_ms, JITTER_PERCENT);
}
