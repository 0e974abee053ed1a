// SPDX-License-Identifier: Apache-2.0
// Fetching: the queue and the health of the store. What an answer means for an entry is in
// entry.c.
#include "agent/source.h"
#include "agent/audit.h"

#include <string.h>
#include <unistd.h>

#include "agent/cache.h"
#include "agent/login.h"
#include "agent/pace.h"
#include "agent/queue.h"
#include "agent/source_int.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	IN_FLIGHT_MAX = 32,
	GOOD_FOR_MS = 2000, // after an answer, other refusals are their own path's matter
	PATIENCE_MS = 6000, // for a request that may be repeated; see patience_of()
	PATIENCE_MAX_MS = 60000,
};

struct source {
	struct source_setup setup;
	const struct store_ops *ops;
	struct store *store;
	struct login *login;
	struct queue due;
	struct queue sick; // failed by themselves; one at a time tries again
	unsigned in_flight;
	bool down; // a probe decides when the queue moves again
	struct entry *probing;
	bool checking; // the token, in place of an entry that makes a credential
	struct pace probe_pace, sick_pace;
	struct loop_timer probe_timer, sick_timer;
	int64_t good_ms, patience_ms;
	uint64_t outcomes[ERR_BUG + 1]; // answers, by the error's kind
	struct loop_watch *watches[4];  // credential files
	struct err error;               // why the store is down or the login fails
	uint64_t seed;
	const struct cache *end_cache; // set once source_end() was called
	bool revoke;
	unsigned ending;
	void (*ended)(void *ctx);
	void *ended_ctx;
};

static void pump(struct source *s);
static void end_leases(struct source *s);
static void store_up(struct source *s);
static void doubt_login(struct source *s, const struct err *e);

static void on_login(void *ctx, bool ready, const struct err *e)
{
	struct source *s = ctx;
	if (e) {
		s->error = *e;
	} else {
		store_up(s);
		err_clear(&s->error);
	}
	s->setup.login_changed(s->setup.ctx, s, ready);
	pump(s);
}

static void on_kept(void *ctx)
{
	source_tell_kept(ctx);
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
	s->due.end = &s->due.first;
	s->sick.end = &s->sick.first;
	s->patience_ms = PATIENCE_MS;
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
						    .kept = on_kept,
						    .ctx = s });
	*ret = s;
	return true;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	loop_timer_cancel(&s->probe_timer);
	loop_timer_cancel(&s->sick_timer);
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
	if (access(path, R_OK) != 0)
		return; // removed, after use perhaps
	if (login_ready(s->login) && s->ops->login_rotates &&
	    s->ops->login_rotates(s->store))
		return;
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

uint64_t source_outcomes(const struct source *s, enum err_kind kind)
{
	return s->outcomes[kind];
}

int64_t source_token_left_ms(const struct source *s)
{
	return login_left_ms(s->login);
}

// --- the queue ----------------------------------------------------------------------------

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e);

// Whether asking twice does no harm: it makes no credential.
static bool may_repeat(const struct entry *en)
{
	return en->renew_next || en->verb == STORE_LIST ||
	       (en->state == ENTRY_HELD && en->verb == STORE_READ && !*en->lease_id);
}

// Whether each answer is another credential.
static bool is_minting(const struct entry *en)
{
	return !en->renew_next && (*en->lease_id || en->verb == STORE_WRITE);
}

// Nothing was made: the request was not taken, or was refused.
static bool surely_refused(const struct err *e)
{
	static const int causes[] = { 412, 429, 472, 473, 503 };
	bool refused = e->kind != ERR_RETRY || (e->cause > 0 && e->cause < 200);
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		refused |= e->cause == causes[i];
	return refused;
}

// How long to wait for an answer (0: as the configuration says). A connection that hangs
// shall not cost a minute; but what may have made a credential is not asked for again
// before that, and a store that is slow by nature is given the time that it needs.
static int64_t patience_of(const struct source *s, const struct entry *en)
{
	return may_repeat(en) ? s->patience_ms : 0;
}

static void ask(struct source *s, struct entry *en)
{
	if (en->renew_next && en->until_ms <= clock_mono_ms())
		en->renew_next = false; // it has ended: there is nothing to renew
	en->in_flight = true;
	en->asked_ms = clock_mono_ms();
	en->minting = is_minting(en);
	if (en->minting)
		mint_take(&en->mint, en->asked_ms, en->granted_ms);
	s->in_flight++;
	if (s->ops->patience)
		s->ops->patience(s->store, patience_of(s, en));
	en->renewing = en->renew_next;
	if (en->renewing) {
		s->ops->renew(s->store, en->lease_id, en->granted_ms, on_answer, en);
	} else {
		struct store_ask what = { .verb = en->verb,
					  .path = en->path,
					  .params = en->params };
		s->ops->fetch(s->store, &what, on_answer, en);
	}
	if (s->ops->patience)
		s->ops->patience(s->store, 0);
}

static void pump(struct source *s)
{
	if (!login_ready(s->login) || s->down || s->end_cache)
		return;
	while (s->due.first && s->in_flight < IN_FLIGHT_MAX) {
		struct entry *en = queue_take_first(&s->due);
		int64_t wait = is_minting(en) ? mint_wait(&en->mint, clock_mono_ms(),
							  en->granted_ms)
					      : 0;
		if (wait > 0)
			entry_wait(en, wait);
		else
			ask(s, en);
	}
}

void source_fetch(struct entry *en)
{
	struct source *s = en->source;
	if (en->in_flight || (en->queued && !queue_take_out(&s->sick, en)))
		return;
	loop_timer_cancel(&en->timer);
	queue_put(&s->due, en);
	pump(s);
}

// --- the store's health -------------------------------------------------------------------

static int64_t at_least(int64_t delay_ms, const struct err *e)
{
	return e->retry_ms > delay_ms ? e->retry_ms : delay_ms;
}

static void on_probe(void *ctx, struct loop_timer *t);

static void probe_later(struct source *s, const struct err *e)
{
	loop_timer_in(s->setup.loop, &s->probe_timer,
		      at_least(pace_next(&s->probe_pace), e), on_probe, s);
}

static void on_checked(void *ctx, const struct store_token *t, const struct err *e)
{
	struct source *s = ctx;
	(void)t;
	s->checking = false;
	if (e && store_fault_is_whole(e)) {
		s->error = *e;
		probe_later(s, e);
		return;
	}
	store_up(s);
	doubt_login(s, e);
	pump(s);
}

static void on_probe(void *ctx, struct loop_timer *t)
{
	struct source *s = ctx;
	struct entry *en = s->due.first;
	(void)t;
	if (s->end_cache)
		return; // nothing more is asked for
	if (s->probing || s->checking || !login_ready(s->login))
		return; // the answer, or the login, will tell
	if (!en) {      // nobody wants anything any more
		store_up(s);
		return;
	}
	while (en->wait_next && !may_repeat(en))
		en = en->wait_next;
	if (!may_repeat(en))
		en = s->due.first;
	if (is_minting(en) && s->ops->check_login) {
		s->checking = true;
		s->ops->check_login(s->store, on_checked, s);
		return;
	}
	queue_take_out(&s->due, en);
	s->probing = en;
	ask(s, en);
}

// The store cannot be used now: the entry waits, a probe decides.
static void store_down(struct source *s, struct entry *en, const struct err *e)
{
	queue_put(&s->due, en);
	if (!s->down) {
		audit_error(AUDIT_FETCH, e, LOG_STR("store", source_name(s)));
		log_fail(LOG_WARN, e, "store cannot be reached; files stay as they are",
			 LOG_STR("store", source_name(s)));
	}
	s->down = true;
	s->error = *e;
	if (!s->probing && !s->checking && !loop_timer_armed(&s->probe_timer))
		probe_later(s, e);
}

static void store_up(struct source *s)
{
	if (!s->down)
		return;
	log_info("store answers again", LOG_STR("store", source_name(s)));
	s->down = false;
	err_clear(&s->error);
	pace_reset(&s->probe_pace);
	loop_timer_cancel(&s->probe_timer);
}

static void on_sick(void *ctx, struct loop_timer *t)
{
	struct source *s = ctx;
	(void)t;
	if (!s->sick.first)
		return;
	queue_put(&s->due, queue_take_first(&s->sick));
	pump(s);
}

// Whatever has become of the one that was tried, the next has its turn.
static void sick_next(struct source *s)
{
	if (s->sick.first && !loop_timer_armed(&s->sick_timer))
		loop_timer_in(s->setup.loop, &s->sick_timer, pace_next(&s->sick_pace),
			      on_sick, s);
}

void source_sick(struct entry *en, const struct err *e)
{
	struct source *s = en->source;
	queue_put(&s->sick, en);
	if (!loop_timer_armed(&s->sick_timer))
		loop_timer_in(s->setup.loop, &s->sick_timer,
			      at_least(pace_next(&s->sick_pace), e), on_sick, s);
}

// What was sick is well: so may be the others.
static void heal(struct source *s)
{
	pace_reset(&s->sick_pace);
	loop_timer_cancel(&s->sick_timer);
	while (s->sick.first)
		queue_put(&s->due, queue_take_first(&s->sick));
}

static void doubt_login(struct source *s, const struct err *e)
{
	if (s->end_cache)
		return;
	if (e && e->kind == ERR_AUTH)
		login_lost(s->login);
	else if (e && e->kind == ERR_DENIED)
		login_doubt(s->login);
}

// Whether the whole store is unwell. A status that one path answers while others are well is
// that path's matter, whatever it is.
static bool is_outage(const struct source *s, const struct err *e)
{
	bool well = s->good_ms && clock_mono_ms() - s->good_ms < GOOD_FOR_MS;
	return e->kind == ERR_RETRY && store_fault_is_whole(e) &&
	       !(e->cause >= 200 && well);
}

// Waits longer when nothing came in time, and as long as good answers take.
static void learn_patience(struct source *s, int64_t took_ms, bool good)
{
	int64_t want = took_ms * (good ? 4 : 2);
	if (!good && took_ms < s->patience_ms)
		return;
	s->patience_ms = want < PATIENCE_MS       ? PATIENCE_MS
			 : want > PATIENCE_MAX_MS ? PATIENCE_MAX_MS
						  : want;
}

static void answered(struct source *s, struct entry *en, const struct store_answer *a,
		     const struct err *e)
{
	bool was_sick = en->error.kind == ERR_RETRY;
	if (a)
		s->good_ms = clock_mono_ms();
	if (en->renewing) // whatever was decided since
		entry_renewed(en, a, e);
	else
		entry_answered(en, a, e);
	if (a && was_sick)
		heal(s);
	sick_next(s);
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct entry *en = ctx;
	struct source *s = en->source;
	en->in_flight = false;
	s->in_flight--;
	s->outcomes[e ? e->kind : ERR_NONE]++;
	if (s->probing == en)
		s->probing = NULL;
	learn_patience(s, clock_mono_ms() - en->asked_ms, a != NULL);
	if (en->minting && e && surely_refused(e))
		mint_give_back(&en->mint, en->granted_ms);
	if (e && is_outage(s, e)) {
		en->error = *e;
		store_down(s, en, e);
	} else {
		store_up(s);
		answered(s, en, a, e);
		doubt_login(s, e);
		pump(s);
	}
	if (s->end_cache && s->in_flight == 0)
		end_leases(s);
}

bool source_can_renew(const struct source *s)
{
	return s->ops->renew != NULL;
}

struct loop *source_loop(const struct source *s)
{
	return s->setup.loop;
}

int64_t source_interval(const struct source *s, int64_t own_ms)
{
	int64_t ms = own_ms ? own_ms : s->setup.interval_ms;
	return ms < s->setup.min_interval_ms ? s->setup.min_interval_ms : ms;
}

unsigned source_renewal_percent(const struct source *s)
{
	return s->setup.renewal_percent;
}

void source_tell(struct entry *en)
{
	en->source->setup.entry_changed(en->source->setup.ctx, en);
}

// --- for a successor ----------------------------------------------------------------------

void source_tell_kept(const struct source *s)
{
	if (s->setup.kept_changed)
		s->setup.kept_changed(s->setup.ctx);
}

json_t *source_save(const struct source *s)
{
	return s->ops->save ? s->ops->save(s->store) : NULL;
}

bool source_restore(struct source *s, const json_t *kept, int64_t age_ms)
{
	struct store_token t;
	if (!s->ops->restore || !s->ops->restore(s->store, kept, age_ms, &t))
		return false;
	login_restore(s->login, &t);
	return true;
}

bool source_token_replaced(struct source *s, int64_t *ret_left_ms)
{
	return login_replaced(s->login, ret_left_ms);
}

static void on_forgotten(void *ctx, const struct store_answer *a, const struct err *e);

void source_give_back(struct source *s, const char *lease_id)
{
	if (!s->ops->revoke || !login_ready(s->login))
		return;
	audit(AUDIT_REVOKE, LOG_STR("store", source_name(s)), LOG_STR("what", "lease"));
	s->ops->revoke(s->store, lease_id, on_forgotten, s);
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
	if (en->queued && !queue_take_out(&s->due, en))
		queue_take_out(&s->sick, en);
	sick_next(s);
	if (*en->lease_id && s->ops->revoke) {
		audit(AUDIT_REVOKE, LOG_STR("secret", entry_name(en)));
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
	const char *method = s->setup.conf->auth.method;
	// A token that somebody else made is his to end.
	bool ours = method && strcmp(method, "token_file") != 0;
	login_end(s->login, s->revoke && ours, on_all_ended, s);
}

static void on_revoked(void *ctx, const struct store_answer *a, const struct err *e)
{
	(void)a;
	(void)e;
	end_step(ctx);
}

static void end_leases(struct source *s)
{
	s->ending = 1;
	for (struct entry *en = cache_next(s->end_cache, NULL); en;
	     en = cache_next(s->end_cache, en)) {
		if (en->source != s)
			continue;
		loop_timer_cancel(&en->timer);
		if (!s->revoke || !*en->lease_id || !s->ops->revoke ||
		    !login_ready(s->login))
			continue;
		audit(AUDIT_REVOKE, LOG_STR("secret", entry_name(en)));
		s->ending++;
		s->ops->revoke(s->store, en->lease_id, on_revoked, s);
	}
	end_step(s);
}

void source_end(struct source *s, const struct cache *cache, bool revoke,
		void (*done)(void *ctx), void *ctx)
{
	s->revoke = revoke;
	s->ended = done;
	s->ended_ctx = ctx;
	s->end_cache = cache;
	// What is under way may bring another credential, which goes back as well.
	if (s->in_flight == 0)
		end_leases(s);
}
