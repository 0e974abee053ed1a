// SPDX-License-Identifier: Apache-2.0
// The table of metrics: names, types, labels, meanings.
#include "agent/metrics.h"

const struct metric_row metric_rows[METRICS] = {
	[METRIC_UP] = { "up", "gauge", "", "1: the agent's loop answers" },
	[METRIC_READY] = { "ready", "gauge", "",
			   "1: every file is in place, none is overdue" },
	[METRIC_START_TIME_SECONDS] = { "start_time_seconds", "gauge", "",
					"when the agent began" },
	[METRIC_EVENTS_TOTAL] = { "events_total", "counter", "event",
				  "audit events by name" },
	[METRIC_ERRORS_TOTAL] = { "errors_total", "counter", "op",
				  "what failed, by the event that it was to be" },
	[METRIC_LAST_SUCCESS_TIME_SECONDS] = { "last_success_time_seconds", "gauge",
					       "event", "when each event happened last" },
	[METRIC_STORE_UP] = { "store_up", "gauge", "store",
			      "1: logged in, and the store answers" },
	[METRIC_FETCHES_TOTAL] = { "fetches_total", "counter", "store, outcome",
				   "fetches and renewals: ok, auth, denied, missing, "
				   "retry, …" },
	[METRIC_TOKEN_TTL_SECONDS] = { "token_ttl_seconds", "gauge", "store",
				       "what is left of the token" },
	[METRIC_SECRETS] = { "secrets", "gauge", "state",
			     "secrets: waiting, held, gone" },
	[METRIC_LEASES] = { "leases", "gauge", "", "leases held" },
	[METRIC_LEASE_LEFT_SECONDS] = { "lease_left_seconds", "gauge", "",
					"until the first lease ends" },
	[METRIC_FILES] = { "files", "gauge", "state",
			   "files: waiting, published, removed" },
	[METRIC_FILES_READ] = { "files_read", "gauge", "container",
				"files whose version was read" },
	[METRIC_FILES_UNREAD] = { "files_unread", "gauge", "container",
				  "files overdue to be read" },
	[METRIC_FILES_AGED] = { "files_aged", "gauge", "",
				"files with a secret older than its rotate_every" },
	[METRIC_NOTIFICATIONS_PENDING] = { "notifications_pending", "gauge", "",
					   "notifications not delivered yet" },
	[METRIC_MEMORY_BYTES] = { "memory_bytes", "gauge", "kind",
				  "the heap: in_use, committed, locked" },
	[METRIC_RESIDENT_MEMORY_BYTES] = { "resident_memory_bytes", "gauge", "",
					   "pages of the process" },
	[METRIC_RELOADS_TOTAL] = { "reloads_total", "counter", "",
				   "new configurations taken" },
	[METRIC_PROXY_REQUESTS_TOTAL] = { "proxy_requests_total", "counter", "outcome",
					  "requests through the listener: hit, miss, "
					  "error" },
};

void agent_metrics_markdown(struct buf *to)
{
	buf_puts(to, "| metric | type | labels | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < METRICS; i++)
		buf_printf(to, "| `ampoule_%s` | %s | %s | %s |\n", metric_rows[i].name,
			   metric_rows[i].type, metric_rows[i].labels,
			   metric_rows[i].help);
}
