// SPDX-License-Identifier: Apache-2.0
// Fetching: the queue and the health of the store. What an answer means for an entry is in
// entry.c.
#include "agent/source.h"

#include <string.h>

#include "agent/cache.h"
#include "agent/login.h"
#include "agent/source_int.h"
#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	IN_FLIGHT_MAX = 32,
	PROBE_MIN_MS = 250,
	PROBE_MAX_MS = 6000,
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
	struct err error;              // why the store is down or the login fails
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
		if (!loop_watch_add(s->setup.loop, files[i], on_credential, s,
				    &s->watches[i], &e))
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

void source_wrap_token(struct source *s, const char *ttl, store_done_fn *done, void *ctx)
{
	s->ops->wrap_token(s->store, ttl, done, ctx); // only vault has logins with tokens
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
	struct store_ask what = { .verb = en->verb,
				  .path = en->path,
				  .params = en->params };
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

static void doubt_login(struct source *s, const struct err *e)
{
	if (e && e->kind == ERR_AUTH)
		login_lost(s->login);
	else if (e && e->kind == ERR_DENIED)
		login_doubt(s->login);
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct entry *en = ctx;
	struct source *s = en->source;
	en->in_flight = false;
	s->in_flight--;
	if (e && e->kind == ERR_RETRY && store_fault_is_whole(e)) {
		en->error = *e;
		store_down(s, en, e);
		return;
	}
	store_up(s);
	entry_answered(en, a, e);
	doubt_login(s, e);
	pump(s);
}

static void on_renewed(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct entry *en = ctx;
	struct source *s = en->source;
	en->in_flight = false;
	s->in_flight--;
	entry_renewed(en, a, e);
	doubt_login(s, e);
}

void source_renew(struct entry *en)
{
	struct source *s = en->source;
	en->in_flight = true;
	s->in_flight++;
	s->ops->renew(s->store, en->lease_id, en->granted_ms, on_renewed, en);
}

bool source_can_renew(const struct source *s)
{
	return s->ops->renew != NULL;
}

struct loop *source_loop(const struct source *s)
{
	return s->setup.loop;
}

int64_t source_interval(const struct source *s)
{
	return s->setup.interval_ms;
}

void source_tell(struct entry *en)
{
	en->source->setup.entry_changed(en->source->setup.ctx, en);
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
	if (s->setup.conf->auth.method &&
	    strcmp(s->setup.conf->auth.method, "token_file") != 0)
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

void source_end(struct source *s, const struct cache *cache, void (*done)(void *ctx),
		void *ctx)
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
