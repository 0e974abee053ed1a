// SPDX-License-Identifier: Apache-2.0
// The agent: wires login, fetch, cache, render, publish, notify and observe on one loop. The
// only file that sees them all; read agent.c from agent_pass() to see how a secret flows.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/conf/conf.h"
#include "lib/loop/loop.h"

struct agent;

enum agent_end {
	AGENT_RUNNING,
	AGENT_DONE,   // --once: all is rendered; or a signal asked for the end
	AGENT_FAILED, // e says why
};

struct agent_opts {
	bool once; // end when everything has been rendered and told
	bool exec; // a command waits for us, and ends before us: a deadline for the start,
		   // and what it was given is revoked at the end
	bool (*signal_child)(void *ctx, int signo, struct err *e); // that command
	bool heir; // of an agent in this process: agent_succeed()
	void (*changed)(
		void *ctx); // started, ready or not: who waits may look; may be NULL
	void *ctx;
};

// Opens volumes and stores and checks everything that can be checked before the first
// request. The conf is borrowed for the agent's life.
MUST_CHECK bool agent_new(struct loop *l, const struct conf *conf,
			  const struct agent_opts *opts, struct agent **ret,
			  struct err *e);
// The published files stay.
void agent_free(struct agent *a);

// Logs in and starts the flow; loop_run() does the rest, and stops when the agent ends.
void agent_start(struct agent *a);
// Gives leases and tokens back (in a pod), then ends; at most about 1.5 s.
void agent_stop(struct agent *a);
// The same when it is asked for (SIGTERM): state.revoke_grace later, if it will revoke. Asked
// again it ends now.
void agent_ask_stop(struct agent *a);
enum agent_end agent_ended(const struct agent *a, struct err *e);

// Reads templates again and asks every store again, now (SIGHUP, same configuration).
void agent_refresh(struct agent *a);
// SIGHUP with another configuration: an agent for it, which is to follow this one. Refused as
// agent_new() refuses, and when a template cannot be parsed; this one goes on then.
MUST_CHECK bool agent_succeed(const struct agent *a, const struct conf *conf,
			      struct agent **ret_heir, struct err *e);
// This one stops: what is under way is awaited (1.5 s at most), stores that the heir does not
// have, or logs in to in another way, get their tokens and leases back. Then `done` runs:
// call agent_inherit(), free this one, and start the heir.
void agent_hand_over(struct agent *a, const struct agent *heir, void (*done)(void *ctx),
		     void *ctx);
// The heir takes over tokens, leases, secrets and due notifications. Leases that none of its
// templates wants are revoked once it has rendered all.
void agent_inherit(struct agent *heir, const struct agent *from);

// For the status document and the probes.
json_t *agent_status(const struct agent *a);
// Whether it has been told to end, or has failed.
bool agent_is_ending(const struct agent *a);
bool agent_started(const struct agent *a);
bool agent_is_ready(const struct agent *a);
