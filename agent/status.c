// SPDX-License-Identifier: Apache-2.0
// The status document: what the agent holds, and who has read it. Identities and versions,
// never a value.
#include <string.h>
#include <unistd.h>

#include "agent/agent_int.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static void set_str(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_string(value));
}

static void set_int(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

static void set_error(json_t *o, const struct err *e)
{
	if (!e || e->kind == ERR_NONE)
		return;
	set_str(o, "error", e->text);
	set_str(o, "error_kind", err_kind_name(e->kind));
}

// Milliseconds since, or -1 when it has not happened.
static int64_t since(int64_t then_ms)
{
	return then_ms ? clock_mono_ms() - then_ms : -1;
}

static const char *read_word(const struct observer *ob, const struct place *p)
{
	if (p->read_ms)
		return "yes";
	if (p->unread)
		return "overdue";
	if (!p->published_ms || !p->observed || !observer_available(ob))
		return "unknown"; // published by an earlier agent, or receipts unavailable
	return "no";
}

static int64_t lease_left(const struct output *o)
{
	int64_t left = -1;
	for (size_t i = 0; i < o->n_deps; i++) {
		int64_t l = o->deps[i]->until_ms ? o->deps[i]->until_ms - clock_mono_ms()
						 : -1;
		if (l >= 0 && (left < 0 || l < left))
			left = l;
	}
	return left;
}

static const char *state_word(const struct output *o)
{
	static const char *const words[] = {
		[OUTPUT_WAITING] = "waiting",
		[OUTPUT_HELD] = "published",
		[OUTPUT_REMOVED] = "removed",
	};
	return o->rolled_back ? "rolled back" : words[o->state];
}

// One file at one place, or a variable of exec mode, which has none.
static json_t *file_status(const struct agent *a, const struct output *o,
			   const struct place *p)
{
	static const struct place none = { 0 };
	json_t *f = json_object();
	AUTO_FREE char *variable = p ? NULL : mem_printf("$%s", o->name);
	set_str(f, "file", p ? o->conf->destination : variable);
	set_str(f, "template", o->name);
	set_str(f, "container", p ? place_container(p) : "");
	p = p ? p : &none;
	set_str(f, "secrets", o->secrets);
	set_str(f, "state", state_word(o));
	set_int(f, "generation", o->generation);
	set_int(f, "rendered_ms_ago", since(o->rendered_ms));
	set_int(f, "published_ms_ago", since(p->published_ms));
	set_int(f, "notified_ms_ago", since(o->notified_ms));
	set_int(f, "read_ms_ago", since(p->read_ms));
	set_str(f, "read", read_word(a->observer, p));
	set_int(f, "lease_left_ms", lease_left(o));
	set_int(f, "age_ms", output_age_ms(o));
	json_object_set_new(f, "aged", json_boolean(o->aged));
	if (o->conf->owner)
		set_str(f, "owner", o->conf->owner);
	struct err why = ERR_INIT;
	render_reason(o, &why);
	set_error(f, &why);
	return f;
}

static json_t *secret_status(const struct entry *en)
{
	static const char *const words[] = {
		[ENTRY_NEW] = "waiting",
		[ENTRY_HELD] = "held",
		[ENTRY_GONE] = "gone",
	};
	json_t *s = json_object();
	set_str(s, "secret", entry_name(en));
	set_str(s, "version", en->version);
	set_str(s, "state", words[en->state]);
	set_int(s, "checked_ms_ago", since(en->checked_ms));
	set_int(s, "changed_ms_ago", since(en->got_ms));
	set_int(s, "lease_left_ms", en->until_ms ? en->until_ms - clock_mono_ms() : -1);
	set_error(s, &en->error);
	return s;
}

static json_t *store_status(const struct source *s)
{
	json_t *o = json_object();
	set_str(o, "store", source_name(s));
	set_str(o, "type", source_conf(s)->type);
	set_str(o, "state", source_state(s));
	set_error(o, source_error(s));
	return o;
}

static json_t *memory_status(void)
{
	struct mem_stats m = mem_stats();
	json_t *o = json_object();
	set_int(o, "in_use", (int64_t)m.in_use);
	set_int(o, "committed", (int64_t)m.committed);
	set_int(o, "locked", (int64_t)m.locked);
	return o;
}

json_t *agent_status(const struct agent *a)
{
	json_t *doc = json_object(), *files = json_array(), *secrets = json_array(),
	       *stores = json_array();
	for (size_t i = 0; i < a->n_outputs; i++) {
		const struct output *o = a->outputs[i];
		if (o->n_places == 0)
			json_array_append_new(files, file_status(a, o, NULL));
		for (size_t k = 0; k < o->n_places; k++)
			json_array_append_new(files, file_status(a, o, &o->places[k]));
	}
	for (struct entry *en = cache_next(a->cache, NULL); en;
	     en = cache_next(a->cache, en))
		json_array_append_new(secrets, secret_status(en));
	for (size_t i = 0; i < a->conf->n_stores; i++)
		json_array_append_new(stores, store_status(a->sources[i]));
	set_int(doc, "pid", getpid());
	set_str(doc, "state",
		!a->started         ? "starting"
		: agent_is_ready(a) ? "ready"
				    : "unready");
	json_object_set_new(doc, "receipts",
			    json_boolean(observer_available(a->observer)));
	set_int(doc, "reads", (int64_t)observer_reads(a->observer));
	set_int(doc, "notifications_pending", (int64_t)notifier_pending(a->notifier));
	if (notifier_error(a->notifier))
		set_str(doc, "notification_error", notifier_error(a->notifier)->text);
	json_object_set_new(doc, "files", files);
	json_object_set_new(doc, "secrets", secrets);
	json_object_set_new(doc, "stores", stores);
	json_object_set_new(doc, "memory", memory_status());
	return doc;
}
