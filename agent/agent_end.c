// SPDX-License-Identifier: Apache-2.0
// The agent's end: what is given back to the stores, and what is left to a successor.
#include <limits.h>

#include "agent/agent_int.h"
#include "lib/base/log.h"

enum { STOP_MS = 1500 }; // for revocations at the end

void agent_finish(struct agent *a, enum agent_end how)
{
	if (a->ended == AGENT_RUNNING)
		a->ended = how;
	loop_stop(a->loop);
}

// Everything has ended, or takes too long.
static void all_ended(struct agent *a, bool in_time)
{
	if (a->ended != AGENT_RUNNING || a->ending == UINT_MAX)
		return;
	a->ending = UINT_MAX; // once
	loop_timer_cancel(&a->deadline);
	if (a->handed_over) {
		a->handed_over(a->hand_over_ctx);
		return;
	}
	a->save_due = !a->revoking;
	agent_save_state(a); // what came while we waited
	if (a->revoking && in_time)
		state_remove(a->state);
	if (a->revoking && !in_time)
		log_warn("the store did not confirm the revocation in time");
	agent_finish(a, a->failed ? AGENT_FAILED : AGENT_DONE);
}

static void on_source_ended(void *ctx)
{
	struct agent *a = ctx;
	if (a->ending != UINT_MAX && --a->ending == 0)
		all_ended(a, true);
}

static void on_stop_late(void *ctx, struct loop_timer *t)
{
	(void)t;
	all_ended(ctx, false);
}

static bool shows_anything(const struct agent *a)
{
	for (size_t i = 0; i < a->n_outputs; i++)
		if (a->outputs[i]->state != OUTPUT_WAITING)
			return true;
	return false;
}

// A start that fails, or is broken off, leaves nothing behind in a store. Otherwise leases
// and tokens end with the pod, unless a successor takes them over; and on a plain machine
// (no `deliver`) the application may outlive us, and keeps what it was given.
static bool shall_revoke(const struct agent *a)
{
	if (!a->conf->revoke_on_exit)
		return false;
	if (!a->started && (a->opts.once || (!a->taken_over && !shows_anything(a))))
		return true;
	if (a->conf->n_sinks > 0 || (a->conf->state.path && a->conf->state.keep_on_exit))
		return false;
	return a->conf->n_deliver > 0 || a->opts.exec;
}

static void begin_end(struct agent *a)
{
	a->stopping = true;
	loop_timer_cancel(&a->deadline);
	loop_timer_in(a->loop, &a->deadline, STOP_MS, on_stop_late, a);
	a->ending = 1;
}

void agent_stop(struct agent *a)
{
	if (a->stopping)
		return;
	begin_end(a);
	a->revoking = shall_revoke(a);
	// For a successor, too, what is under way is awaited: it may be a credential.
	bool wait = a->revoking || a->conf->state.path;
	for (size_t i = 0; wait && i < a->conf->n_stores; i++) {
		a->ending++;
		source_end(a->sources[i], a->cache, a->revoking, on_source_ended, a);
	}
	on_source_ended(a);
}

static void on_grace_over(void *ctx, struct loop_timer *t)
{
	(void)t;
	agent_stop(ctx);
}

void agent_ask_stop(struct agent *a)
{
	int64_t grace = a->conf->state.revoke_grace_ms;
	if (grace == 0 || !a->started || a->stopping || a->grace_timer.loop ||
	    !shall_revoke(a))
		agent_stop(a);
	else
		loop_timer_in(a->loop, &a->grace_timer, grace, on_grace_over, a);
}

bool agent_is_ending(const struct agent *a)
{
	return a->stopping;
}

void agent_fail(struct agent *a)
{
	a->failed = true;
	agent_stop(a);
}

void agent_hand_over(struct agent *a, const struct agent *heir, void (*done)(void *ctx),
		     void *ctx)
{
	a->handed_over = done;
	a->hand_over_ctx = ctx;
	begin_end(a);
	for (size_t i = 0; i < a->conf->n_stores; i++) {
		bool kept = state_inherits(heir->state, a->state, i);
		a->ending++;
		source_end(a->sources[i], a->cache, !kept && a->conf->revoke_on_exit,
			   on_source_ended, a);
	}
	on_source_ended(a);
}
