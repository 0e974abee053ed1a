// SPDX-License-Identifier: Apache-2.0
// Taking over what a predecessor held, and writing it down for a successor. The file itself
// is state_file.c's.
#include "agent/state.h"

#include <string.h>

#include "agent/notify.h"
#include "agent/state_doc.h"
#include "agent/state_file.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/crypto/digest.h"

struct state {
	const struct conf *conf;
	char **logins; // digests, as conf->stores
	struct state_file *file;
	json_t *doc; // of the predecessor: what is not claimed yet; NULL = none
	int64_t age_ms, read_ms;
};

static bool digest_text(const json_t *j, char **ret, struct err *e)
{
	unsigned char sum[DIGEST_SHA256_LEN];
	AUTO_BUF struct buf b = BUF_INIT(STATE_MAX);
	AUTO_BUF struct buf text = BUF_INIT(2 * sizeof(sum));
	if (!json_write(j, &b, e) ||
	    !digest_of(DIGEST_SHA256, bytes_of(b.data, b.len), sum, e))
		return false;
	codec_hex_encode(sum, sizeof(sum), &text);
	*ret = buf_take(&text, NULL);
	return true;
}

// A token is good for another process as long as the same is asked of the same store:
// time-outs and the like may change.
static bool digest_logins(struct state *st, struct err *e)
{
	static const char *const store_any[] = { "timeout", "max_connections", "retry",
						 "default" };
	static const char *const auth_any[] = { "min_backoff", "max_backoff",
						"exit_on_err" };
	AUTO_JSON json_t *conf = conf_to_json(st->conf);
	json_t *stores = json_object_get(conf, "store");
	st->logins = mem_calloc(st->conf->n_stores + 1, sizeof(char *));
	for (size_t i = 0; i < st->conf->n_stores; i++) {
		json_t *one = json_array_get(stores, i);
		for (size_t k = 0; k < ARRAY_LEN(store_any); k++)
			json_object_del(one, store_any[k]);
		for (size_t k = 0; k < ARRAY_LEN(auth_any); k++)
			json_object_del(json_object_get(one, "auth"), auth_any[k]);
		if (!digest_text(one, &st->logins[i], e))
			return false;
	}
	return true;
}

bool state_new(const struct conf *conf, struct state **ret, struct err *e)
{
	struct state *st = mem_alloc(sizeof(*st));
	st->conf = conf;
	if (!digest_logins(st, e) ||
	    (conf->state.path && !state_file_open(&conf->state, &st->file, e))) {
		state_free(st);
		return err_wrap(e, "state");
	}
	*ret = st;
	return true;
}

void state_free(struct state *st)
{
	if (!st)
		return;
	for (size_t i = 0; st->logins && st->logins[i]; i++)
		mem_free(st->logins[i]);
	mem_free(st->logins);
	state_file_free(st->file);
	json_decref(st->doc);
	mem_free(st);
}

// --- taking over --------------------------------------------------------------------------

static json_t *now_doc(const struct state *st)
{
	struct state_now now = { .wall_ms = clock_wall_ms(),
				 .mono_ms = clock_mono_ms(),
				 .boot = state_file_boot(st->file) };
	return state_doc_new(&now);
}

bool state_load(struct state *st, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(STATE_MAX);
	struct state_now now = { .wall_ms = clock_wall_ms(),
				 .mono_ms = clock_mono_ms(),
				 .boot = state_file_boot(st->file) };
	if (!st->file)
		return err_set(e, ERR_MISSING, 0, "no state is kept");
	if (!state_file_read(st->file, &text, e) ||
	    !state_doc_parse(buf_str(&text), text.len, &now, &st->doc, &st->age_ms, e))
		return false;
	st->read_ms = now.mono_ms;
	return true;
}

bool state_inherits(const struct state *heir, const struct state *from, size_t i)
{
	const char *name = from->conf->stores[i].name;
	for (size_t k = 0; k < heir->conf->n_stores; k++)
		if (strcmp(heir->conf->stores[k].name, name) == 0)
			return strcmp(heir->logins[k], from->logins[i]) == 0;
	return false;
}

static int64_t age_ms(const struct state *st)
{
	return st->age_ms + (clock_mono_ms() - st->read_ms);
}

// The predecessor's part for this store, when it is still the same store and login.
static json_t *store_of(const struct state *st, const struct source *s)
{
	json_t *o = json_object_get(json_object_get(st->doc, "stores"), source_name(s));
	size_t i = (size_t)(source_conf(s) - st->conf->stores);
	const char *login = json_string_value(json_object_get(o, "login"));
	return login && strcmp(login, st->logins[i]) == 0 ? o : NULL;
}

// Leases end with the token that they were got with.
static void drop_leases(json_t *store)
{
	json_t *secrets = json_object_get(store, "secrets"), *one;
	const char *key;
	void *next;
	json_object_foreach_safe(secrets, next, key, one)
	{
		const char *lease = json_string_value(json_object_get(one, "lease_id"));
		if (lease && *lease)
			json_object_del(secrets, key);
	}
}

void state_restore_logins(struct state *st, const struct state_env *env)
{
	for (size_t i = 0; st->doc && i < env->conf->n_stores; i++) {
		json_t *o = store_of(st, env->sources[i]);
		json_t *kept = json_object_get(o, "kept");
		if (kept && !source_restore(env->sources[i], kept, age_ms(st)))
			drop_leases(o);
		json_object_del(o, "kept");
	}
}

bool state_restore_entry(struct state *st, struct entry *en)
{
	json_t *secrets = json_object_get(store_of(st, en->source), "secrets");
	json_t *one = json_object_get(secrets, en->key);
	struct state_secret s;
	bool good = one && state_doc_read_secret(one, age_ms(st), &s, NULL) &&
		    (s.life != LIFE_LEASE || s.left_ms > 0);
	if (good)
		entry_restore(en, &s);
	json_object_del(secrets, en->key);
	return good;
}

// A variable has no destination, and its name is no absolute path.
static const char *untold_name(const struct output *o)
{
	return o->conf->destination ? o->conf->destination : o->name;
}

bool state_is_untold(const struct state *st, const struct output *o)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(st->doc, "untold"), i, one)
	{
		if (strcmp(json_string_value(one), untold_name(o)) == 0)
			return true;
	}
	return false;
}

void state_drop_rest(struct state *st, const struct state_env *env)
{
	for (size_t i = 0; st->doc && i < env->conf->n_stores; i++) {
		json_t *secrets =
			json_object_get(store_of(st, env->sources[i]), "secrets");
		const char *key;
		json_t *one;
		json_object_foreach(secrets, key, one)
		{
			struct state_secret s;
			if (state_doc_read_secret(one, age_ms(st), &s, NULL) &&
			    *s.lease_id && s.left_ms > 0)
				source_give_back(env->sources[i], s.lease_id);
		}
	}
	json_decref(TAKE(st->doc));
}

// --- writing down -------------------------------------------------------------------------

// What is not claimed yet goes on to the next one, older by now.
static json_t *rest_of(const struct state *st, const struct source *s)
{
	json_t *all = json_object(), *one;
	const char *key;
	json_object_foreach(json_object_get(store_of(st, s), "secrets"), key, one)
	{
		struct state_secret secret;
		if (state_doc_read_secret(one, age_ms(st), &secret, NULL))
			json_object_set_new(all, key, state_doc_secret(&secret));
	}
	return all;
}

static void add_stores(const struct state *st, const struct state_env *env, json_t *doc)
{
	for (size_t i = 0; i < env->conf->n_stores; i++) {
		struct source *s = env->sources[i];
		json_t *o = json_object(), *secrets = rest_of(st, s);
		json_t *kept = source_save(s);
		for (struct entry *en = cache_next(env->cache, NULL); en;
		     en = cache_next(env->cache, en))
			if (en->source == s && en->state == ENTRY_HELD)
				json_object_set_new(secrets, en->key, entry_save(en));
		json_object_set_new(o, "login", json_string(st->logins[i]));
		json_object_set_new(o, "secrets", secrets);
		if (kept)
			json_object_set_new(o, "kept", kept);
		json_object_set_new(json_object_get(doc, "stores"), source_name(s), o);
	}
}

static bool owes(const struct state_env *env, const struct output *o)
{
	// What is about to be published counts, if somebody may be reading already.
	bool soon = (o->changed || o->removing) && (o->existed || o->generation > 1);
	return o->untold || o->notify_due || soon ||
	       (env->notifier && notifier_owes(env->notifier, o));
}

static json_t *document(const struct state *st, const struct state_env *env)
{
	json_t *doc = now_doc(st);
	json_t *untold = json_object_get(doc, "untold");
	add_stores(st, env, doc);
	for (size_t i = 0; i < env->n_outputs; i++)
		if (owes(env, env->outputs[i]))
			json_array_append_new(untold,
					      json_string(untold_name(env->outputs[i])));
	return doc;
}

void state_inherit(struct state *st, const struct state *from,
		   const struct state_env *env)
{
	st->doc = document(from, env);
	st->age_ms = 0;
	st->read_ms = clock_mono_ms();
}

bool state_save(const struct state *st, const struct state_env *env, struct err *e)
{
	if (!st->file)
		return true;
	AUTO_JSON json_t *doc = document(st, env);
	AUTO_BUF struct buf text = BUF_INIT(STATE_MAX);
	return (json_write(doc, &text, e) && state_file_write(st->file, &text, e)) ||
	       err_wrap(e, "state");
}

void state_remove(const struct state *st)
{
	if (st->file)
		state_file_remove(st->file);
}
