// SPDX-License-Identifier: Apache-2.0
// How old the secrets of a file are, and which are older than their owners want (rotate_every).
// The agent rotates nothing: it says so, once for each content, and keeps saying so in status
// and metrics until a new version comes.
#include "agent/agent_int.h"
#include "agent/audit.h"
#include "lib/base/clock.h"

enum { LOOK_MAX_MS = 60 * 60 * 1000 }; // the wall clock may be set meanwhile

int64_t output_age_ms(const struct output *o)
{
	int64_t oldest = 0, now = clock_wall_ms();
	for (size_t i = 0; i < o->n_deps; i++) {
		int64_t born = o->deps[i]->born_ms;
		if (born && (!oldest || born < oldest))
			oldest = born;
	}
	return !oldest ? -1 : now > oldest ? now - oldest : 0;
}

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	agent_look_at_ages(ctx);
}

// How long until the output is too old, or -1 when it cannot be or is.
static int64_t look(struct output *o)
{
	int64_t age = output_age_ms(o), limit = o->conf->rotate_every_ms;
	bool was = o->aged;
	o->aged = limit > 0 && o->state == OUTPUT_HELD && age >= limit;
	if (o->aged && !was)
		audit(AUDIT_AGED, LOG_STR("file", o->conf->destination), LOG_OWNER(o),
		      LOG_STR("secrets", o->secrets), LOG_INT("age_s", age / 1000));
	return limit > 0 && age >= 0 && !o->aged ? limit - age : -1;
}

void agent_look_at_ages(struct agent *a)
{
	int64_t next = -1;
	for (size_t i = 0; i < a->n_outputs; i++) {
		int64_t wait = look(a->outputs[i]);
		if (wait >= 0 && (next < 0 || wait < next))
			next = wait;
	}
	if (next >= 0)
		loop_timer_in(a->loop, &a->age_timer,
			      next < LOOK_MAX_MS ? next + 1 : LOOK_MAX_MS, on_timer, a);
}
