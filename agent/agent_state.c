// SPDX-License-Identifier: Apache-2.0
// The agent's side of the state that outlives it: when it is written, what is taken over, and
// what a new token means for what the old one got.
#include "agent/agent_int.h"
#include "agent/pki.h"
#include "agent/state_doc.h"
#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { PKI_TEXT_MAX = 4 << 20 };

struct state_env agent_state_env(const struct agent *a)
{
	return (struct state_env){ .conf = a->conf,
				   .sources = a->sources,
				   .cache = a->cache,
				   .outputs = a->outputs,
				   .n_outputs = a->n_outputs,
				   .notifier = a->notifier };
}

void agent_save_state(struct agent *a)
{
	struct state_env env = agent_state_env(a);
	struct err e = ERR_INIT;
	if (a->save_due && !state_save(a->state, &env, &e))
		log_fail(LOG_ERROR, &e, "a restart will have to log in again");
	a->save_due = false;
}

static void save_later(void *ctx)
{
	agent_save_state(ctx);
}

void agent_later_save(struct agent *a)
{
	if (!a->save_due && !a->stopping)
		loop_later(a->loop, save_later, a);
	a->save_due = !a->stopping;
}

// A certificate and its key out of the files that an earlier agent has written.
static bool restore_pki(const struct agent *a, struct entry *en)
{
	AUTO_BUF struct buf text = BUF_INIT(PKI_TEXT_MAX);
	struct pki_want want = { .params = en->params, .now_ms = clock_wall_ms() };
	struct pki_found found;
	for (size_t i = 0; i < a->n_outputs; i++)
		if (a->outputs[i]->existed && output_read(a->outputs[i], &text))
			buf_putc(&text, '\n');
	if (!pki_find(bytes_of(text.data, text.len), &want, &found))
		return false;
	struct state_secret s = { .body = found.body,
				  .version = found.serial,
				  .lease_id = "",
				  .life = LIFE_UNTIL,
				  .left_ms =
					  backoff_jitter(&en->seed, found.left_ms, 5) };
	entry_restore(en, &s);
	en->reused = true;
	log_info("certificate of before is used on", LOG_STR("secret", entry_name(en)),
		 LOG_INT("left_s", s.left_ms / 1000));
	json_decref(found.body);
	mem_free(found.serial);
	return true;
}

bool agent_restore(void *ctx, struct entry *en, bool pki)
{
	struct agent *a = ctx;
	return state_restore_entry(a->state, en) || (pki && restore_pki(a, en));
}

// What the old token was refused, the new one may get; what ends with the old one has to be
// got again. Everything else stays as it is.
void agent_look_again(struct agent *a, struct source *s)
{
	int64_t left;
	bool replaced = source_token_replaced(s, &left);
	for (struct entry *en = cache_next(a->cache, NULL); en;
	     en = cache_next(a->cache, en)) {
		if (en->source != s)
			continue;
		bool refused = en->error.kind == ERR_AUTH || en->error.kind == ERR_DENIED;
		if (replaced && *en->lease_id)
			entry_token_replaced(en, left);
		else if (refused && !*en->lease_id)
			source_fetch(en);
	}
}

static void note_untold(struct agent *a)
{
	a->taken_over = true;
	for (size_t i = 0; i < a->n_outputs; i++)
		a->outputs[i]->untold = state_is_untold(a->state, a->outputs[i]);
}

bool agent_succeed(const struct agent *a, const struct conf *conf,
		   struct agent **ret_heir, struct err *e)
{
	struct agent_opts opts = a->opts;
	struct agent *heir;
	opts.heir = true;
	if (!agent_new(a->loop, conf, &opts, &heir, e))
		return false;
	for (size_t i = 0; i < heir->n_outputs; i++)
		if (!render_load(heir->outputs[i], conf, e)) {
			agent_free(heir);
			return false;
		}
	*ret_heir = heir;
	return true;
}

void agent_inherit(struct agent *heir, const struct agent *from)
{
	struct state_env env = agent_state_env(from);
	state_inherit(heir->state, from->state, &env);
	note_untold(heir);
}

bool agent_open_state(struct agent *a, struct err *e)
{
	struct err why = ERR_INIT;
	if (!state_new(a->conf, &a->state, e))
		return false;
	if (a->opts.heir)
		return true;
	if (state_load(a->state, &why)) {
		log_info("state of a predecessor taken over",
			 LOG_STR("folder", a->conf->state.path));
		note_untold(a);
		return true;
	}
	if (why.kind == ERR_MISSING)
		return true;
	err_wrap(&why, "state in '%s'", a->conf->state.path);
	if (a->conf->state.exit_on_err)
		return err_set(e, why.kind, 0, "%s", why.text);
	log_fail(LOG_WARN, &why, "state refused; starting without it");
	return true;
}
