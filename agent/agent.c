// SPDX-License-Identifier: Apache-2.0
// The flow of a secret: an entry changes → the outputs that need it are dirty → one pass
// renders, publishes, and hands over to notify and observe.
#include "agent/agent.h"
#include "agent/audit.h"

#include <string.h>

#include "agent/agent_int.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	PUBLISH_RETRY_MS = 1000,
	REST_MS = 2000, // after the last pass unused pages go back
};

static void later_pass(struct agent *a);

static struct source *source_of(void *ctx, const struct conf_store *store)
{
	struct agent *a = ctx;
	for (size_t i = 0; i < a->conf->n_stores; i++)
		if (&a->conf->stores[i] == store)
			return a->sources[i];
	return NULL;
}

// --- what makes outputs dirty -------------------------------------------------------------

static void on_entry(void *ctx, struct entry *en)
{
	struct agent *a = ctx;
	for (size_t i = 0; i < a->n_outputs; i++)
		if (output_needs(a->outputs[i], en) && !output_waits(a->outputs[i])) {
			a->outputs[i]->dirty = true;
			agent_note_change(a->outputs[i]);
		}
	agent_later_save(a);
	later_pass(a);
}

static void on_kept(void *ctx)
{
	agent_later_save(ctx);
}

static void on_hint(void *ctx, struct source *s, const char *path)
{
	struct agent *a = ctx;
	for (struct entry *en = cache_next(a->cache, NULL); en;
	     en = cache_next(a->cache, en))
		if (en->source == s && (!path || strcmp(en->path, path) == 0))
			source_fetch(en);
}

static void on_login(void *ctx, struct source *s, bool ready)
{
	struct agent *a = ctx;
	if (ready) {
		agent_look_again(a, s);
		agent_later_save(a);
		sinks_write(a->sinks, s);
	}
	later_pass(a); // without a token: a reason to show
}

static void on_sink(void *ctx)
{
	later_pass(ctx);
}

static void load_template(struct agent *a, struct output *o)
{
	struct err e = ERR_INIT;
	if (render_load(o, a->conf, &e)) {
		o->dirty = true;
		o->first_changed_ms = 0; // not a secret's change: no quiet time
		return;
	}
	o->error = e;
	log_fail(LOG_ERROR, &e, "template not usable", LOG_STR("template", o->name));
}

static void on_template_file(void *ctx, const char *path)
{
	struct template_watch *w = ctx;
	log_info("template file changed", LOG_STR("file", path));
	load_template(w->agent, w->output);
	later_pass(w->agent);
}

// --- one pass -----------------------------------------------------------------------------

static void on_unread(void *ctx, struct place *p, enum conf_unread what)
{
	struct agent *a = ctx;
	if (what != UNREAD_ROLLBACK)
		return; // agent_is_ready() looks at the places
	publish_roll_back(p->output);
	later_pass(a);
}

static void on_notified(void *ctx, struct output *o, const struct conf_notify *what,
			const struct err *e)
{
	struct agent *a = ctx;
	if (e) {
		audit_error(AUDIT_SIGNAL, e, LOG_STR("file", o->conf->destination),
			    LOG_STR("notify", what->text));
		log_fail(LOG_WARN, e, "notification failed; it is tried again",
			 LOG_STR("template", o->name), LOG_STR("notify", what->text));
		if (a->opts.once)
			later_pass(a); // it may not be worth waiting
		return;
	}
	o->notified_ms = clock_mono_ms();
	agent_later_save(a);
	audit(AUDIT_SIGNAL, LOG_STR("file", o->conf->destination),
	      LOG_STR("notify", what->text), LOG_STR("secrets", o->secrets));
	later_pass(a); // --once may be waiting for it
}

static void notify(struct agent *a, struct output *o)
{
	const struct conf_notify *list =
		o->conf->n_notify ? o->conf->notify : a->conf->notify;
	size_t n = o->conf->n_notify ? o->conf->n_notify : a->conf->n_notify;
	bool first = o->generation <= 1 && !o->existed && o->state == OUTPUT_HELD;
	o->notify_due = false;
	for (size_t i = 0; i < n; i++)
		// At the very first render nobody runs yet that could be signalled; commands
		// run, as users of the peer expect.
		if (!first || list[i].kind == NOTIFY_COMMAND)
			notifier_add(a->notifier, o, &list[i]);
}

// Entries that no template wants any more are given back, but only when every template
// could say what it wants.
static void sweep_cache(struct agent *a)
{
	for (size_t i = 0; i < a->n_outputs; i++)
		if (a->outputs[i]->error.kind != ERR_NONE || a->outputs[i]->dirty)
			return;
	struct state_env env = agent_state_env(a);
	state_drop_rest(a->state, &env);
	for (struct entry *en = cache_next(a->cache, NULL), *next; en; en = next) {
		bool wanted = false;
		next = cache_next(a->cache, en);
		for (size_t i = 0; i < a->n_outputs && !wanted; i++)
			wanted = output_needs(a->outputs[i], en);
		if (!wanted && source_forget(en))
			cache_drop(a->cache, en);
	}
}

static void on_sweep(void *ctx, struct loop_timer *t)
{
	struct agent *a = ctx;
	int64_t next = -1;
	(void)t;
	for (struct volume **v = a->volumes; *v; v++) {
		int64_t wait = volume_sweep(*v);
		if (wait >= 0 && (next < 0 || wait < next))
			next = wait;
	}
	if (next >= 0)
		loop_timer_in(a->loop, &a->sweep_timer, next, on_sweep, a);
}

static void on_rest(void *ctx, struct loop_timer *t)
{
	(void)ctx;
	(void)t;
	mem_trim();
}

static void on_retry(void *ctx, struct loop_timer *t)
{
	(void)t;
	later_pass(ctx);
}

static bool all_rendered(const struct agent *a)
{
	for (size_t i = 0; i < a->n_outputs; i++)
		if (agent_waits_for(a->outputs[i]))
			return false;
	return sinks_done(a->sinks);
}

static void note_started(struct agent *a)
{
	if (!a->started && all_rendered(a)) {
		a->started = true;
		loop_timer_cancel(&a->deadline);
		log_info("every file is in place",
			 LOG_INT("files", (int64_t)a->n_outputs),
			 LOG_INT("after_ms", clock_mono_ms() - a->start_ms));
	}
	if (a->opts.changed)
		a->opts.changed(a->opts.ctx);
	if (a->started && a->opts.once && notifier_pending(a->notifier) == 0)
		agent_finish(a, AGENT_DONE);
}

// Runs the templates whose secrets have changed, and are quiet for as long as they shall be.
static void render_due(struct agent *a, const struct render_env *env)
{
	int64_t next = -1, wait;
	for (size_t i = 0; i < a->n_outputs; i++) {
		struct output *o = a->outputs[i];
		if (!o->dirty)
			continue;
		if (agent_must_wait(o, &wait)) {
			next = next < 0 || wait < next ? wait : next;
			continue;
		}
		o->first_changed_ms = 0;
		render_run(env, o);
	}
	if (next >= 0)
		loop_timer_in(a->loop, &a->wait_timer, next, on_retry, a);
}

static bool shows_news(const struct agent *a)
{
	for (size_t i = 0; i < a->n_outputs; i++)
		if (a->outputs[i]->changed || a->outputs[i]->removing)
			return true;
	return false;
}

static void agent_pass(void *ctx)
{
	struct agent *a = ctx;
	struct render_env render = { .loop = a->loop,
				     .conf = a->conf,
				     .cache = a->cache,
				     .source_of = source_of,
				     .restore = agent_restore,
				     .sides = { a->conf, a->volumes, &a->outputs,
						&a->n_outputs },
				     .ctx = a };
	struct publish_env publish = { .observer = a->observer, .volumes = a->volumes };
	struct err e = ERR_INIT;
	a->pass_due = false;
	render_due(a, &render);
	publish.outputs = a->outputs; // templates may have added some
	publish.n_outputs = a->n_outputs;
	bool news = !a->stopping && shows_news(a);
	a->save_due |= news;
	agent_save_state(a); // a file never shows what a successor would not know
	if (!publish_all(&publish, &e)) {
		audit_error(AUDIT_PUBLISH, &e);
		log_fail(LOG_ERROR, &e, "not published; the files before stay in place");
		loop_timer_in(a->loop, &a->retry_timer, PUBLISH_RETRY_MS, on_retry, a);
	}
	for (size_t i = 0; i < a->n_outputs; i++) {
		struct output *o = a->outputs[i];
		bool owed = o->untold && o->state == OUTPUT_HELD;
		if (o->notify_due || owed)
			notify(a, o);
		o->untold &= !owed;
	}
	if (news)
		agent_later_save(a); // what is owed now, and what is not
	agent_look_at_ages(a);
	sweep_cache(a);
	on_sweep(a, NULL);
	note_started(a);
	if (a->ended == AGENT_RUNNING && agent_gives_up(a, &a->error)) {
		agent_fail(a);
	}
	loop_timer_in(a->loop, &a->rest_timer, REST_MS, on_rest, a);
}

static void later_pass(struct agent *a)
{
	if (a->pass_due || a->stopping)
		return;
	a->pass_due = true;
	loop_later(a->loop, agent_pass, a);
}

// --- start and end ------------------------------------------------------------------------

// The first thing that keeps a file from being rendered, in one line.
static void explain(const struct agent *a, struct err *e)
{
	for (size_t i = 0; i < a->n_outputs; i++) {
		const struct output *o = a->outputs[i];
		struct err why = ERR_INIT;
		render_reason(o, &why);
		if (o->state == OUTPUT_WAITING && why.kind != ERR_NONE) {
			err_set(e, why.kind, 0, "template '%s': %s", o->name, why.text);
			return;
		}
	}
	for (size_t i = 0; i < a->conf->n_stores; i++) {
		const struct err *why = source_error(a->sources[i]);
		if (why) {
			err_set(e, why->kind, 0, "store '%s': %s",
				source_name(a->sources[i]), why->text);
			return;
		}
	}
	const struct err *sink = sinks_error(a->sinks);
	err_set(e, ERR_RETRY, 0, "%s", sink ? sink->text : "the store has not answered");
}

static void on_deadline(void *ctx, struct loop_timer *t)
{
	struct agent *a = ctx;
	(void)t;
	explain(a, &a->error);
	err_wrap(&a->error, "not everything could be rendered within %lld s",
		 (long long)(a->conf->start_timeout_ms / 1000));
	agent_fail(a);
}

void agent_start(struct agent *a)
{
	a->start_ms = clock_mono_ms();
	for (size_t i = 0; i < a->n_outputs; i++) {
		struct output *o = a->outputs[i];
		struct err e = ERR_INIT;
		load_template(a, o);
		a->watches[i] = (struct template_watch){ .agent = a, .output = o };
		if (o->conf->source &&
		    !loop_watch_add(a->loop, o->conf->source, on_template_file,
				    &a->watches[i], &o->source_watch, &e))
			log_fail(LOG_WARN, &e, "template file is not watched",
				 LOG_STR("file", o->conf->source));
		if ((a->opts.once || a->opts.exec) && !o->tmpl &&
		    o->error.kind == ERR_CONFIG) {
			a->error = o->error; // no waiting will mend it
			a->failed = true;
		}
	}
	if (a->failed) {
		agent_finish(a, AGENT_FAILED);
		return;
	}
	struct state_env env = agent_state_env(a);
	state_restore_logins(a->state, &env);
	for (size_t i = 0; i < a->conf->n_stores; i++)
		source_start(a->sources[i]);
	// With `deliver` applications wait for it: the kubelet shows the reason and tries again.
	bool awaited = a->opts.once || a->opts.exec || a->conf->n_deliver > 0;
	if (awaited && a->conf->start_timeout_ms > 0)
		loop_timer_in(a->loop, &a->deadline, a->conf->start_timeout_ms,
			      on_deadline, a);
	later_pass(a);
}

enum agent_end agent_ended(const struct agent *a, struct err *e)
{
	if (a->ended == AGENT_FAILED && e)
		*e = a->error;
	return a->ended;
}

void agent_refresh(struct agent *a)
{
	for (size_t i = 0; i < a->n_outputs; i++)
		if (a->outputs[i]->conf->source)
			load_template(a, a->outputs[i]);
	for (struct entry *en = cache_next(a->cache, NULL); en;
	     en = cache_next(a->cache, en))
		if (!*en->lease_id)
			source_fetch(en);
	later_pass(a);
}

bool agent_started(const struct agent *a)
{
	return a->started;
}

bool agent_is_ready(const struct agent *a)
{
	for (size_t i = 0; i < a->n_outputs; i++) {
		const struct output *o = a->outputs[i];
		enum conf_unread rule = o->conf->unread_after_ms
						? o->conf->on_unread
						: a->conf->observe.on_unread;
		for (size_t k = 0; k < o->n_places; k++)
			if (o->places[k].unread && rule == UNREAD_UNREADY)
				return false;
	}
	return a->started;
}

// --- making and freeing -------------------------------------------------------------------

static bool open_volumes(struct agent *a, struct err *e)
{
	a->volumes = mem_calloc(a->conf->n_deliver + 1, sizeof(struct volume *));
	for (size_t i = 0; i < a->conf->n_deliver; i++) {
		const struct conf_deliver *d = &a->conf->deliver[i];
		struct volume_opts opts = { .container = d->container,
					    .folder = d->folder,
					    .mount = d->mount,
					    .uid = d->uid,
					    .allow_disk = a->conf->policy.allow_disk,
					    .grace_ms = a->conf->observe.grace_ms };
		if (!volume_open(&opts, &a->volumes[i], e))
			return false;
	}
	return true;
}

static bool open_sources(struct agent *a, struct err *e)
{
	const struct conf_template_config *t = &a->conf->template_config;
	a->sources = mem_calloc(a->conf->n_stores + 1, sizeof(struct source *));
	for (size_t i = 0; i < a->conf->n_stores; i++) {
		struct source_setup setup = {
			.loop = a->loop,
			.conf = &a->conf->stores[i],
			.interval_ms = t->static_interval_ms,
			.min_interval_ms = a->conf->policy.min_interval_ms,
			.renewal_percent = (unsigned)(t->lease_renewal_threshold * 100),
			.entry_changed = on_entry,
			.hint = on_hint,
			.login_changed = on_login,
			.kept_changed = on_kept,
			.ctx = a,
		};
		if (!source_new(&setup, &a->sources[i], e))
			return false;
	}
	return true;
}

static bool make_outputs(struct agent *a, struct err *e)
{
	size_t files = a->conf->n_templates, n = files + a->conf->n_variables;
	a->outputs = mem_calloc(n + 1, sizeof(struct output *));
	a->watches = mem_calloc(n + 1, sizeof(struct template_watch));
	for (size_t i = 0; i < n; i++) {
		const struct conf_template *t = i < files
							? &a->conf->templates[i]
							: &a->conf->variables[i - files];
		if (!output_new(t, a->volumes, &a->outputs[i], e))
			return false;
		a->n_outputs++;
	}
	return true;
}

bool agent_new(struct loop *l, const struct conf *conf, const struct agent_opts *opts,
	       struct agent **ret, struct err *e)
{
	struct agent *a = mem_alloc(sizeof(*a));
	a->loop = l;
	a->conf = conf;
	a->opts = *opts;
	a->cache = cache_new();
	if (!notifier_check(conf, e) || !open_volumes(a, e) || !open_sources(a, e) ||
	    !make_outputs(a, e) || !agent_open_state(a, e)) {
		agent_free(a);
		return false;
	}
	a->sinks = sinks_new(&(struct sinks_setup){ l, conf, a->volumes, on_sink, a });
	a->observer = observer_new(l, conf, on_unread, a);
	a->notifier = notifier_new(l, a->volumes, on_notified, a);
	notifier_set_child(a->notifier, opts->signal_child, opts->ctx);
	*ret = a;
	return true;
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	loop_later_cancel(a->loop, a);
	loop_timer_cancel(&a->deadline);
	loop_timer_cancel(&a->sweep_timer);
	loop_timer_cancel(&a->retry_timer);
	loop_timer_cancel(&a->rest_timer);
	loop_timer_cancel(&a->wait_timer);
	loop_timer_cancel(&a->age_timer);
	loop_timer_cancel(&a->grace_timer);
	notifier_free(a->notifier);
	for (size_t i = 0; a->outputs && i < a->n_outputs; i++)
		output_free(a->outputs[i]);
	observer_free(a->observer);
	sinks_free(a->sinks);
	for (size_t i = 0; a->sources && i < a->conf->n_stores; i++)
		source_free(a->sources[i]);
	cache_free(a->cache);
	state_free(a->state);
	for (struct volume **v = a->volumes; v && *v; v++)
		volume_free(*v);
	mem_free(a->outputs);
	mem_free(a->watches);
	mem_free(a->sources);
	mem_free(a->volumes);
	mem_free(a);
}
