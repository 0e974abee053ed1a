// SPDX-License-Identifier: Apache-2.0
// How each metric is found. Names and words are in metrics_table.c.
#include "agent/metrics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_int.h"
#include "agent/audit.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static uint64_t counters[METRIC_COUNTERS];

void agent_metrics_count(enum metric_counter c)
{
	counters[c]++;
}

// Where a metric's lines go.
struct out {
	struct buf *to;
	const char *name;
	const struct agent *agent;
};

static void put_label(const struct out *o, const char *label, const char *value)
{
	buf_printf(o->to, "%s=\"", label);
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_putc(o->to, '\\');
		buf_putc(o->to, *p == '\n' ? ' ' : *p);
	}
	buf_putc(o->to, '"');
}

// One sample; label == NULL: without labels.
static void sample(const struct out *o, const char *label, const char *value, double n)
{
	buf_printf(o->to, "ampoule_%s", o->name);
	if (label) {
		buf_putc(o->to, '{');
		put_label(o, label, value);
		buf_putc(o->to, '}');
	}
	buf_printf(o->to, " %.15g\n", n);
}

static void up(const struct out *o)
{
	sample(o, NULL, NULL, 1);
}

static void ready(const struct out *o)
{
	sample(o, NULL, NULL, agent_is_ready(o->agent));
}

static void uptime(const struct out *o)
{
	int64_t ms = clock_wall_ms() - (clock_mono_ms() - o->agent->start_ms);
	sample(o, NULL, NULL, (double)ms / 1000);
}

static void events(const struct out *o)
{
	for (enum audit_event ev = 0; ev < AUDIT_EVENTS; ev++)
		sample(o, "event", audit_name(ev), (double)audit_count(ev)->done);
}

static void errors(const struct out *o)
{
	for (enum audit_event ev = 0; ev < AUDIT_EVENTS; ev++)
		if (audit_count(ev)->failed)
			sample(o, "op", audit_name(ev), (double)audit_count(ev)->failed);
}

static void last_success(const struct out *o)
{
	for (enum audit_event ev = 0; ev < AUDIT_EVENTS; ev++)
		if (audit_count(ev)->last_wall_ms)
			sample(o, "event", audit_name(ev),
			       (double)audit_count(ev)->last_wall_ms / 1000);
}

// --- stores

static void store_up(const struct out *o)
{
	for (size_t i = 0; i < o->agent->conf->n_stores; i++)
		sample(o, "store", source_name(o->agent->sources[i]),
		       !source_error(o->agent->sources[i]));
}

static void fetches(const struct out *o)
{
	for (size_t i = 0; i < o->agent->conf->n_stores; i++) {
		const struct source *s = o->agent->sources[i];
		for (enum err_kind k = ERR_NONE; k <= ERR_BUG; k++) {
			if (k != ERR_NONE && !source_outcomes(s, k))
				continue;
			buf_printf(o->to, "ampoule_%s{", o->name);
			put_label(o, "store", source_name(s));
			buf_putc(o->to, ',');
			put_label(o, "outcome", k ? err_kind_name(k) : "ok");
			buf_printf(o->to, "} %llu\n",
				   (unsigned long long)source_outcomes(s, k));
		}
	}
}

static void token_ttl(const struct out *o)
{
	for (size_t i = 0; i < o->agent->conf->n_stores; i++) {
		const struct source *s = o->agent->sources[i];
		int64_t left = source_token_left_ms(s);
		if (source_token(s) && left != INT64_MAX)
			sample(o, "store", source_name(s),
			       left < 0 ? 0 : (double)left / 1000);
	}
}

// --- secrets and files

static void secrets(const struct out *o)
{
	static const char *const words[] = { "waiting", "held", "gone" };
	unsigned n[ARRAY_LEN(words)] = { 0 };
	for (struct entry *en = cache_next(o->agent->cache, NULL); en;
	     en = cache_next(o->agent->cache, en))
		n[en->state]++;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		sample(o, "state", words[i], n[i]);
}

static void leases(const struct out *o)
{
	unsigned n = 0;
	for (struct entry *en = cache_next(o->agent->cache, NULL); en;
	     en = cache_next(o->agent->cache, en))
		n += *en->lease_id != '\0';
	sample(o, NULL, NULL, n);
}

static void lease_left(const struct out *o)
{
	int64_t least = INT64_MAX;
	for (struct entry *en = cache_next(o->agent->cache, NULL); en;
	     en = cache_next(o->agent->cache, en))
		if (en->until_ms && en->until_ms < least)
			least = en->until_ms;
	if (least != INT64_MAX)
		sample(o, NULL, NULL, (double)(least - clock_mono_ms()) / 1000);
}

static void files(const struct out *o)
{
	static const char *const words[] = { "waiting", "published", "removed" };
	unsigned n[ARRAY_LEN(words)] = { 0 };
	for (size_t i = 0; i < o->agent->n_outputs; i++)
		n[o->agent->outputs[i]->state]++;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		sample(o, "state", words[i], n[i]);
}

static void aged_files(const struct out *o)
{
	unsigned n = 0;
	for (size_t i = 0; i < o->agent->n_outputs; i++)
		n += o->agent->outputs[i]->aged;
	sample(o, NULL, NULL, n);
}

// Sums over the places of one container, or of plain files ("").
static void by_container(const struct out *o, unsigned (*of)(const struct place *p))
{
	for (size_t i = 0; i <= o->agent->conf->n_deliver; i++) {
		const char *name = i < o->agent->conf->n_deliver
					   ? o->agent->conf->deliver[i].container
					   : "";
		unsigned n = 0, places = 0;
		for (size_t k = 0; k < o->agent->n_outputs; k++)
			for (size_t m = 0; m < o->agent->outputs[k]->n_places; m++) {
				const struct place *p = &o->agent->outputs[k]->places[m];
				if (strcmp(place_container(p), name) != 0)
					continue;
				n += of(p);
				places++;
			}
		if (places)
			sample(o, "container", name, n);
	}
}

static unsigned is_read(const struct place *p)
{
	return p->read_ms != 0;
}

static unsigned is_unread(const struct place *p)
{
	return p->unread;
}

static void read_files(const struct out *o)
{
	by_container(o, is_read);
}

static void unread_files(const struct out *o)
{
	by_container(o, is_unread);
}

static void pending(const struct out *o)
{
	sample(o, NULL, NULL, (double)notifier_pending(o->agent->notifier));
}

// --- the process

static void memory(const struct out *o)
{
	struct mem_stats m = mem_stats();
	sample(o, "kind", "in_use", (double)m.in_use);
	sample(o, "kind", "committed", (double)m.committed);
	sample(o, "kind", "locked", (double)m.locked);
}

static void resident(const struct out *o)
{
	AUTO_BUF struct buf text = BUF_INIT(4096);
	struct str rest, pages;
	uint64_t n = 0;
	if (!file_read("/proc/self/statm", &text, NULL))
		return;
	rest = str_of(buf_str(&text));
	if (!str_next(&rest, ' ', &pages) || !str_next(&rest, ' ', &pages))
		return;
	AUTO_FREE char *second = mem_strndup(pages.p, pages.len);
	if (str_uint64(second, &n, NULL))
		sample(o, NULL, NULL, (double)n * (double)sysconf(_SC_PAGESIZE));
}

static void reloads(const struct out *o)
{
	sample(o, NULL, NULL, (double)counters[COUNT_RELOADS]);
}

static void proxy(const struct out *o)
{
	sample(o, "outcome", "hit", (double)counters[COUNT_PROXY_HITS]);
	sample(o, "outcome", "miss", (double)counters[COUNT_PROXY_MISSES]);
	sample(o, "outcome", "error", (double)counters[COUNT_PROXY_ERRORS]);
}

static void (*const writers[METRICS])(const struct out *o) = {
	[METRIC_UP] = up,
	[METRIC_READY] = ready,
	[METRIC_START_TIME_SECONDS] = uptime,
	[METRIC_EVENTS_TOTAL] = events,
	[METRIC_ERRORS_TOTAL] = errors,
	[METRIC_LAST_SUCCESS_TIME_SECONDS] = last_success,
	[METRIC_STORE_UP] = store_up,
	[METRIC_FETCHES_TOTAL] = fetches,
	[METRIC_TOKEN_TTL_SECONDS] = token_ttl,
	[METRIC_SECRETS] = secrets,
	[METRIC_LEASES] = leases,
	[METRIC_LEASE_LEFT_SECONDS] = lease_left,
	[METRIC_FILES] = files,
	[METRIC_FILES_READ] = read_files,
	[METRIC_FILES_UNREAD] = unread_files,
	[METRIC_FILES_AGED] = aged_files,
	[METRIC_NOTIFICATIONS_PENDING] = pending,
	[METRIC_MEMORY_BYTES] = memory,
	[METRIC_RESIDENT_MEMORY_BYTES] = resident,
	[METRIC_RELOADS_TOTAL] = reloads,
	[METRIC_PROXY_REQUESTS_TOTAL] = proxy,
};

void agent_metrics_write(const struct agent *a, struct buf *to)
{
	for (enum metric m = 0; m < METRICS; m++) {
		const struct metric_row *r = &metric_rows[m];
		const struct out o = { to, r->name, a };
		buf_printf(to, "# HELP ampoule_%s %s\n# TYPE ampoule_%s %s\n", r->name,
			   r->help, r->name, r->type);
		writers[m](&o);
	}
}
