// SPDX-License-Identifier: Apache-2.0
// The store "sealed": a sealed file, mounted from a ConfigMap or lying in a folder. Options:
//
//	file		  the sealed file
//	key_file	  private key(s) as age-keygen writes them: one path or a list
//	namespace, service_account   who we are (default: the pod's service account volume)
//	writers		  public keys of the writers whose signatures are demanded (a list)
//	min_generation	  the least generation that is accepted, across restarts
//
// File and keys are read when a template asks, and dropped right afterwards: all asks of one
// round of the loop share one reading, nothing secret is kept, and a rotated key is used at
// once. A watch tells the agent of changes.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/ask_queue.h"
#include "stores/sealed_answer.h"
#include "stores/sealed_marks.h"
#include "stores/sealed_pod.h"
#include "stores/sealed_read.h"
#include "stores/sealed_update.h"
#include "stores/store.h"
#include "stores/store_options.h"

static const char pod_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";
enum { WATCHES_MAX = 1 + AGE_KEYS_MAX };

struct store {
	struct store_env env;
	const char *file;                    // the conf's
	const char *key_files[AGE_KEYS_MAX]; // the conf's
	size_t n_key_files;
	struct sealed_writers writers; // n = 0: signatures are not demanded
	int64_t min_generation;
	struct sealed_pod pod;
	struct sealed_place place;
	struct sealed_marks marks; // high-water marks
	struct ask_queue queue;
	struct loop_watch *watches[WATCHES_MAX];
	size_t n_watches;
};

static void sealed_close(struct store *s)
{
	if (!s)
		return;
	ask_queue_release(&s->queue);
	for (size_t i = 0; i < s->n_watches; i++)
		loop_watch_remove(s->watches[i]);
	sealed_marks_release(&s->marks);
	sealed_pod_release(&s->pod);
	mem_free(s);
}

// --- options

static bool read_writers(struct store *s, struct err *e)
{
	json_t *list = NULL;
	if (!json_get_arr(s->env.conf->options, "writers", &list, e))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (!sealed_writers_add(&s->writers, str_of(text), e))
			return err_wrap(e, "option 'writers', element %zu", i + 1);
	}
	// An empty list must not mean "anybody".
	return !list || s->writers.n > 0 ||
	       err_set(e, ERR_CONFIG, 0,
		       "option 'writers' is an empty list: name the writers' public "
		       "keys, or "
		       "leave the option out to accept unsigned entries");
}

static bool read_options(struct store *s, struct err *e)
{
	static const char *const names[] = { "file",      "key_file",
					     "namespace", "service_account",
					     "writers",   "min_generation" };
	const json_t *o = s->env.conf->options;
	struct store_paths file = { "file", "the sealed file", &s->file, 1 };
	struct store_paths keys = {
		"key_file",
		"the file of the private key ('ampoule seal keygen' makes "
		"one)",
		s->key_files, AGE_KEYS_MAX
	};
	size_t n;
	if (!store_options_known(o, names, ARRAY_LEN(names), e) ||
	    !store_options_paths(o, &file, &n, e) ||
	    !store_options_paths(o, &keys, &s->n_key_files, e) || !read_writers(s, e) ||
	    !json_get_int(o, "min_generation", &s->min_generation, e))
		return false;
	if (s->min_generation < 0)
		return err_set(e, ERR_CONFIG, 0, "option 'min_generation' is negative");
	sealed_pod_read(pod_dir, &s->pod);
	s->place.namespace_ = s->pod.namespace_;
	s->place.service_account = s->pod.service_account;
	return json_get_str(o, "namespace", &s->place.namespace_, e) &&
	       json_get_str(o, "service_account", &s->place.service_account, e);
}

// --- changes

static void on_change(void *ctx, const char *path)
{
	(void)path;
	struct store *s = ctx;
	if (s->env.changed)
		s->env.changed(s->env.changed_ctx, NULL);
}

static bool watch(struct store *s, const char *path, struct err *e)
{
	if (!loop_watch_add(s->env.loop, path, on_change, s, &s->watches[s->n_watches],
			    e))
		return err_wrap(e, "watch '%s'", path);
	s->n_watches++;
	return true;
}

// --- answering

// What one round of answers shares.
struct round {
	struct sealed_file file;
	struct age_keyring *ring;
	bool opened; // file is there, and ring
};

static void round_end(void *round)
{
	struct round *r = round;
	if (r->opened)
		sealed_file_release(&r->file);
	age_keyring_free(r->ring);
	mem_free(r);
}

static bool is_signed(void *ctx, const struct sealed_line *l)
{
	const struct store *s = ctx;
	struct sealed_writer writer;
	return s->writers.n == 0 || sealed_verify(l, &s->writers, &writer, NULL);
}

static bool check_generation(struct store *s, const struct sealed_file *f, struct err *e)
{
	if (s->min_generation <= 0)
		return true;
	uint64_t generation = sealed_file_generation(f, is_signed, s);
	return generation >= (uint64_t)s->min_generation ||
	       err_set(e, ERR_DENIED, 0,
		       "%s has generation %" PRIu64
		       ", and min_generation demands %" PRId64
		       ": an older file was put in place, or lines are missing or "
		       "damaged",
		       f->name, generation, s->min_generation);
}

static bool round_begin(struct store *s, void **round, struct err *e)
{
	struct round *r = mem_alloc(sizeof(*r));
	*round = r;
	r->ring = age_keyring_new();
	for (size_t i = 0; i < s->n_key_files; i++)
		if (!age_keyring_load(r->ring, s->key_files[i], e))
			return false;
	if (!sealed_load(s->file, &r->file, e)) {
		// The file as a whole may come (a mount that lags); only a line's absence
		// means that a secret is missing.
		if (e->kind == ERR_MISSING)
			e->kind = ERR_RETRY;
		return false;
	}
	r->opened = true;
	return check_generation(s, &r->file, e);
}

// An answer, and the memory behind its pointers.
struct reply {
	struct store_answer answer;
	char version[24];
};

static bool answer_read(struct store *s, const struct round *r, const char *ask,
			struct reply *ret, struct err *e)
{
	AUTO_FREE char *path = NULL;
	uint64_t version = 0;
	AUTO_SEALED_VALUE struct sealed_value value = SEALED_VALUE_INIT;
	struct sealed_reader reader = { .file = &r->file,
					.ring = r->ring,
					.writers = s->writers.n ? &s->writers : NULL,
					.place = &s->place };
	if (!sealed_ask_path(ask, &path, &version, e))
		return false;
	struct err why = ERR_INIT, older = ERR_INIT;
	bool ok = sealed_read(&reader, path, version, &value, &why);
	// The mark decides about what is proved: an opened line, or no line at all.
	bool proved = ok || value.newest > 0 || why.kind == ERR_MISSING;
	if (proved && !sealed_marks_raise(&s->marks, path, value.newest, &older))
		return err_set(e, older.kind, 0, "%s: %s", s->file, older.text);
	if (!ok) {
		*e = why;
		return false;
	}
	snprintf(ret->version, sizeof(ret->version), "%" PRIu64, value.version);
	ret->answer.version = ret->version;
	ret->answer.made_ms = value.made_ms;
	ret->answer.body = sealed_answer_body(&value);
	return true;
}

static void answer(struct store *s, void *round, const struct ask *a)
{
	const struct round *r = round;
	struct err e = ERR_INIT;
	struct reply out = {
		.answer = { .version = "", .life = LIFE_WATCH, .lease_id = "" }
	};
	struct sealed_list list = { &r->file, is_signed, s };
	bool ok = false;
	if (a->verb == STORE_WRITE)
		err_set(&e, ERR_CONFIG, 0,
			"the sealed store is read-only for an agent: 'ampoule seal put' "
			"writes it");
	else if (a->verb == STORE_LIST)
		ok = sealed_answer_list(&list, a->path, &out.answer.body, &e);
	else
		ok = answer_read(s, r, a->path, &out, &e);
	a->done(a->ctx, ok ? &out.answer : NULL, ok ? NULL : &e);
	json_decref(out.answer.body);
}

static const struct ask_server server = { round_begin, answer, round_end };

static void sealed_fetch(struct store *s, const struct store_ask *ask,
			 store_done_fn *done, void *ctx)
{
	ask_queue_add(&s->queue, ask, done, ctx);
}

// --- opening

static bool sealed_store_open(const struct store_env *env, struct store **ret,
			      struct err *e)
{
	struct store *s = mem_alloc(sizeof(*s));
	s->env = *env;
	ask_queue_init(&s->queue, env->loop, &server, s);
	bool ok = read_options(s, e) && watch(s, s->file, e);
	for (size_t i = 0; ok && i < s->n_key_files; i++)
		ok = watch(s, s->key_files[i], e);
	if (ok) {
		*ret = s;
		return true;
	}
	sealed_close(s);
	return err_wrap(e, "store '%s'", env->conf->name);
}

static json_t *sealed_save(struct store *s)
{
	return sealed_marks_save(&s->marks);
}

static bool sealed_restore(struct store *s, const json_t *saved, int64_t age_ms,
			   struct store_token *ret)
{
	(void)age_ms;
	(void)ret;
	sealed_marks_load(&s->marks, saved);
	return false; // there is no credential
}

const struct store_ops store_sealed = {
	.type = "sealed",
	.help = "an encrypted, versioned text file that can live in Git",
	.open = sealed_store_open,
	.close = sealed_close,
	.fetch = sealed_fetch,
	.save = sealed_save,
	.restore = sealed_restore,
};
