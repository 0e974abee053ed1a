// SPDX-License-Identifier: Apache-2.0
// What Prometheus may ask: one table of names, types, labels and how each is found; README and
// output come from it. Labels are names of the configuration (stores, containers) and fixed
// words, so that their number is bounded; no path, no secret, no text of an error.
#pragma once

#include "agent/agent.h"
#include "lib/base/buf.h"

enum metric {
	METRIC_UP,
	METRIC_READY,
	METRIC_START_TIME_SECONDS,
	METRIC_EVENTS_TOTAL,
	METRIC_ERRORS_TOTAL,
	METRIC_LAST_SUCCESS_TIME_SECONDS,
	METRIC_STORE_UP,
	METRIC_FETCHES_TOTAL,
	METRIC_TOKEN_TTL_SECONDS,
	METRIC_SECRETS,
	METRIC_LEASES,
	METRIC_LEASE_LEFT_SECONDS,
	METRIC_FILES,
	METRIC_FILES_READ,
	METRIC_FILES_UNREAD,
	METRIC_FILES_AGED,
	METRIC_NOTIFICATIONS_PENDING,
	METRIC_MEMORY_BYTES,
	METRIC_RESIDENT_MEMORY_BYTES,
	METRIC_RELOADS_TOTAL,
	METRIC_PROXY_REQUESTS_TOTAL,
	METRICS,
};
struct metric_row {
	const char *name; // behind ampoule_
	const char *type, *labels, *help;
};
extern const struct metric_row metric_rows[METRICS];

enum { METRICS_MAX = 1 << 20 };

// Text exposition format 0.0.4.
void agent_metrics_write(const struct agent *a, struct buf *to);
// The README's table.
void agent_metrics_markdown(struct buf *to);

// Counters of what is not the agent's flow.
enum metric_counter {
	COUNT_RELOADS,
	COUNT_PROXY_HITS,
	COUNT_PROXY_MISSES,
	COUNT_PROXY_ERRORS,
	METRIC_COUNTERS,
};
void agent_metrics_count(enum metric_counter c);
