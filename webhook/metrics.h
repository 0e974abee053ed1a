// SPDX-License-Identifier: Apache-2.0
// What the webhook counts, and how Prometheus reads it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct http_server_stats;

enum { METRICS_BUCKETS = 12, METRICS_FINDINGS = 256 };

enum metrics_file { METRICS_CONFIG = 1, METRICS_CERTIFICATE = 2 };

struct metrics {
	uint64_t injected, passed, refused, bad;
	uint64_t warnings, dry_runs;
	uint64_t reloads, failed_reloads;
	unsigned refused_files; // enum metrics_file: what lies there and is not in force
	uint64_t bucket[METRICS_BUCKETS + 1]; // durations; the last is +Inf
	uint64_t sum_us, count;
	int64_t cert_not_after;     // seconds since 1970; 0: none
	uint64_t policies, allowed; // loaded; reviews of /validate that were allowed
	struct metrics_finding {
		char *policy, *namespace_;
		const char *decision;
		uint64_t n;
	} findings[METRICS_FINDINGS]; // the last one counts what has no place of its own
	size_t n_findings;
};

// One review: what was done (mutate_note.what), and how long it took.
void metrics_review(struct metrics *m, const char *what, int64_t us);
// One finding of a policy; beyond METRICS_FINDINGS sets of labels all count as "other".
void metrics_finding(struct metrics *m, const char *policy, const char *namespace_,
		     const char *decision);
void metrics_release(struct metrics *m);
// `certified`: what is served is more than the throw-away certificate that answers probes.
void metrics_ready(struct metrics *m, bool ready, bool certified, struct buf *to);
void metrics_write(const struct metrics *m, const struct http_server_stats *s,
		   struct buf *to);
