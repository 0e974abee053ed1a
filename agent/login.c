// SPDX-License-Identifier: Apache-2.0
// The credential's state machine: one table [state][event] of what to do.
#include "agent/login.h"
#include "agent/audit.h"

#include "agent/lease.h"
#include "agent/pace.h"
#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum state { OFF, TRYING, WAITING, READY, RENEWING, CHECKING, ENDING, N_STATES };
enum event {
	EV_START,
	EV_GOOD,
	EV_BAD,
	EV_TIMER,
	EV_DOUBT,
	EV_LOST,
	EV_REFRESH,
	N_EVENTS
};

enum {
	CHECK_AGAIN_MS = 5000,
	LOST_AGAIN_MS = 500, // after a login, another one because the token is refused
	REFRESH_DELAY_MS = 100,
	PATIENCE_MS = 6000, // for an answer; doubled after each failure
	PATIENCE_SHIFT_MAX = 3,
};

struct login {
	struct login_setup setup;
	enum state state;
	bool usable; // a token is held, even while a newer one is fetched
	bool restored, had, replaced; // a predecessor's; any before; since last asked
	int64_t old_left_ms;          // of the replaced one
	struct backoff backoff;       // of refusals
	struct pace pace;             // of a store that cannot be reached
	uint64_t seed;
	struct loop_timer timer;
	int64_t granted_ms, until_ms; // of the token; 0 = does not end
	int64_t renew_ms;             // when it is to be renewed next
	bool renewable;
	int64_t checked_ms;
	struct store_token token; // of the answer being handled
	struct err error;
	bool stale;      // the credential changed while an answer was waited for
	bool keep_token; // at the end
	void (*ended)(void *ctx);
	void *ended_ctx;
};

typedef void act_fn(struct login *l);

static const char *const state_names[N_STATES] = {
	[OFF] = "off",       [TRYING] = "logging in", [WAITING] = "waiting",
	[READY] = "ready",   [RENEWING] = "renewing", [CHECKING] = "checking",
	[ENDING] = "ending",
};

static void event(struct login *l, enum event ev);

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	event(ctx, EV_TIMER);
}

static void arm(struct login *l, int64_t delay_ms)
{
	loop_timer_in(l->setup.loop, &l->timer, delay_ms, on_timer, l);
}

static void on_answer(void *ctx, const struct store_token *t, const struct err *e)
{
	struct login *l = ctx;
	if (t)
		l->token = *t;
	else
		l->error = *e;
	bool stale = l->stale && l->state != ENDING;
	event(l, t ? EV_GOOD : EV_BAD);
	if (stale) {
		l->stale = false;
		event(l, EV_REFRESH);
	}
}

static void tell(struct login *l, const struct err *e)
{
	l->setup.changed(l->setup.ctx, l->usable, e);
}

typedef void ask_fn(struct store *s, store_login_fn *done, void *ctx);

static void ask(struct login *l, enum state state, ask_fn *what)
{
	const struct store_ops *ops = l->setup.ops;
	unsigned shift = l->pace.tries;
	l->state = state;
	loop_timer_cancel(&l->timer);
	err_clear(&l->error);
	if (ops->patience)
		ops->patience(l->setup.store,
			      PATIENCE_MS << (shift < PATIENCE_SHIFT_MAX
						      ? shift
						      : PATIENCE_SHIFT_MAX));
	what(l->setup.store, on_answer, l);
	if (ops->patience)
		ops->patience(l->setup.store, 0);
}

static void try_login(struct login *l)
{
	ask(l, TRYING, l->setup.ops->login);
}

// A better token is awaited, but the one that is held may not end meanwhile.
static void try_again(struct login *l)
{
	if (!l->usable || !l->renewable || clock_mono_ms() < l->renew_ms) {
		try_login(l);
		return;
	}
	l->stale = true; // then the login has its turn
	ask(l, RENEWING, l->setup.ops->renew_login);
}

static void arm_renewal(struct login *l, int64_t delay_ms)
{
	l->renew_ms = clock_mono_ms() + delay_ms;
	arm(l, delay_ms);
}

static void timer_ready(struct login *l);
static void doubt(struct login *l);

// A predecessor's token: used, and asked about.
static void start_restored(struct login *l)
{
	l->state = READY;
	l->usable = l->had = true;
	log_info("token taken over from the state",
		 LOG_STR("store", l->setup.conf->name));
	tell(l, NULL);
	if (l->renewable) {
		timer_ready(l);
		return;
	}
	if (l->until_ms)
		arm(l, l->until_ms - clock_mono_ms());
	doubt(l);
}

static void start(struct login *l)
{
	if (l->restored) {
		start_restored(l);
		return;
	}
	if (l->setup.ops->login) {
		try_login(l);
		return;
	}
	l->state = READY;
	l->usable = true;
	tell(l, NULL);
}

// Plans the next renewal (or login) of the token, whose time is what the store said just
// now; it would be `full_ms` if its maximum were not near.
static void plan(struct login *l, int64_t full_ms)
{
	l->state = READY;
	l->renewable = l->token.renewable && l->setup.ops->renew_login;
	l->until_ms = l->token.ttl_ms ? clock_mono_ms() + l->token.ttl_ms : 0;
	if (l->token.ttl_ms <= 0)
		return;
	struct lease_terms terms = { .lease_ms = l->token.ttl_ms,
				     .granted_ms = full_ms,
				     .renewable = l->renewable };
	int64_t delay;
	if (lease_plan(&terms, &l->seed, &delay) == LEASE_FETCH)
		l->renewable = false;
	arm_renewal(l, delay);
}

static void note_replaced(struct login *l)
{
	int64_t left = l->until_ms - clock_mono_ms();
	l->replaced = l->had;
	l->old_left_ms = !l->usable ? 0 : !l->until_ms ? INT64_MAX : left > 0 ? left : 0;
	l->had = true;
}

static void logged_in(struct login *l)
{
	backoff_reset(&l->backoff);
	pace_reset(&l->pace);
	note_replaced(l);
	l->usable = true;
	l->checked_ms = clock_mono_ms();
	audit(AUDIT_LOGIN, LOG_STR("store", l->setup.conf->name),
	      LOG_STR("method", l->setup.conf->auth.method),
	      LOG_INT("ttl_s", l->token.ttl_ms / 1000));
	l->granted_ms = l->token.ttl_ms;
	plan(l, l->granted_ms);
	tell(l, NULL);
}

static void renewed(struct login *l)
{
	pace_reset(&l->pace);
	audit(AUDIT_RENEW, LOG_STR("store", l->setup.conf->name),
	      LOG_STR("what", "token"), LOG_INT("ttl_s", l->token.ttl_ms / 1000));
	plan(l, l->granted_ms);
	if (l->setup.kept)
		l->setup.kept(l->setup.ctx);
}

static void login_failed(struct login *l)
{
	int64_t delay = l->error.kind == ERR_RETRY ? pace_next(&l->pace)
						   : backoff_next(&l->backoff);
	if (l->error.retry_ms > delay)
		delay = l->error.retry_ms;
	l->state = WAITING;
	if (l->usable && l->renewable && clock_mono_ms() + delay > l->renew_ms)
		delay = l->renew_ms - clock_mono_ms();
	audit_error(AUDIT_LOGIN, &l->error, LOG_STR("store", l->setup.conf->name),
		    LOG_STR("method", l->setup.conf->auth.method));
	log_fail(LOG_WARN, &l->error, "login failed",
		 LOG_STR("store", l->setup.conf->name),
		 LOG_STR("method", l->setup.conf->auth.method),
		 LOG_INT("retry_ms", delay));
	arm(l, delay);
	tell(l, &l->error);
}

static void timer_ready(struct login *l)
{
	if (!l->renewable) {
		try_login(l);
		return;
	}
	ask(l, RENEWING, l->setup.ops->renew_login);
}

static void renewal_failed(struct login *l)
{
	int64_t delay;
	if (l->error.kind == ERR_AUTH ||
	    lease_after_failure(l->until_ms - clock_mono_ms(), &l->seed, &delay) ==
		    LEASE_FETCH) {
		l->usable = l->error.kind != ERR_AUTH;
		try_login(l);
		return;
	}
	l->state = READY;
	audit_error(AUDIT_RENEW, &l->error, LOG_STR("store", l->setup.conf->name));
	log_fail(LOG_WARN, &l->error, "token not renewed",
		 LOG_STR("store", l->setup.conf->name), LOG_INT("retry_ms", delay));
	arm_renewal(l, delay);
}

static void doubt(struct login *l)
{
	if (!l->setup.ops->check_login ||
	    clock_mono_ms() - l->checked_ms < CHECK_AGAIN_MS)
		return;
	ask(l, CHECKING, l->setup.ops->check_login);
}

static void lost(struct login *l)
{
	l->usable = false;
	log_warn("token is no longer valid: logging in again",
		 LOG_STR("store", l->setup.conf->name));
	if (clock_mono_ms() - l->checked_ms >= LOST_AGAIN_MS) {
		try_login(l);
		return;
	}
	l->state = WAITING; // a token that dies at once is not worth a storm
	arm(l, backoff_next(&l->backoff));
}

static void check_good(struct login *l)
{
	pace_reset(&l->pace);
	l->checked_ms = clock_mono_ms();
	plan(l, l->token.ttl_ms); // what is left says nothing about the next
}

static void check_bad(struct login *l)
{
	l->checked_ms = clock_mono_ms();
	if (l->error.kind == ERR_AUTH) {
		log_fail(LOG_WARN, &l->error,
			 "token is no longer valid: logging in again",
			 LOG_STR("store", l->setup.conf->name));
		l->usable = false;
		try_login(l);
		return;
	}
	l->checked_ms = clock_mono_ms();
	l->state = READY; // the store did not say: renew soon, which will tell
	arm(l, pace_next(&l->pace));
}

static void refresh(struct login *l)
{
	l->state = WAITING;
	arm(l, REFRESH_DELAY_MS);
}

static void give_back(struct login *l);
static void came_late(struct login *l);

static void nothing(struct login *l)
{
	(void)l;
}

static act_fn *const table[N_STATES][N_EVENTS] = {
	[OFF] = { [EV_START] = start },
	[TRYING] = { [EV_GOOD] = logged_in, [EV_BAD] = login_failed },
	[WAITING] = { [EV_TIMER] = try_again, [EV_REFRESH] = refresh },
	[READY] = { [EV_TIMER] = timer_ready,
		    [EV_DOUBT] = doubt,
		    [EV_LOST] = lost,
		    [EV_REFRESH] = refresh },
	[RENEWING] = { [EV_GOOD] = renewed, [EV_BAD] = renewal_failed },
	[CHECKING] = { [EV_GOOD] = check_good, [EV_BAD] = check_bad },
	[ENDING] = { [EV_GOOD] = came_late, [EV_BAD] = give_back },
};

static void event(struct login *l, enum event ev)
{
	act_fn *act = table[l->state][ev] ? table[l->state][ev] : nothing;
	act(l);
}

struct login *login_new(const struct login_setup *setup)
{
	struct login *l = mem_alloc(sizeof(*l));
	l->setup = *setup;
	l->backoff.min_ms = setup->conf->auth.min_backoff_ms;
	l->backoff.max_ms = setup->conf->auth.max_backoff_ms;
	return l;
}

void login_free(struct login *l)
{
	if (!l)
		return;
	loop_timer_cancel(&l->timer);
	mem_free(l);
}

void login_start(struct login *l)
{
	event(l, EV_START);
}

void login_restore(struct login *l, const struct store_token *t)
{
	l->restored = true;
	l->renewable = t->renewable && l->setup.ops->renew_login;
	l->granted_ms = t->ttl_ms;
	l->until_ms = t->ttl_ms ? clock_mono_ms() + t->ttl_ms : 0;
}

bool login_replaced(struct login *l, int64_t *ret_left_ms)
{
	*ret_left_ms = l->old_left_ms;
	bool was = l->replaced;
	l->replaced = false;
	return was;
}

bool login_ready(const struct login *l)
{
	return l->usable;
}

void login_doubt(struct login *l)
{
	event(l, EV_DOUBT);
}

void login_lost(struct login *l)
{
	event(l, EV_LOST);
}

void login_refresh(struct login *l)
{
	l->stale = l->state == TRYING || l->state == RENEWING || l->state == CHECKING;
	event(l, EV_REFRESH);
}

static void on_ended(void *ctx, const struct store_token *t, const struct err *e)
{
	struct login *l = ctx;
	(void)t;
	if (!e)
		audit(AUDIT_REVOKE, LOG_STR("store", l->setup.conf->name),
		      LOG_STR("what", "token"));
	l->ended(l->ended_ctx);
}

static void give_back(struct login *l)
{
	l->state = OFF;
	bool had = l->usable && l->setup.ops->logout && !l->keep_token;
	l->usable = false;
	if (had)
		l->setup.ops->logout(l->setup.store, on_ended, l);
	else
		l->ended(l->ended_ctx);
}

static void came_late(struct login *l)
{
	l->usable = true;
	give_back(l);
}

void login_end(struct login *l, bool revoke, void (*done)(void *ctx), void *ctx)
{
	bool asking = l->state == TRYING;
	loop_timer_cancel(&l->timer);
	l->ended = done;
	l->ended_ctx = ctx;
	l->state = ENDING;
	l->keep_token = !revoke;
	// The token that a login under way brings is to be given back, too.
	if (!asking)
		give_back(l);
}

const char *login_state_name(const struct login *l)
{
	return state_names[l->state];
}

int64_t login_left_ms(const struct login *l)
{
	int64_t left = l->until_ms ? l->until_ms - clock_mono_ms() : INT64_MAX;
	return !l->usable ? -1 : left < 0 ? 0 : left;
}
