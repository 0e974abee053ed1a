// SPDX-License-Identifier: Apache-2.0
// The life of one secret: what an answer, a renewal or a removal means, and when to ask
// again.
#include "agent/entry.h"
#include "agent/audit.h"

#include <stdio.h>
#include <string.h>

#include "agent/lease.h"
#include "agent/source.h"
#include "agent/source_int.h"
#include "agent/state_doc.h"
#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	RETRY_MIN_MS = 1000,
	RETRY_MAX_MS = 60 * 1000,
	SOON_MS = 60 * 1000, // a token that ends so soon takes its leases along now
	GONE_LOOK_MS = 1000, // between the first sight of a removal and the second look
};

const char *entry_name(const struct entry *en)
{
	static char text[1024];
	snprintf(text, sizeof(text), "%s:%s", source_name(en->source), en->path);
	return text;
}

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	source_fetch(ctx);
}

static void arm(struct entry *en, int64_t delay_ms)
{
	loop_timer_in(source_loop(en->source), &en->timer, delay_ms, on_timer, en);
}

void entry_wait(struct entry *en, int64_t delay_ms)
{
	log_warn("a new credential has to wait: too many were made",
		 LOG_STR("secret", entry_name(en)), LOG_INT("wait_ms", delay_ms));
	arm(en, delay_ms);
}

static int64_t poll_delay(struct entry *en)
{
	return lease_poll(source_interval(en->source, en->interval_ms), &en->seed);
}

static void plan(struct entry *en)
{
	int64_t delay = 0;
	en->renew_next = false;
	switch (en->life) {
	case LIFE_WATCH:
		return;
	case LIFE_STATIC:
		delay = poll_delay(en);
		break;
	case LIFE_UNTIL:
		delay = en->until_ms - clock_mono_ms();
		break;
	case LIFE_LEASE: {
		struct lease_terms terms = {
			.lease_ms = en->lease_ms,
			.granted_ms = en->granted_ms,
			.renewable = en->renewable && source_can_renew(en->source),
			.percent = source_renewal_percent(en->source),
		};
		en->renew_next = lease_plan(&terms, &en->seed, &delay) == LEASE_RENEW;
		break;
	}
	}
	arm(en, delay);
}

// A lease that outlives its token only seems to.
static void cap_lease(struct entry *en)
{
	if (en->life != LIFE_LEASE || !en->cap_ms || en->until_ms <= en->cap_ms)
		return;
	int64_t left = en->cap_ms - clock_mono_ms();
	en->until_ms = en->cap_ms;
	en->lease_ms = left > 0 ? left : 0;
	en->renewable = false;
}

static void take_lease(struct entry *en, const struct store_answer *a, bool fresh)
{
	int64_t now = clock_mono_ms();
	en->lease_ms = a->lease_ms;
	if (fresh)
		en->granted_ms = a->lease_ms;
	if (fresh)
		en->cap_ms = 0;
	en->renewable = a->renewable;
	en->until_ms = en->life == LIFE_UNTIL   ? now + a->next_ms
		       : en->life == LIFE_LEASE ? now + a->lease_ms
						: 0;
	cap_lease(en);
	if (en->until_ms)
		source_tell_kept(en->source);
}

json_t *entry_save(const struct entry *en)
{
	int64_t left = en->until_ms - clock_mono_ms();
	struct state_secret s = { .body = en->body,
				  .version = en->version,
				  .lease_id = en->lease_id,
				  .life = en->life,
				  .lease_ms = en->lease_ms,
				  .granted_ms = en->granted_ms,
				  .left_ms = en->until_ms && left > 0 ? left : 0,
				  .renewable = en->renewable };
	return state_doc_secret(&s);
}

void entry_restore(struct entry *en, const struct state_secret *s)
{
	int64_t now = clock_mono_ms();
	en->body = json_incref(s->body);
	mem_free(en->version);
	en->version = mem_strdup(s->version);
	mem_free(en->lease_id);
	en->lease_id = mem_strdup(s->lease_id);
	en->life = s->life;
	en->lease_ms = s->lease_ms;
	en->granted_ms = s->granted_ms;
	en->renewable = s->renewable;
	en->until_ms =
		s->life == LIFE_UNTIL || s->life == LIFE_LEASE ? now + s->left_ms : 0;
	en->got_ms = en->checked_ms = now;
	en->born_ms = clock_wall_ms(); // until the store says more
	en->state = ENTRY_HELD;
	switch (s->life) {
	case LIFE_STATIC:
	case LIFE_WATCH:
		source_fetch(en);
		return;
	case LIFE_UNTIL:
		plan(en);
		return;
	case LIFE_LEASE:
		en->renew_next = en->renewable && source_can_renew(en->source);
		if (en->renew_next) {
			arm(en, 0);
			return;
		}
		en->lease_ms = s->left_ms;
		plan(en);
		return;
	}
}

void entry_forget_answer(struct entry *en)
{
	json_decref(TAKE(en->body));
	en->state = ENTRY_NEW;
	en->reused = false;
	source_fetch(en);
}

void entry_token_replaced(struct entry *en, int64_t left_ms)
{
	if (!*en->lease_id || left_ms == INT64_MAX)
		return;
	en->cap_ms = clock_mono_ms() + left_ms;
	if (left_ms > 0 && en->until_ms < en->cap_ms)
		return; // it ends before its token
	cap_lease(en);
	en->renew_next = false;
	if (left_ms < SOON_MS)
		source_fetch(en);
	else if (!en->in_flight && !en->queued)
		plan(en);
}

static bool same_answer(const struct entry *en, const struct store_answer *a)
{
	if (en->state != ENTRY_HELD || strcmp(en->version, a->version) != 0 ||
	    *a->lease_id)
		return false;
	// Vault's answers carry a request id that is new each time; the data is what counts.
	if (!json_is_object(a->body))
		return json_equal(en->body, a->body);
	return json_equal(json_object_get(en->body, "data"),
			  json_object_get(a->body, "data"));
}

static void good(struct entry *en, const struct store_answer *a)
{
	bool same = same_answer(en, a);
	en->tries = 0;
	en->gone_once = en->reused = false;
	err_clear(&en->error);
	en->life = a->life;
	en->checked_ms = clock_mono_ms();
	take_lease(en, a, true);
	if (a->made_ms || !same)
		en->born_ms = a->made_ms ? a->made_ms : clock_wall_ms();
	if (!same) {
		json_decref(en->body);
		en->body = json_incref(a->body);
		mem_free(en->version);
		en->version = mem_strdup(a->version);
		mem_free(en->lease_id);
		en->lease_id = mem_strdup(a->lease_id);
		en->got_ms = en->checked_ms;
		en->state = ENTRY_HELD;
		audit(AUDIT_FETCH, LOG_STR("secret", entry_name(en)),
		      LOG_STR("version", en->version),
		      LOG_INT("lease_s", en->lease_ms / 1000));
	}
	plan(en);
	if (!same)
		source_tell(en);
}

static void gone(struct entry *en, const struct err *e)
{
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
		audit(AUDIT_GONE, LOG_STR("secret", entry_name(en)),
		      LOG_STR("version", en->version),
		      LOG_STR("kind", err_kind_name(e->kind)), LOG_STR("error", e->text));
	arm(en, poll_delay(en));
	source_tell(en);
}

static void bad(struct entry *en, const struct err *e)
{
	// A reason is told once, when it is new.
	bool first = strcmp(en->error.text, e->text) != 0;
	if (first)
		audit_error(AUDIT_FETCH, e, LOG_STR("secret", entry_name(en)));
	if (e->kind == ERR_RETRY) {
		log_fail(first ? LOG_WARN : LOG_DEBUG, e, "secret not fetched",
			 LOG_STR("secret", entry_name(en)));
		en->error = *e;
		source_sick(en, e);
		if (first)
			source_tell(en);
		return;
	}
	struct backoff b = { .min_ms = RETRY_MIN_MS,
			     .max_ms = RETRY_MAX_MS,
			     .tries = en->tries++,
			     .seed = en->seed | 1 };
	int64_t delay = backoff_next(&b);
	en->error = *e;
	log_fail(first ? LOG_WARN : LOG_DEBUG, e, "secret not fetched",
		 LOG_STR("secret", entry_name(en)), LOG_INT("retry_ms", delay));
	arm(en, delay);
	// Whoever starts looks at the number of tries.
	if (first ||
	    (en->state == ENTRY_NEW && en->tries > source_conf(en->source)->num_retries))
		source_tell(en);
}

void entry_answered(struct entry *en, const struct store_answer *a, const struct err *e)
{
	if (a)
		good(en, a);
	else if (e->kind == ERR_MISSING && e->cause == STORE_GONE)
		gone(en, e);
	else
		bad(en, e);
}

void entry_renewed(struct entry *en, const struct store_answer *a, const struct err *e)
{
	if (a) {
		err_clear(&en->error);
		take_lease(en, a, false);
		audit(AUDIT_RENEW, LOG_STR("secret", entry_name(en)),
		      LOG_INT("lease_s", en->lease_ms / 1000));
		plan(en);
		return;
	}
	// A store that does not know the lease has ended it.
	bool dead = e->kind == ERR_MISSING || e->kind == ERR_CONFIG;
	int64_t left = dead ? 0 : en->until_ms - clock_mono_ms();
	int64_t delay;
	en->error = *e;
	en->renew_next = lease_after_failure(left, &en->seed, &delay) == LEASE_RENEW;
	audit_error(AUDIT_RENEW, e, LOG_STR("secret", entry_name(en)));
	log_fail(LOG_WARN, e, "lease not renewed", LOG_STR("secret", entry_name(en)),
		 LOG_INT("retry_ms", delay), LOG_INT("left_ms", left));
	arm(en, delay);
}
