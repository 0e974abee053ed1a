// SPDX-License-Identifier: Apache-2.0
// The peer's rules for single templates, in the form in which they harm no other file:
// error_fatal = false takes a file out of what a start waits for; wait puts one file off, and
// nothing else. What ends a start is in agent_giveup.c.
#include "agent/agent_int.h"
#include "lib/base/clock.h"

bool agent_waits_for(const struct output *o)
{
	return o->state == OUTPUT_WAITING && !(o->failed && !o->conf->error_fatal);
}

void agent_note_change(struct output *o)
{
	o->changed_ms = clock_mono_ms();
	if (!o->first_changed_ms)
		o->first_changed_ms = o->changed_ms;
}

bool agent_must_wait(const struct output *o, int64_t *ret_ms)
{
	if (o->conf->wait_min_ms <= 0 || o->state != OUTPUT_HELD || !o->first_changed_ms)
		return false;
	int64_t quiet = o->changed_ms + o->conf->wait_min_ms;
	int64_t latest = o->first_changed_ms + o->conf->wait_max_ms;
	*ret_ms = (quiet < latest ? quiet : latest) - clock_mono_ms();
	return *ret_ms > 0;
}
