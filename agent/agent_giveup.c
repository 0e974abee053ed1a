// SPDX-License-Identifier: Apache-2.0
// The ends that the peers' configurations ask for while the agent starts: exit_on_err, at
// the first login that fails; exit_on_retry_failure, when a secret's attempts are used up
// (num_retries) or a template, a file or a command fails. Everything else is rendered
// before. Once the agent has started it stays: what it holds must be renewed.
#include "agent/agent_int.h"

static bool login_refused(const struct agent *a, struct err *ret)
{
	for (size_t i = 0; i < a->conf->n_stores; i++) {
		const struct err *why = source_error(a->sources[i]);
		if (!why || !a->conf->stores[i].auth.exit_on_err ||
		    source_token(a->sources[i]))
			continue;
		err_set(ret, why->kind, 0, "store '%s': %s (exit_on_err)",
			source_name(a->sources[i]), why->text);
		return true;
	}
	return false;
}

static bool used_up(const struct entry *en)
{
	int64_t most = source_conf(en->source)->num_retries;
	return en->state == ENTRY_GONE ||
	       (en->state == ENTRY_NEW && en->tries > (most < 0 ? 0 : most));
}

// Whether this file will not come: 1, may come: 0, has not been told yet: -1.
static int hopeless(const struct agent *a, const struct output *o)
{
	if (o->state != OUTPUT_WAITING || !o->conf->error_fatal ||
	    (o->existed && !a->opts.once))
		return 0;
	for (size_t i = 0; i < o->n_deps; i++) {
		const struct entry *en = o->deps[i];
		if (used_up(en))
			return 1;
		if (en->state == ENTRY_NEW && en->error.kind == ERR_NONE)
			return -1;
		if (en->state != ENTRY_HELD)
			return 0;
	}
	return o->error.kind != ERR_NONE;
}

static bool out_of_tries(const struct agent *a, struct err *ret)
{
	const struct err *told = notifier_error(a->notifier);
	bool found = false;
	for (size_t i = 0; i < a->n_outputs; i++) {
		const struct output *o = a->outputs[i];
		int so = hopeless(a, o);
		if (so < 0)
			return false;
		if (so == 0 || found)
			continue;
		struct err why = ERR_INIT;
		found = true;
		render_reason(o, &why);
		err_set(ret, why.kind, 0, "template '%s': %s (exit_on_retry_failure)",
			o->name, why.text);
	}
	if (!found && a->opts.once && told) {
		*ret = *told;
		found = true;
	}
	return found;
}

bool agent_gives_up(const struct agent *a, struct err *ret)
{
	if (a->started && !a->opts.once)
		return false;
	return login_refused(a, ret) ||
	       (a->conf->template_config.exit_on_retry_failure && out_of_tries(a, ret));
}
