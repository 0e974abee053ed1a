// SPDX-License-Identifier: Apache-2.0
// Prometheus text.
#include "webhook/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/http/server.h"

static const struct {
	int64_t us;
	const char *seconds;
} bounds[METRICS_BUCKETS] = {
	{ 100, "0.0001" },  { 250, "0.00025" }, { 500, "0.0005" }, { 1000, "0.001" },
	{ 2500, "0.0025" }, { 5000, "0.005" },  { 10000, "0.01" }, { 25000, "0.025" },
	{ 100000, "0.1" },  { 250000, "0.25" }, { 1000000, "1" },  { 5000000, "5" },
};

void metrics_review(struct metrics *m, const char *what, int64_t us)
{
	size_t i = 0;
	if (strcmp(what, "injected") == 0)
		m->injected++;
	else if (strcmp(what, "allowed") == 0)
		m->allowed++;
	else if (strcmp(what, "refused") == 0)
		m->refused++;
	else if (strcmp(what, "bad review") == 0)
		m->bad++;
	else
		m->passed++;
	while (i < METRICS_BUCKETS && us > bounds[i].us)
		i++;
	m->bucket[i]++;
	m->sum_us += (uint64_t)us;
	m->count++;
}

static void head(struct buf *to, const char *name, const char *type, const char *help)
{
	buf_printf(to, "# HELP ampoule_webhook_%s %s\n# TYPE ampoule_webhook_%s %s\n",
		   name, help, name, type);
}

static void one(struct buf *to, const char *name, const char *help, uint64_t value)
{
	size_t len = strlen(name);
	bool counts = len > 6 && strcmp(name + len - 6, "_total") == 0;
	head(to, name, counts ? "counter" : "gauge", help);
	buf_printf(to, "ampoule_webhook_%s %" PRIu64 "\n", name, value);
}

static void put_reviews(const struct metrics *m, struct buf *to)
{
	const struct {
		const char *word;
		uint64_t value;
	} results[] = { { "injected", m->injected },
			{ "passed", m->passed },
			{ "refused", m->refused },
			{ "allowed", m->allowed },
			{ "bad", m->bad } };
	head(to, "reviews_total", "counter", "reviews by what was answered");
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		buf_printf(to,
			   "ampoule_webhook_reviews_total{result=\"%s\"} %" PRIu64 "\n",
			   results[i].word, results[i].value);
}

void metrics_finding(struct metrics *m, const char *policy, const char *namespace_,
		     const char *decision)
{
	for (size_t i = 0; i < m->n_findings; i++) {
		struct metrics_finding *f = &m->findings[i];
		bool other = i == METRICS_FINDINGS - 1;
		if (other || (f->decision == decision && strcmp(f->policy, policy) == 0 &&
			      strcmp(f->namespace_, namespace_) == 0)) {
			f->n++;
			return;
		}
	}
	bool last = m->n_findings == METRICS_FINDINGS - 1;
	m->findings[m->n_findings++] =
		(struct metrics_finding){ mem_strdup(last ? "other" : policy),
					  mem_strdup(last ? "other" : namespace_),
					  last ? "other" : decision, 1 };
}

void metrics_release(struct metrics *m)
{
	for (size_t i = 0; i < m->n_findings; i++) {
		mem_free(m->findings[i].policy);
		mem_free(m->findings[i].namespace_);
	}
	m->n_findings = 0;
}

// A label's value: the names of policies are the operator's, and may hold anything.
static void put_label(struct buf *to, const char *name, const char *value)
{
	buf_printf(to, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_putc(to, '\\');
		buf_putc(to, (unsigned char)*value < ' ' ? ' ' : *value);
	}
	buf_putc(to, '"');
}

static void put_findings(const struct metrics *m, struct buf *to)
{
	head(to, "policy_findings_total", "counter",
	     "what policies had to say, by policy, namespace and decision");
	for (size_t i = 0; i < m->n_findings; i++) {
		const struct metrics_finding *f = &m->findings[i];
		buf_puts(to, "ampoule_webhook_policy_findings_total{");
		put_label(to, "policy", f->policy);
		buf_putc(to, ',');
		put_label(to, "namespace", f->namespace_);
		buf_putc(to, ',');
		put_label(to, "decision", f->decision);
		buf_printf(to, "} %" PRIu64 "\n", f->n);
	}
}

static void put_durations(const struct metrics *m, struct buf *to)
{
	const char *name = "ampoule_webhook_review_seconds";
	uint64_t sum = 0;
	head(to, "review_seconds", "histogram",
	     "time from a whole request to its answer");
	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		sum += m->bucket[i];
		buf_printf(to, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
			   i < METRICS_BUCKETS ? bounds[i].seconds : "+Inf", sum);
	}
	buf_printf(to, "%s_sum %" PRIu64 ".%06" PRIu64 "\n%s_count %" PRIu64 "\n", name,
		   m->sum_us / 1000000, m->sum_us % 1000000, name, m->count);
}

void metrics_ready(struct metrics *m, bool ready, bool certified, struct buf *to)
{
	one(to, "ready", "1: reviews are answered", ready);
	if (certified)
		one(to, "certificate_not_after_seconds",
		    "when the certificate ends, since 1970", (uint64_t)m->cert_not_after);
}

void metrics_write(const struct metrics *m, const struct http_server_stats *s,
		   struct buf *to)
{
	put_reviews(m, to);
	put_durations(m, to);
	put_findings(m, to);
	one(to, "policies", "policies and purposes that are loaded", m->policies);
	one(to, "warnings_total", "admission warnings", m->warnings);
	one(to, "dry_runs_total", "reviews of dry runs", m->dry_runs);
	one(to, "reloads_total", "new configurations and certificates taken", m->reloads);
	one(to, "failed_reloads_total", "those that were refused", m->failed_reloads);
	one(to, "config_current", "0: a newer configuration or certificate was refused",
	    !m->refused_files);
	one(to, "connections", "open connections", s->open);
	one(to, "connections_total", "connections so far", s->accepted);
	one(to, "connections_evicted_total", "slow or idle connections that made room",
	    s->evicted);
	one(to, "handshakes_failed_total", "TLS handshakes that failed",
	    s->handshake_failed);
	one(to, "timeouts_total", "deadlines of any phase", s->timed_out);
	one(to, "requests_refused_total", "requests refused unread", s->refused);
}
