// SPDX-License-Identifier: Apache-2.0
// Variables of exec mode, which are outputs without a file.
#include "agent/exec_vars.h"

#include <string.h>

#include "agent/agent_int.h"

// One without a list is for every container, and for the agent's own command.
static bool is_for(const struct output *o, const char *container)
{
	const char *const *c = o->conf->containers;
	if (o->conf->destination)
		return false;
	while (c && container && *c && strcmp(*c, container) != 0)
		c++;
	return !c || (container && *c);
}

bool exec_vars_ready(const struct agent *a, const char *container)
{
	for (size_t i = 0; i < a->n_outputs; i++)
		if (is_for(a->outputs[i], container) &&
		    a->outputs[i]->state == OUTPUT_WAITING)
			return false;
	return container || a->started;
}

void exec_vars_reason(const struct agent *a, const char *container, struct err *ret)
{
	for (size_t i = 0; i < a->n_outputs; i++) {
		const struct output *o = a->outputs[i];
		if (!is_for(o, container) || o->state != OUTPUT_WAITING)
			continue;
		render_reason(o, ret);
		err_wrap(ret, "variable '%s'", o->name);
		return;
	}
}

unsigned long exec_vars_generation(const struct agent *a, const char *container)
{
	unsigned long sum = 0;
	for (size_t i = 0; i < a->n_outputs; i++)
		if (is_for(a->outputs[i], container))
			sum += a->outputs[i]->generation;
	return sum;
}

bool exec_vars_fill(const struct agent *a, const char *container, struct exec_env *to,
		    struct err *e)
{
	for (size_t i = 0; i < a->n_outputs; i++) {
		const struct output *o = a->outputs[i];
		if (is_for(o, container) && o->state != OUTPUT_WAITING &&
		    !exec_env_set(to, o->name, buf_str(&o->content), o->content.len, e))
			return false;
	}
	return true;
}
