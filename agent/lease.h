// SPDX-License-Identifier: Apache-2.0
// When to renew, when to fetch again: pure arithmetic on times, no clock and no state, so
// that every rule of design.md section 4.6 is a line in a table of tests.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lease_terms {
	int64_t lease_ms; // as the store granted it now
	int64_t granted_ms; // as it granted it at first; a renewal that gives less is the last
	bool renewable;
	unsigned
		percent; // the part of it to use up, as the user says; 0 or 90: ours, below
};

enum lease_act { LEASE_RENEW, LEASE_FETCH };

// What to do with a lease, and how long from now: a renewable one is renewed at two thirds
// of its time, less up to a tenth by jitter. One that cannot be renewed, or whose renewal
// gave less than asked (its maximum is near), is fetched again at nine tenths, but so that
// 45 s are left of it, or two fifths of a short one: an outage of twenty seconds at that
// moment must not outlast it. If a renewal gave much less, it is fetched again at once.
// With a percentage, both at that part, less jitter.
enum lease_act lease_plan(const struct lease_terms *t, uint64_t *seed,
			  int64_t *ret_delay_ms);

// After a failed renewal: half of what is left, at least a second, at most the login's
// longest back-off. When nothing is left the lease must be fetched again (LEASE_FETCH).
enum lease_act lease_after_failure(int64_t left_ms, uint64_t *seed,
				   int64_t *ret_delay_ms);

// A static secret: the interval less up to a tenth.
int64_t lease_poll(int64_t interval_ms, uint64_t *seed);
