// SPDX-License-Identifier: Apache-2.0
// The table of metrics.
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

static const struct row {
	const char *name, *type, *labels, *help;
	void (*write)(const struct out *o);
} rows[] = {
	{ "up", "gauge", "", "1: the agent's loop answers", up },
	{ "ready", "gauge", "", "1: every file is in place, none is overdue", ready },
	{ "start_time_seconds", "gauge", "", "when the agent began", uptime },
	{ "events_total", "counter", "event", "audit events by name", events },
	{ "errors_total", "counter", "op", "what failed, by the event that it was to be",
	  errors },
	{ "last_success_time_seconds", "gauge", "event", "when each event happened last",
	  last_success },
	{ "store_up", "gauge", "store", "1: logged in, and the store answers", store_up },
	{ "fetches_total", "counter", "store, outcome",
	  "fetches and renewals: ok, auth, denied, missing, retry, …", fetches },
	{ "token_ttl_seconds", "gauge", "store", "what is left of the token", token_ttl },
	{ "secrets", "gauge", "state", "secrets: waiting, held, gone", secrets },
	{ "leases", "gauge", "", "leases held", leases },
	{ "lease_left_seconds", "gauge", "", "until the first lease ends", lease_left },
	{ "files", "gauge", "state", "files: waiting, published, removed", files },
	{ "files_read", "gauge", "container", "files whose version was read",
	  read_files },
	{ "files_unread", "gauge", "container", "files overdue to be read",
	  unread_files },
	{ "notifications_pending", "gauge", "", "notifications not delivered yet",
	  pending },
	{ "memory_bytes", "gauge", "kind", "the heap: in_use, committed, locked",
	  memory },
	{ "resident_memory_bytes", "gauge", "", "pages of the process", resident },
	{ "reloads_total", "counter", "", "new configurations taken", reloads },
	{ "proxy_requests_total", "counter", "outcome",
	  "requests through the listener: hit, miss, error", proxy },
};

void agent_metrics_write(const struct agent *a, struct buf *to)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct out o = { to, r->name, a };
		buf_printf(to, "# HELP ampoule_%s %s\n# TYPE ampoule_%s %s\n", r->name,
			   r->help, r->name, r->type);
		r->write(&o);
	}
}

void agent_metrics_markdown(struct buf *to)
{
	buf_puts(to, "| metric | type | labels | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_printf(to, "| `ampoule_%s` | %s | %s | %s |\n", rows[i].name,
			   rows[i].type, rows[i].labels, rows[i].help);
}
