// SPDX-License-Identifier: Apache-2.0
// The copy of the namespaces' metadata: a list replaces it, events change it.
#include "webhook/namespaces.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/conf/annotation.h"
#include "lib/kube/watch.h"

#define PATH "/api/v1/namespaces"

// Reviews may come from anybody who reaches the port: names that are none are not asked for,
// and only so many at once.
enum { NAME_MAX_ = 63, ASKS_MAX = 64 };

struct namespaces {
	struct loop *loop;
	struct kube *kube;
	struct kube_watch *watch;
	json_t *known; // name → {"annotations", "labels"}
	json_t *fresh; // the pages of a list that is not whole yet
	bool ready, failing;
	struct ask *asks;
	size_t n_asks;
};

struct ask {
	struct ask *next;
	struct namespaces *owner;
	struct kube_call *call;
	namespaces_fn *done;
	void *ctx;
	struct err e; // it could not even be asked
};

static json_t *ours(const json_t *annotations)
{
	json_t *ret = json_object();
	const char *key, *suffix;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)annotations, key, value)
	{
		if (annotation_prefix_of(key, &suffix) != PREFIX_NONE)
			json_object_set(ret, key, value);
	}
	return ret;
}

static void keep(json_t *to, const json_t *object)
{
	const json_t *labels = kube_metadata(object, "labels");
	if (!*kube_name(object))
		return;
	json_object_set_new(to, kube_name(object),
			    json_pack("{s:o, s:o}", "annotations",
				      ours(kube_metadata(object, "annotations")),
				      "labels",
				      json_is_object(labels)
					      ? json_incref((json_t *)(uintptr_t)labels)
					      : json_object()));
}

static void on_listed(void *ctx, const json_t *items, bool first, bool last)
{
	struct namespaces *n = ctx;
	size_t i;
	const json_t *item;
	if (first || !n->fresh) {
		json_decref(n->fresh);
		n->fresh = json_object();
	}
	json_array_foreach(items, i, item) keep(n->fresh, item);
	if (!last)
		return;
	json_decref(n->known);
	n->known = TAKE(n->fresh);
	if (!n->ready)
		log_info("namespaces known",
			 LOG_INT("count", (int64_t)json_object_size(n->known)));
	n->ready = true;
}

static void on_changed(void *ctx, const json_t *object, bool gone)
{
	struct namespaces *n = ctx;
	if (gone)
		json_object_del(n->known, kube_name(object));
	else
		keep(n->known, object);
}

static void on_health(void *ctx, const struct err *e)
{
	struct namespaces *n = ctx;
	if (e && !n->failing)
		log_fail(LOG_WARN, e, "namespaces are not followed; what is known holds",
			 LOG_INT("count", (int64_t)namespaces_count(n)));
	if (!e && n->failing)
		log_info("namespaces are followed again");
	n->failing = e;
}

// --- one by its name

static void end(struct ask *a, const struct err *e)
{
	struct ask **at = &a->owner->asks;
	namespaces_fn *done = a->done;
	void *ctx = a->ctx;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	a->owner->n_asks--;
	done(ctx, e);
	mem_free(a);
}

static void on_got(void *ctx, const json_t *object, const struct err *e)
{
	struct ask *a = ctx;
	if (object)
		keep(a->owner->known, object);
	end(a, e);
}

static void on_not_asked(void *ctx)
{
	struct ask *a = ctx;
	end(a, &a->e);
}

static bool name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n > 0 && n <= NAME_MAX_ && name[n] == '\0';
}

static bool may_ask(const struct namespaces *n, const char *name, struct err *e)
{
	if (!name_ok(name))
		return err_set(e, ERR_CONFIG, 0, "the request's namespace is no name");
	return n->n_asks <= ASKS_MAX ||
	       err_set(e, ERR_LIMIT, 0, "%d namespaces are being asked for already",
		       ASKS_MAX);
}

void namespaces_ask(struct namespaces *n, const char *name, namespaces_fn *done,
		    void *ctx)
{
	AUTO_FREE char *path = mem_printf(PATH "/%s", name);
	struct kube_request r = { .verb = KUBE_GET, .path = path };
	struct ask *a = mem_alloc(sizeof(*a));
	*a = (struct ask){ .next = n->asks, .owner = n, .done = done, .ctx = ctx };
	n->asks = a;
	n->n_asks++;
	if (!may_ask(n, name, &a->e) ||
	    !kube_send(n->kube, &r, on_got, a, &a->call, &a->e))
		loop_later(n->loop, on_not_asked, a);
}

// --- life

bool namespaces_ready(const struct namespaces *n)
{
	return n->ready;
}

size_t namespaces_count(const struct namespaces *n)
{
	return json_object_size(n->known);
}

const json_t *namespaces_find(const struct namespaces *n, const char *name)
{
	return json_object_get(n->known, name);
}

struct namespaces *namespaces_new(struct loop *l, struct kube *k)
{
	struct namespaces *n = mem_alloc(sizeof(*n));
	*n = (struct namespaces){ .loop = l, .kube = k, .known = json_object() };
	struct kube_watch_opts o = { .path = PATH,
				     .metadata_only = true,
				     .listed = on_listed,
				     .changed = on_changed,
				     .health = on_health,
				     .ctx = n };
	n->watch = kube_watch_new(k, &o);
	return n;
}

void namespaces_free(struct namespaces *n)
{
	if (!n)
		return;
	kube_watch_free(n->watch);
	while (n->asks) {
		struct ask *a = n->asks;
		n->asks = a->next;
		kube_cancel(a->call);
		loop_later_cancel(n->loop, a);
		mem_free(a);
	}
	json_decref(n->known);
	json_decref(n->fresh);
	mem_free(n);
}
