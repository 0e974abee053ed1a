// SPDX-License-Identifier: Apache-2.0
// The agent's struct, for agent.c and status.c only (which reads it).
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
	struct output **outputs; // as conf->templates
	size_t n_outputs;
	struct template_watch *watches;
	struct observer *observer;
	struct notifier *notifier;
	struct sinks *sinks;
	struct loop_timer deadline, sweep_timer, retry_timer, rest_timer;
	bool pass_due, started, stopping, failed;
	unsigned ending;
	int64_t start_ms;
	enum agent_end ended;
	struct err error;
};
