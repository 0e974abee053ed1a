// SPDX-License-Identifier: Apache-2.0
// The agent's struct, for the files that are the agent: agent.c (the flow), agent_state.c,
// agent_end.c; and status.c and exec_vars.c, which read it.
#pragma once

#include "agent/agent.h"
#include "agent/cache.h"
#include "agent/notify.h"
#include "agent/observe.h"
#include "agent/output.h"
#include "agent/publish.h"
#include "agent/render.h"
#include "agent/sink.h"
#include "agent/source.h"
#include "agent/state.h"

struct template_watch {
	struct agent *agent;
	struct output *output;
};

struct agent {
	struct loop *loop;
	const struct conf *conf;
	struct agent_opts opts;
	struct volume **volumes; // NULL-ended
	struct source **sources; // as conf->stores
	struct cache *cache;
	struct state *state;
	struct output **outputs; // as conf->templates
	size_t n_outputs;
	struct template_watch *watches;
	struct observer *observer;
	struct notifier *notifier;
	struct sinks *sinks;
	struct loop_timer deadline, sweep_timer, retry_timer, rest_timer, wait_timer,
		age_timer, grace_timer;
	bool pass_due, save_due, taken_over, revoking, started, stopping, failed;
	unsigned ending;
	void (*handed_over)(void *ctx);
	void *hand_over_ctx;
	int64_t start_ms;
	enum agent_end ended;
	struct err error;
};

// agent_state.c
struct state_env agent_state_env(const struct agent *a);
MUST_CHECK bool agent_open_state(struct agent *a, struct err *e);
bool agent_restore(void *ctx, struct entry *en, bool pki); // of render_env
// Writes what is new, now or soon.
void agent_save_state(struct agent *a);
void agent_later_save(struct agent *a);
// After a login.
void agent_look_again(struct agent *a, struct source *s);

// aging.c: tells of secrets that have become too old, now and when the next one does.
void agent_look_at_ages(struct agent *a);

// agent_giveup.c: whether the start has no hope, and why.
bool agent_gives_up(const struct agent *a, struct err *ret);

// agent_rules.c
bool agent_waits_for(const struct output *o); // whether a start does
// A secret of the output has changed; whether it shall stay quiet first, and how long.
void agent_note_change(struct output *o);
bool agent_must_wait(const struct output *o, int64_t *ret_ms);

// agent_end.c
void agent_fail(struct agent *a); // a->error says why
void agent_finish(struct agent *a, enum agent_end how);
