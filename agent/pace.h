// SPDX-License-Identifier: Apache-2.0
// How soon to try again what failed through no fault of ours: close together while the
// trouble is young (a restart, a failover): a fault of ten seconds costs at most two more, one
// of twenty at most three. After three quarters of a minute about each six seconds, at most
// ten times a minute.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pace {
	bool begun;
	int64_t since_ms; // clock_mono_ms() of the first failure
	unsigned tries;
	uint64_t seed;
};

// The next delay; the first call begins the trouble.
int64_t pace_next(struct pace *p);
// It is over.
void pace_reset(struct pace *p);
