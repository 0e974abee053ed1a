// SPDX-License-Identifier: Apache-2.0
// The store "file": a mounted folder (Secrets Store CSI driver, projected volumes, a folder
// that something else fills). Options:
//
//	path	the folder
//
// An ask for a folder ("", "tls") gives {"NAME": TEXT, …} of the files directly in it; one
// for a file ("tls/tls.crt") gives {"value": TEXT}, or, when the file is a JSON object, that
// object. Bytes that are not text come as base64: "NAME.base64" in a folder, and with
// "encoding": "base64" beside "value". Names that begin with a dot are not secrets.
//
// Nothing outside the folder can be read, whatever links say. The files of one folder are
// of one version: where Kubernetes keeps them behind `..data`, that link is followed once.
// Changes are told by inotify; nothing is polled, nothing is kept in memory.
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/ask_queue.h"
#include "stores/file_read.h"
#include "stores/store.h"

enum { WATCHES_MAX = 1000 };

struct file_watch {
	struct file_watch *next;
	struct file_store *store;
	char *path; // as it was asked for
	bool seen;  // it was there once: from then on its absence is evidence
	struct loop_watch *handle;
};

struct file_store {
	struct store_env env;
	const char *root; // the conf's
	struct ask_queue asks;
	struct file_watch *watches;
	size_t n_watches;
};

// --- watches ------------------------------------------------------------------------------

static void on_change(void *ctx, const char *path)
{
	struct file_watch *w = ctx;
	(void)path;
	if (w->store->env.changed)
		w->store->env.changed(w->store->env.changed_ctx, w->path);
}

static struct file_watch *watch_of(struct file_store *s, const char *path)
{
	struct file_watch *w = s->watches;
	while (w && strcmp(w->path, path) != 0)
		w = w->next;
	return w;
}

// The watch is there before the path is read, so that no change falls between.
static bool watch(struct file_store *s, const char *path, struct file_watch **ret,
		  struct err *e)
{
	*ret = watch_of(s, path);
	if (*ret)
		return true;
	if (s->n_watches == WATCHES_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d paths are asked for",
			       WATCHES_MAX);
	AUTO_FREE char *full = mem_printf("%s%s%s", s->root, *path ? "/" : "", path);
	struct file_watch *w = mem_alloc(sizeof(*w));
	w->store = s;
	w->path = mem_strdup(path);
	if (!loop_watch_add(s->env.loop, full, on_change, w, &w->handle, e)) {
		mem_free(w->path);
		mem_free(w);
		return false;
	}
	w->next = s->watches;
	s->watches = *ret = w;
	s->n_watches++;
	return true;
}

// --- asks ---------------------------------------------------------------------------------

static bool answer(struct file_store *s, const struct ask *a, struct file_got *got,
		   struct err *e)
{
	struct file_watch *w;
	size_t from = strspn(a->path, "/"), len = strlen(a->path);
	while (len > from && a->path[len - 1] == '/')
		len--;
	AUTO_FREE char *path = mem_strndup(a->path + from, len - from);
	if (a->verb == STORE_WRITE)
		return err_set(e, ERR_CONFIG, 0, "'%s': nothing is written to a folder",
			       path);
	if (!watch(s, path, &w, e))
		return false;
	bool ok = a->verb == STORE_LIST ? file_list(s->root, path, got, e)
					: file_get(s->root, path, got, e);
	// Absent while its folder is there: gone, if it ever was.
	if (!ok && e->kind == ERR_MISSING && w->seen && access(s->root, X_OK) == 0)
		e->cause = STORE_GONE;
	w->seen = w->seen || ok;
	return ok;
}

static bool begin(struct store *s, void **round, struct err *e)
{
	(void)s;
	(void)round;
	(void)e;
	return true;
}

static void answer_one(struct store *s, void *round, const struct ask *a)
{
	AUTO_FILE_GOT struct file_got got = { .body = NULL };
	struct err e = ERR_INIT;
	(void)round;
	bool ok = answer((struct file_store *)s, a, &got, &e);
	struct store_answer out = { .body = got.body,
				    .version = got.version,
				    .life = LIFE_WATCH,
				    .lease_id = "" };
	a->done(a->ctx, ok ? &out : NULL, ok ? NULL : &e);
}

static void end(void *round)
{
	(void)round;
}

static const struct ask_server server = { .begin = begin,
					  .answer = answer_one,
					  .end = end };

static void file_fetch(struct store *s, const struct store_ask *ask, store_done_fn *done,
		       void *ctx)
{
	ask_queue_add(&((struct file_store *)s)->asks, ask, done, ctx);
}

// --- open, close --------------------------------------------------------------------------

static void file_close(struct store *s)
{
	struct file_store *fs = (struct file_store *)s;
	ask_queue_release(&fs->asks);
	for (struct file_watch *w; (w = fs->watches);) {
		fs->watches = w->next;
		loop_watch_remove(w->handle);
		mem_free(w->path);
		mem_free(w);
	}
	mem_free(fs);
}

static bool file_open(const struct store_env *env, struct store **ret, struct err *e)
{
	const char *root = NULL;
	if (!json_get_str(env->conf->options, "path", &root, e))
		return false;
	if (!root || root[0] != '/')
		return err_set(
			e, ERR_CONFIG, 0,
			"a store of type file needs 'path', the folder, from the root");
	struct file_store *fs = mem_alloc(sizeof(*fs));
	fs->env = *env;
	fs->root = root;
	ask_queue_init(&fs->asks, env->loop, &server, (struct store *)fs);
	*ret = (struct store *)fs;
	return true;
}

const struct store_ops store_file = {
	.type = "file",
	.help = "a mounted folder: Secrets Store CSI driver, projected volumes",
	.open = file_open,
	.close = file_close,
	.fetch = file_fetch,
};
