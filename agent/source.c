// SPDX-License-Identifier: Apache-2.0
// Fetching: queue, health of the store, what an answer means for an entry.
#include "agent/source.h"

#include <string.h>

#include "agent/cache.h"
#include "agent/lease.h"
#include "agent/login.h"
#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"

enum {
	IN_FLIGHT_MAX = 32,
	PROBE_MIN_MS = 250,
	PROBE_MAX_MS = 6000,
	RETRY_MIN_MS = 1000,
	RETRY_MAX_MS = 60 * 1000,
	GONE_LOOK_MS = 1000, // between the first sight of a removal and the second look
};

struct source {
	struct source_setup setup;
	const struct store_ops *ops;
	struct store *store;
	struct login *login;
	struct entry *queue, **queue_end;
	unsigned in_flight;
	bool down; // a probe decides when the queue moves again
	struct backoff probe;
	struct loop_timer probe_timer;
	struct loop_watch *watches[4]; // credential files
	struct err error;	       // why the store is down or the login fails
	uint64_t seed;
	unsigned ending;
	void (*ended)(void *ctx);
	void *ended_ctx;
};

static void pump(struct source *s);

static void on_login(void *ctx, bool ready, const struct err *e)
{
	struct source *s = ctx;
	if (e)
		s->error = *e;
	else
		err_clear(&s->error);
	s->setup.login_changed(s->setup.ctx, s, ready);
	pump(s);
}

static void on_store_changed(void *ctx, const char *path)
{
	struct source *s = ctx;
	s->setup.hint(s->setup.ctx, s, path);
}

bool source_new(const struct source_setup *setup, struct source **ret, struct err *e)
{
	const struct store_ops *ops = store_find(setup->conf->type);
	if (!ops)
		return err_set(e, ERR_CONFIG, 0, "store '%s': type '%s' is not known",
			       setup->conf->name, setup->conf->type);
	struct source *s = mem_alloc(sizeof(*s));
	s->setup = *setup;
	s->ops = ops;
	s->queue_end = &s->queue;
	s->probe = (struct backoff){ .min_ms = PROBE_MIN_MS, .max_ms = PROBE_MAX_MS };
	struct store_env env = { .loop = setup->loop,
				 .conf = setup->conf,
				 .changed = on_store_changed,
				 .changed_ctx = s };
	if (!ops->open(&env, &s->store, e)) {
		source_free(s);
		return err_wrap(e, "store '%s'", setup->conf->name);
	}
	s->login = login_new(&(struct login_setup){ .loop = setup->loop,
						    .ops = ops,
						    .store = s->store,
						    .conf = setup->conf,
						    .changed = on_login,
						    .ctx = s });
	*ret = s;
	return true;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	loop_timer_cancel(&s->probe_timer);
	for (size_t i = 0; i < ARRAY_LEN(s->watches); i++)
		loop_watch_remove(s->watches[i]);
	login_free(s->login);
	if (s->store)
		s->ops->close(s->store);
	mem_free(s);
}

static void on_credential(void *ctx, const char *path)
{
	struct source *s = ctx;
	log_info("credential file changed", LOG_STR("store", s->setup.conf->name),
		 LOG_STR("file", path));
	login_refresh(s->login);
}

void source_start(struct source *s)
{
	const char *files[ARRAY_LEN(s->watches)];
	size_t n = s->ops->login_files
			   ? s->ops->login_files(s->store, files, ARRAY_LEN(files))
			   : 0;
	for (size_t i = 0; i < n; i++) {
		struct err e = ERR_INIT;
		if (!loop_watch_add(s->setup.loop, files[i], on_credential, s, &s->watches[i],
				    &e))
			log_fail(LOG_WARN, &e, "credential file is not watched",
				 LOG_STR("file", files[i]));
	}
	login_start(s->login);
}

const char *source_name(const struct source *s)
{
	return s->setup.conf->name;
}

const struct conf_store *source_conf(const struct source *s)
{
	return s->setup.conf;
}

const struct secret *source_token(const struct source *s)
{
	return s->ops->token ? s->ops->token(s->store) : NULL;
}

const struct err *source_error(const struct source *s)
{
	return s->error.kind == ERR_NONE ? NULL : &s->error;
}

const char *source_state(const struct source *s)
{
	return s->down ? "unreachable" : login_state_name(s->login);
}

// --- the queue ----------------------------------------------------------------------------

static void enqueue(struct source *s, struct entry *en)
{
	en->queued = true;
	en->wait_next = NULL;
	*s->queue_end = en;
	s->queue_end = &en->wait_next;
}

static struct entry *dequeue(struct source *s)
{
	struct entry *en = s->queue;
	s->queue = en->wait_next;
	if (!s->queue)
		s->queue_end = &s->queue;
	en->queued = false;
	return en;
}

static void unqueue(struct source *s, struct entry *en)
{
	struct entry **p = &s->queue;
	while (*p && *p != en)
		p = &(*p)->wait_next;
	if (!*p)
		return;
	*p = en->wait_next;
	if (!*p)
		s->queue_end = p;
	en->queued = false;
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e);

static void ask(struct source *s, struct entry *en)
{
	struct store_ask what = { .verb = en->verb, .path = en->path, .params = en->params };
	en->in_flight = true;
	s->in_flight++;
	s->ops->fetch(s->store, &what, on_answer, en);
}

static void pump(struct source *s)
{
	if (!login_ready(s->login) || s->down)
		return;
	while (s->queue && s->in_flight < IN_FLIGHT_MAX)
		ask(s, dequeue(s));
}

void source_fetch(struct entry *en)
{
	if (en->in_flight || en->queued)
		return;
	loop_timer_cancel(&en->timer);
	enqueue(en->source, en);
	pump(en->source);
}

static void on_probe(void *ctx, struct loop_timer *t)
{
	struct source *s = ctx;
	(void)t;
	if (s->queue && s->in_flight == 0 && login_ready(s->login))
		ask(s, dequeue(s));
}

// The store cannot be used now: the entry waits at the front, a probe decides.
static void store_down(struct source *s, struct entry *en, const struct err *e)
{
	en->queued = true;
	en->wait_next = s->queue;
	s->queue = en;
	if (!en->wait_next)
		s->queue_end = &en->wait_next;
	if (!s->down)
		log_fail(LOG_WARN, e, "store cannot be reached; files stay as they are",
			 LOG_STR("store", source_name(s)));
	s->down = true;
	s->error = *e;
	if (s->in_flight > 0 || loop_timer_armed(&s->probe_timer))
		return;
	int64_t delay = backoff_next(&s->probe);
	if (e->retry_ms > delay)
		delay = e->retry_ms;
	loop_timer_in(s->setup.loop, &s->probe_timer, delay, on_probe, s);
}

static void store_up(struct source *s)
{
	if (!s->down)
		return;
	log_info("store answers again", LOG_STR("store", source_name(s)));
	s->down = false;
	err_clear(&s->error);
	backoff_reset(&s->probe);
	loop_timer_cancel(&s->probe_timer);
}

// --- what an answer means -----------------------------------------------------------------

static void on_timer(void *ctx, struct loop_timer *t);

static void arm(struct entry *en, int64_t delay_ms)
{
	loop_timer_in(en->source->setup.loop, &en->timer, delay_ms, on_timer, en);
}

static void plan(struct entry *en)
{
	int64_t delay = 0;
	en->renew_next = false;
	switch (en->life) {
	case LIFE_WATCH:
		return;
	case LIFE_STATIC:
		delay = lease_poll(en->interval_ms ? en->interval_ms
						   : en->source->setup.interval_ms,
				   &en->seed);
		break;
	case LIFE_UNTIL:
		delay = en->until_ms - clock_mono_ms();
		break;
	case LIFE_LEASE: {
		struct lease_terms terms = { .lease_ms = en->lease_ms,
					     .granted_ms = en->granted_ms,
					     .renewable = en->renewable &&
							  en->source->ops->renew };
		en->renew_next = lease_plan(&terms, &en->seed, &delay) == LEASE_RENEW;
		break;
	}
	}
	arm(en, delay);
}

static void take_lease(struct entry *en, const struct store_answer *a, bool fresh)
{
	int64_t now = clock_mono_ms();
	en->lease_ms = a->lease_ms;
	if (fresh)
		en->granted_ms = a->lease_ms;
	en->renewable = a->renewable;
	en->until_ms = en->life == LIFE_UNTIL	? now + a->next_ms
		       : en->life == LIFE_LEASE ? now + a->lease_ms
						: 0;
}

static bool same_answer(const struct entry *en, const struct store_answer *a)
{
	if (en->state != ENTRY_HELD || strcmp(en->version, a->version) != 0 || *a->lease_id)
		return false;
	// Vault's answers carry a request id that is new each time; the data is what counts.
	if (!json_is_object(a->body))
		return json_equal(en->body, a->body);
	return json_equal(json_object_get(en->body, "data"), json_object_get(a->body, "data"));
}

static void good(struct entry *en, const struct store_answer *a)
{
	struct source *s = en->source;
	bool same = same_answer(en, a);
	en->tries = 0;
	en->gone_once = false;
	err_clear(&en->error);
	en->life = a->life;
	en->checked_ms = clock_mono_ms();
	take_lease(en, a, true);
	if (!same) {
		json_decref(en->body);
		en->body = json_incref(a->body);
		mem_free(en->version);
		en->version = mem_strdup(a->version);
		mem_free(en->lease_id);
		en->lease_id = mem_strdup(a->lease_id);
		en->got_ms = en->checked_ms;
		en->state = ENTRY_HELD;
		log_audit("fetch", LOG_STR("secret", entry_name(en)),
			  LOG_STR("version", en->version),
			  LOG_INT("lease_s", en->lease_ms / 1000));
	}
	plan(en);
	if (!same)
		s->setup.entry_changed(s->setup.ctx, en);
}

static void gone(struct entry *en, const struct err *e)
{
	struct source *s = en->source;
	if (en->state == ENTRY_HELD && !en->gone_once) {
		en->gone_once = true;
		arm(en, GONE_LOOK_MS);
		return;
	}
	bool was_held = en->state == ENTRY_HELD;
	en->state = ENTRY_GONE;
	en->error = *e;
	json_decref(en->body);
	en->body = NULL;
	en->life = LIFE_STATIC; // it may come back
	if (was_held)
		log_fail(LOG_AUDIT, e, "gone", LOG_STR("secret", entry_name(en)),
			 LOG_STR("version", en->version));
	arm(en, lease_poll(en->interval_ms ? en->interval_ms : s->setup.interval_ms, &en->seed));
	s->setup.entry_changed(s->setup.ctx, en);
}

static void bad(struct entry *en, const struct err *e)
{
	struct source *s = en->source;
	bool first = en->error.kind == ERR_NONE;
	struct backoff b = { .min_ms = RETRY_MIN_MS,
			     .max_ms = RETRY_MAX_MS,
			     .tries = en->tries++,
			     .seed = en->seed | 1 };
	int64_t delay = backoff_next(&b);
	en->error = *e;
	log_fail(first ? LOG_WARN : LOG_DEBUG, e, "secret not fetched",
		 LOG_STR("secret", entry_name(en)), LOG_INT("retry_ms", delay));
	arm(en, delay);
	if (first)
		s->setup.entry_changed(s->setup.ctx, en);
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct entry *en = ctx;
	struct source *s = en->source;
	en->in_flight = false;
	s->in_flight--;
	if (e && e->kind == ERR_RETRY) {
		en->error = *e;
		store_down(s, en, e);
		return;
	}
	store_up(s);
	if (a) {
		good(en, a);
	} else if (e->kind == ERR_MISSING && e->cause == STORE_GONE) {
		gone(en, e);
	} else {
		bad(en, e);
		if (e->kind == ERR_AUTH || e->kind == ERR_DENIED)
			login_doubt(s->login);
	}
	pump(s);
}

static void on_renewed(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct entry *en = ctx;
	struct source *s = en->source;
	en->in_flight = false;
	s->in_flight--;
	if (a) {
		err_clear(&en->error);
		take_lease(en, a, false);
		log_audit("renew", LOG_STR("secret", entry_name(en)),
			  LOG_INT("lease_s", en->lease_ms / 1000));
		plan(en);
		return;
	}
	int64_t delay;
	int64_t left = e->kind == ERR_MISSING || e->kind == ERR_CONFIG
			       ? 0 // the store does not know the lease: it is dead
			       : en->until_ms - clock_mono_ms();
	en->error = *e;
	en->renew_next = lease_after_failure(left, &en->seed, &delay) == LEASE_RENEW;
	log_fail(LOG_WARN, e, "lease not renewed", LOG_STR("secret", entry_name(en)),
		 LOG_INT("retry_ms", delay), LOG_INT("left_ms", left));
	arm(en, delay);
	if (e->kind == ERR_AUTH || e->kind == ERR_DENIED)
		login_doubt(s->login);
}

static void on_timer(void *ctx, struct loop_timer *t)
{
	struct entry *en = ctx;
	struct source *s = en->source;
	(void)t;
	if (!en->renew_next) {
		source_fetch(en);
		return;
	}
	en->in_flight = true;
	s->in_flight++;
	s->ops->renew(s->store, en->lease_id, en->granted_ms, on_renewed, en);
}

// --- the end ------------------------------------------------------------------------------

static void on_forgotten(void *ctx, const struct store_answer *a, const struct err *e)
{
	(void)ctx;
	(void)a;
	(void)e; // it ends by itself
}

bool source_forget(struct entry *en)
{
	struct source *s = en->source;
	if (en->in_flight)
		return false;
	loop_timer_cancel(&en->timer);
	unqueue(s, en);
	if (*en->lease_id && s->ops->revoke) {
		log_audit("revoke", LOG_STR("secret", entry_name(en)));
		s->ops->revoke(s->store, en->lease_id, on_forgotten, s);
	}
	return true;
}

static void on_all_ended(void *ctx)
{
	struct source *s = ctx;
	s->ended(s->ended_ctx);
}

static void end_step(struct source *s)
{
	if (--s->ending > 0)
		return;
	if (s->setup.conf->auth.method && strcmp(s->setup.conf->auth.method, "token_file") != 0)
		login_end(s->login, on_all_ended, s);
	else
		s->ended(s->ended_ctx); // a token that somebody else made is his to end
}

static void on_revoked(void *ctx, const struct store_answer *a, const struct err *e)
{
	(void)a;
	(void)e;
	end_step(ctx);
}

void source_end(struct source *s, const struct cache *cache, void (*done)(void *ctx), void *ctx)
{
	s->ended = done;
	s->ended_ctx = ctx;
	s->ending = 1;
	for (struct entry *en = cache_next(cache, NULL); en; en = cache_next(cache, en)) {
		if (en->source != s)
			continue;
		loop_timer_cancel(&en->timer);
		if (!*en->lease_id || !s->ops->revoke || !login_ready(s->login))
			continue;
		log_audit("revoke", LOG_STR("secret", entry_name(en)));
		s->ending++;
		s->ops->revoke(s->store, en->lease_id, on_revoked, s);
	}
	end_step(s);
}
