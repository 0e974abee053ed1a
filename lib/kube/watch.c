// SPDX-License-Identifier: Apache-2.0
// list → watch → watch … → list. One call under way at any time, or the timer that begins it.
#include "lib/kube/watch.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/kube/kube_int.h"
#include "lib/kube/stream.h"

enum { SHORT_WATCH_MS = 5000, QUERY_MAX = 64 * 1024 };

#define AS_METADATA(kind)                                                                \
	"application/json;as=" kind ";v=v1;g=meta.k8s.io, application/json"

struct kube_watch {
	struct kube *kube;
	struct kube_watch_opts opts;
	char *path, *name;
	char *about; // the path of the one object, or of all
	struct kube_call *call;
	struct loop_timer timer;
	struct backoff backoff;
	struct kube_stream stream;
	char *version;   // from which to go on; NULL: list
	char *continue_; // of the list's next page
	int64_t begun_ms;
	bool failing;
	struct err bad; // what the stream itself held
};

static void begin(struct kube_watch *w);

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	begin(ctx);
}

static void again_in(struct kube_watch *w, int64_t ms)
{
	loop_timer_in(w->kube->loop, &w->timer, ms, on_timer, w);
}

static void set(char **to, const char *value)
{
	char *copy = value && *value ? mem_strdup(value) : NULL;
	mem_free(*to);
	*to = copy;
}

static void works(struct kube_watch *w)
{
	backoff_reset(&w->backoff);
	if (w->failing && w->opts.health)
		w->opts.health(w->opts.ctx, NULL);
	w->failing = false;
}

static void failed(struct kube_watch *w, const struct err *e)
{
	int64_t wait = backoff_next(&w->backoff);
	if (e->retry_ms > wait)
		wait = e->retry_ms < KUBE_RETRY_MAX_MS ? e->retry_ms : KUBE_RETRY_MAX_MS;
	set(&w->continue_, NULL);
	if (e->cause == KUBE_GONE)
		set(&w->version, NULL);
	w->failing = true;
	again_in(w, wait);
	if (w->opts.health)
		w->opts.health(w->opts.ctx, e);
}

// --- the list

static void on_page(void *ctx, const json_t *list, const struct err *e)
{
	struct kube_watch *w = ctx;
	bool first = !w->continue_;
	w->call = NULL;
	if (e) {
		failed(w, e);
		return;
	}
	const char *more = json_string_value(kube_metadata(list, "continue"));
	bool last = !more || !*more;
	set(&w->continue_, more);
	if (last)
		set(&w->version, kube_version(list));
	works(w);
	w->opts.listed(w->opts.ctx, json_object_get(list, "items"), first, last);
	again_in(w, last && !w->version ? KUBE_RETRY_MAX_MS : 0);
}

// --- the stream

static void take_event(struct kube_watch *w, const struct kube_event *event)
{
	if (event->type == KUBE_ERROR) {
		kube_explain(KUBE_WATCH, w->about, event->code, &w->bad);
		return;
	}
	set(&w->version, kube_version(event->object));
	works(w);
	if (event->type != KUBE_BOOKMARK)
		w->opts.changed(w->opts.ctx, event->object, event->type == KUBE_DELETED);
}

static void on_chunk(void *ctx, const void *bytes, size_t len)
{
	// The context of a streaming call is the call, of which we are the owner.
	struct kube_watch *w = ((struct kube_call *)ctx)->ctx;
	struct kube_event event = { .object = NULL };
	bool ok = w->bad.kind != ERR_NONE ||
		  kube_stream_add(&w->stream, bytes, len, &w->bad);
	while (ok && w->bad.kind == ERR_NONE &&
	       (ok = kube_stream_next(&w->stream, &event, &w->bad)) && event.object)
		take_event(w, &event);
	if (ok)
		return;
	kube_cancel(TAKE(w->call));
	failed(w, &w->bad);
}

static void on_end(void *ctx, const json_t *object, const struct err *e)
{
	struct kube_watch *w = ctx;
	(void)object;
	w->call = NULL;
	if (w->bad.kind != ERR_NONE && (!e || e->cause != KUBE_GONE))
		e = &w->bad;
	bool soon = clock_mono_ms() - w->begun_ms < SHORT_WATCH_MS;
	if (e) {
		if (!soon) // it may have worked: proxies cut those on which nothing comes
			backoff_reset(&w->backoff);
		failed(w, e);
		return;
	}
	works(w);
	// Its time is over, as was agreed; but nobody makes us ask without a pause.
	again_in(w, soon ? KUBE_RETRY_MIN_MS : 0);
}

// --- both

static bool query(struct kube_watch *w, bool watching, int64_t seconds, struct buf *to)
{
	if (watching)
		buf_printf(to,
			   "watch=1&allowWatchBookmarks=true&timeoutSeconds=%" PRId64
			   "&resourceVersion=",
			   seconds);
	else
		buf_printf(to, "limit=%d", KUBE_PAGE);
	if (watching)
		codec_url_escape(w->version, strlen(w->version), "", to);
	if (!watching && w->continue_) {
		buf_puts(to, "&continue=");
		codec_url_escape(w->continue_, strlen(w->continue_), "", to);
	}
	if (w->name) {
		buf_puts(to, "&fieldSelector=metadata.name%3D");
		codec_url_escape(w->name, strlen(w->name), "", to);
	}
	return !buf_failed(to);
}

static void begin(struct kube_watch *w)
{
	bool watching = w->version && !w->continue_;
	int64_t seconds = KUBE_WATCH_S +
			  (int64_t)backoff_random(&w->backoff.seed, KUBE_WATCH_S / 4);
	struct kube_streaming streaming = {
		.chunk = on_chunk, .timeout_ms = seconds * 1000 + KUBE_WATCH_GRACE_MS
	};
	struct err e = ERR_INIT;
	AUTO_BUF struct buf q = BUF_INIT(QUERY_MAX);
	struct kube_request req = {
		.verb = watching ? KUBE_WATCH : KUBE_LIST,
		.path = w->path,
		.about = w->about,
		.accept = !w->opts.metadata_only ? NULL
			  : watching             ? AS_METADATA("PartialObjectMetadata")
				     : AS_METADATA("PartialObjectMetadataList"),
	};
	bool ok =
		query(w, watching, seconds, &q) ||
		err_set(&e, ERR_LIMIT, 0, "the API server's continue token is too long");
	req.query = buf_str(&q);
	kube_stream_release(&w->stream);
	err_clear(&w->bad);
	w->begun_ms = clock_mono_ms();
	ok = ok && kube_send_streaming(w->kube, &req, watching ? &streaming : NULL,
				       watching ? on_end : on_page, w, &w->call, &e);
	if (!ok)
		failed(w, &e);
}

struct kube_watch *kube_watch_new(struct kube *k, const struct kube_watch_opts *o)
{
	struct kube_watch *w = mem_alloc(sizeof(*w));
	*w = (struct kube_watch){
		.kube = k,
		.opts = *o,
		.path = mem_strdup(o->path),
		.name = mem_strdup(o->name),
		.about = mem_printf("%s%s%s", o->path, o->name ? "/" : "",
				    o->name ? o->name : ""),
		.backoff = { .min_ms = KUBE_RETRY_MIN_MS, .max_ms = KUBE_RETRY_MAX_MS }
	};
	kube_stream_init(&w->stream);
	again_in(w, 0);
	return w;
}

void kube_watch_free(struct kube_watch *w)
{
	if (!w)
		return;
	kube_cancel(w->call);
	loop_timer_cancel(&w->timer);
	kube_stream_release(&w->stream);
	mem_free(w->path);
	mem_free(w->name);
	mem_free(w->about);
	mem_free(w->version);
	mem_free(w->continue_);
	mem_free(w);
}
