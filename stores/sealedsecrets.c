// SPDX-License-Identifier: Apache-2.0
// The store "sealedsecrets": SealedSecret manifests in files, opened in the pod. A path is
// NAME or NAMESPACE/NAME; the data are the items. Options:
//
//	file	   one manifest file or a list; each may hold several documents
//	key_file   the controller's private keys: one file or a list, PEM or Secrets
//	namespace  ours (default: the pod's): manifests without a namespace belong to it, and
//		   strict or namespace-wide ones of other namespaces are refused
//
// Files and keys are read when a template asks; nothing secret is kept between.
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/age_key.h"
#include "stores/ask_queue.h"
#include "stores/sealed_pod.h"
#include "stores/sealedsecret.h"
#include "stores/store.h"
#include "stores/store_options.h"

static const char pod_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";
enum { FILES_MAX = 32, KEYS_TEXT_MAX = 4 * 1024 * 1024 };

struct files {
	const char *paths[FILES_MAX]; // the conf's
	size_t n;
};

struct store {
	struct store_env env;
	struct files manifests, keys;
	struct sealed_pod pod;
	const char *namespace_; // ours, or NULL
	struct ask_queue queue;
	struct loop_watch *watches[2 * FILES_MAX];
	size_t n_watches;
};

static void sealedsecrets_close(struct store *s)
{
	if (!s)
		return;
	ask_queue_release(&s->queue);
	for (size_t i = 0; i < s->n_watches; i++)
		loop_watch_remove(s->watches[i]);
	sealed_pod_release(&s->pod);
	mem_free(s);
}

static void on_change(void *ctx, const char *path)
{
	(void)path;
	struct store *s = ctx;
	if (s->env.changed)
		s->env.changed(s->env.changed_ctx, NULL);
}

static bool watch_all(struct store *s, const struct files *files, struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		if (!loop_watch_add(s->env.loop, files->paths[i], on_change, s,
				    &s->watches[s->n_watches], e))
			return err_wrap(e, "watch '%s'", files->paths[i]);
		s->n_watches++;
	}
	return true;
}

// --- answering

struct round {
	struct manifest manifests[FILES_MAX];
	struct sealedsecret_keys keys;
};

static void round_end(void *round)
{
	struct round *r = round;
	for (size_t i = 0; i < FILES_MAX; i++)
		manifest_release(&r->manifests[i]);
	sealedsecret_keys_release(&r->keys);
	mem_free(r);
}

static bool round_begin(struct store *s, void **round, struct err *e)
{
	struct round *r = mem_alloc(sizeof(*r));
	*round = r;
	for (size_t i = 0; i < s->keys.n; i++) {
		AUTO_BUF struct buf text = BUF_INIT(KEYS_TEXT_MAX);
		if (!age_private_file(s->keys.paths[i], &text, e) ||
		    !sealedsecret_keys_parse(&r->keys,
					     (struct str){ buf_str(&text), text.len },
					     s->keys.paths[i], e))
			return false;
	}
	for (size_t i = 0; i < s->manifests.n; i++) {
		AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX);
		if (!file_read(s->manifests.paths[i], &text, e)) {
			if (e->kind == ERR_MISSING)
				e->kind = ERR_RETRY; // the file may come
			return false;
		}
		if (!manifest_parse((struct str){ buf_str(&text), text.len },
				    s->manifests.paths[i], &r->manifests[i], e))
			return false;
	}
	return true;
}

// Whether the document is what the path names: NAME is in our namespace, or anywhere when
// that is not known.
static bool is_named(const struct store *s, const struct sealedsecret *d,
		     const char *path)
{
	const char *slash = strchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (strcmp(d->name, name) != 0)
		return false;
	if (!slash)
		return !s->namespace_ || !d->namespace_ || d->scope == SCOPE_CLUSTER ||
		       strcmp(d->namespace_, s->namespace_) == 0;
	size_t n = (size_t)(slash - path);
	return d->namespace_ && strlen(d->namespace_) == n &&
	       memcmp(d->namespace_, path, n) == 0;
}

static bool find(const struct store *s, const struct round *r, const char *path,
		 struct sealedsecret *ret, struct err *e)
{
	bool found = false;
	for (size_t i = 0; i < s->manifests.n; i++) {
		for (size_t k = 0; k < r->manifests[i].n; k++) {
			const struct manifest_doc *doc = &r->manifests[i].docs[k];
			struct sealedsecret d;
			if (!sealedsecret_is(doc->root))
				continue;
			struct err bad = ERR_INIT; // another document's fault is not ours
			if (!sealedsecret_read(doc->root, s->namespace_, &d, &bad) ||
			    !is_named(s, &d, path))
				continue;
			if (found)
				return err_set(
					e, ERR_CONFIG, 0,
					"'%s' is there twice (again in %s line %u)", path,
					s->manifests.paths[i], doc->line);
			found = true;
			*ret = d;
		}
	}
	return found || err_set(e, ERR_MISSING, 0, "there is no SealedSecret '%s'", path);
}

static bool check_namespace(const struct store *s, const struct sealedsecret *d,
			    struct err *e)
{
	if (d->scope == SCOPE_CLUSTER || !s->namespace_ ||
	    (d->namespace_ && strcmp(d->namespace_, s->namespace_) == 0))
		return true;
	return err_set(e, ERR_DENIED, 0,
		       "SealedSecret '%s' is of namespace '%s'; this is '%s'", d->name,
		       d->namespace_, s->namespace_);
}

static bool answer_read(struct store *s, struct round *r, const char *path,
			struct store_answer *ret, char version[static 13], struct err *e)
{
	struct sealedsecret d;
	json_t *data = NULL;
	if (!find(s, r, path, &d, e) || !check_namespace(s, &d, e) ||
	    !sealedsecret_version(&d, version, e) ||
	    !sealedsecret_open(&d, &r->keys, &data, e))
		return false;
	ret->version = version;
	ret->body = json_object();
	json_object_set_new(ret->body, "request_id", json_string(""));
	json_object_set_new(ret->body, "lease_id", json_string(""));
	json_object_set_new(ret->body, "lease_duration", json_number_new("0", 1));
	json_object_set_new(ret->body, "renewable", json_false());
	json_object_set_new(ret->body, "data", data);
	return true;
}

static void answer(struct store *s, void *round, const struct ask *a)
{
	struct err e = ERR_INIT;
	struct store_answer out = { .version = "", .life = LIFE_WATCH, .lease_id = "" };
	char version[13] = "";
	bool ok = false;
	if (a->verb == STORE_READ)
		ok = answer_read(s, round, a->path, &out, version, &e);
	else
		err_set(&e, ERR_CONFIG, 0,
			"the store of SealedSecrets can only be read, one name at a "
			"time");
	a->done(a->ctx, ok ? &out : NULL, ok ? NULL : &e);
	json_decref(out.body);
}

static const struct ask_server server = { round_begin, answer, round_end };

static void sealedsecrets_fetch(struct store *s, const struct store_ask *ask,
				store_done_fn *done, void *ctx)
{
	ask_queue_add(&s->queue, ask, done, ctx);
}

static bool read_options(struct store *s, struct err *e)
{
	static const char *const names[] = { "file", "key_file", "namespace" };
	const json_t *o = s->env.conf->options;
	struct store_paths files = { "file", "the manifests", s->manifests.paths,
				     FILES_MAX };
	struct store_paths keys = { "key_file", "the controller's private keys",
				    s->keys.paths, FILES_MAX };
	if (!store_options_known(o, names, ARRAY_LEN(names), e) ||
	    !store_options_paths(o, &files, &s->manifests.n, e) ||
	    !store_options_paths(o, &keys, &s->keys.n, e))
		return false;
	sealed_pod_read(pod_dir, &s->pod);
	s->namespace_ = s->pod.namespace_;
	return json_get_str(o, "namespace", &s->namespace_, e);
}

static bool sealedsecrets_open(const struct store_env *env, struct store **ret,
			       struct err *e)
{
	struct store *s = mem_alloc(sizeof(*s));
	s->env = *env;
	ask_queue_init(&s->queue, env->loop, &server, s);
	if (read_options(s, e) && watch_all(s, &s->manifests, e) &&
	    watch_all(s, &s->keys, e)) {
		*ret = s;
		return true;
	}
	sealedsecrets_close(s);
	return err_wrap(e, "store '%s'", env->conf->name);
}

const struct store_ops store_sealedsecrets = {
	.type = "sealedsecrets",
	.help = "manifests of Bitnami's Sealed Secrets, opened in the pod",
	.open = sealedsecrets_open,
	.close = sealedsecrets_close,
	.fetch = sealedsecrets_fetch,
};
