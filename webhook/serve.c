// SPDX-License-Identifier: Apache-2.0
// The server: settings, certificate and listeners around mutate_review().
#include "webhook/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/store_type.h"
#include "lib/crypto/x509.h"
#include "lib/http/server.h"
#include "lib/loop/loop.h"
#include "lib/tls/tls.h"
#include "webhook/cluster.h"
#include "webhook/metrics.h"
#include "webhook/mutate.h"
#include "webhook/policy.h"
#include "webhook/review.h"
#include "webhook/settings.h"
#include "webhook/validate.h"

enum {
	PEM_MAX = 1024 * 1024,
	METRICS_MAX = 64 * 1024,
	ANSWER_MAX = 4 * REVIEW_MAX,
	DRAIN_ACCEPT_MS = 2000, // until a Service has forgotten us
	DRAIN_MAX_MS = 25000,   // less than the kubelet's 30 s
	BIG_REVIEW = 128 * 1024,
};

// Files that settings name.
enum watched { POLICIES, CERT, KEY, WATCHED };

struct serve {
	const char *config;
	struct settings settings;
	struct settings begun; // those of the start; only the document is owned
	struct loop *loop;
	struct http_server *http, *http_metrics;
	struct tls_server *tls;
	struct loop_watch *watch_config, *watches[WATCHED];
	struct cluster *cluster; // NULL: the API server is never asked
	struct metrics metrics;
	unsigned open_servers; // not yet drained
	bool ending;
};

// --- answers

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool is_json(struct str type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;
	struct str rest = { type.p + len, type.len - len };
	if (type.len < len || strncasecmp(type.p, json, len) != 0)
		return false;
	rest = str_trim(rest);
	return rest.len == 0 || rest.p[0] == ';';
}

static void on_answered(void *ctx)
{
	(void)ctx;
	log_release();
}

// What the reviews of this round of the loop have to say comes behind their answers.
static void hold_log(struct serve *s)
{
	if (log_hold())
		loop_later(s->loop, on_answered, s);
}

static void log_review(const struct mutate_note *n, int status)
{
	enum log_level level = status != 200 || *n->reason ? LOG_WARN : LOG_INFO;
	if (strcmp(n->what, "not asked") == 0)
		level = LOG_DEBUG;
	log_at(level, n->what, LOG_STR("pod", n->pod),
	       LOG_INT("warnings", (int64_t)n->warnings),
	       LOG_STR("dry_run", n->dry_run ? "true" : "false"),
	       LOG_STR("reason", n->reason));
}

// A review whose namespace is asked for.
struct waiting {
	struct serve *s;
	struct http_exchange *x;
	http_handler_fn *fn;
};

static void on_namespace(void *ctx, const struct err *e)
{
	struct waiting *w = ctx;
	struct serve *s = w->s;
	char text[ERR_TEXT_MAX + 64];
	if (e) {
		snprintf(text, sizeof(text), "the pod's namespace is not known: %s",
			 e->text);
		log_fail(LOG_WARN, e, "a namespace is not known");
		http_answer_text(w->x, 503, text);
	} else {
		w->fn(s, w->x);
	}
	mem_free(w);
}

static void ask_namespace(struct serve *s, struct http_exchange *x, const char *name,
			  http_handler_fn *again)
{
	struct waiting *w = mem_alloc(sizeof(*w));
	*w = (struct waiting){ .s = s, .x = x, .fn = again };
	cluster_ask_namespace(s->cluster, name, on_namespace, w);
}

static void give(struct http_exchange *x, int status, struct buf *body)
{
	const char *type = status == 200 ? "application/json" : "text/plain";
	struct http_answer answer = { .status = status, .type = type };
	bool big = http_exchange_incoming(x)->body_len > BIG_REVIEW; // it ends with this
	http_answer_take(x, &answer, body);
	if (big)
		mem_trim();
}

static void on_mutate(void *ctx, struct http_exchange *x)
{
	struct serve *s = ctx;
	const struct http_incoming *in = http_exchange_incoming(x);
	struct mutate_note note;
	AUTO_BUF struct buf to = BUF_INIT(ANSWER_MAX);
	int64_t begin = now_us();
	if (!is_json(http_head_field(&in->head, "content-type"))) {
		http_answer_text(x, 415, "Content-Type: application/json is wanted");
		return;
	}
	hold_log(s);
	struct verdict verdict;
	int status =
		mutate_judged(&s->settings, in->body, in->body_len, &to, &note, &verdict);
	if (status == MUTATE_ASK_NAMESPACE) {
		ask_namespace(s, x, note.namespace_, on_mutate);
		return;
	}
	metrics_review(&s->metrics, note.what, now_us() - begin);
	s->metrics.warnings += note.warnings;
	s->metrics.dry_runs += note.dry_run;
	log_review(&note, status);
	verdict_report(&verdict, note.namespace_, note.pod, "mutate", note.dry_run,
		       &s->metrics);
	verdict_release(&verdict);
	give(x, status, &to);
}

static void on_validate(void *ctx, struct http_exchange *x)
{
	struct serve *s = ctx;
	const struct http_incoming *in = http_exchange_incoming(x);
	struct validate_world world = { .now_ms = clock_wall_ms() };
	struct validate_note note;
	AUTO_BUF struct buf to = BUF_INIT(ANSWER_MAX);
	int64_t begin = now_us();
	if (!is_json(http_head_field(&in->head, "content-type"))) {
		http_answer_text(x, 415, "Content-Type: application/json is wanted");
		return;
	}
	hold_log(s);
	int status =
		validate_review(&s->settings, &world, in->body, in->body_len, &to, &note);
	if (status == VALIDATE_ASK_NAMESPACE) {
		ask_namespace(s, x, note.namespace_, on_validate);
		return;
	}
	metrics_review(&s->metrics, note.what, now_us() - begin);
	s->metrics.warnings += note.warnings;
	s->metrics.dry_runs += note.dry_run;
	const char *reason = note.verdict.message;
	log_at(reason ? LOG_WARN : LOG_DEBUG, note.what, LOG_STR("pod", note.pod),
	       LOG_STR("at", "validate"), LOG_STR("reason", reason ? reason : ""));
	verdict_report(&note.verdict, note.namespace_, note.pod, "validate", note.dry_run,
		       &s->metrics);
	verdict_release(&note.verdict);
	give(x, status, &to);
}

static void on_healthz(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	http_answer_text(x, 200, "ok");
}

static const char *not_ready(const struct serve *s)
{
	if (s->ending)
		return "ending";
	if (cluster_not_ready(s->cluster))
		return cluster_not_ready(s->cluster);
	if (s->tls && s->metrics.cert_not_after * 1000 < clock_wall_ms())
		return "the certificate has expired";
	return NULL;
}

static void on_readyz(void *ctx, struct http_exchange *x)
{
	const char *why = not_ready(ctx);
	http_answer_text(x, why ? 503 : 200, why ? why : "ok");
}

static void on_metrics(void *ctx, struct http_exchange *x)
{
	struct serve *s = ctx;
	AUTO_BUF struct buf to = BUF_INIT(METRICS_MAX);
	struct http_answer answer = { .status = 200,
				      .type = "text/plain; version=0.0.4" };
	metrics_ready(&s->metrics, !not_ready(s), !cluster_not_ready(s->cluster), &to);
	metrics_write(&s->metrics, http_server_stats(s->http), &to);
	cluster_metrics(s->cluster, &to);
	http_answer_take(x, &answer, &to);
}

static const struct http_route routes[] = {
	{ "POST", "/mutate", REVIEW_MAX, on_mutate },
	{ "POST", "/validate", REVIEW_MAX, on_validate },
	{ "GET", "/healthz", 0, on_healthz },
	{ "GET", "/readyz", 0, on_readyz },
	{ "GET", "/metrics", 0, on_metrics },
	{ .path = NULL },
};

// With metrics_listen set the reviews' port shows no metrics.
static const struct http_route routes_reviews[] = {
	{ "POST", "/mutate", REVIEW_MAX, on_mutate },
	{ "POST", "/validate", REVIEW_MAX, on_validate },
	{ "GET", "/healthz", 0, on_healthz },
	{ "GET", "/readyz", 0, on_readyz },
	{ .path = NULL },
};

static const struct http_route routes_metrics[] = {
	{ "GET", "/healthz", 0, on_healthz },
	{ "GET", "/readyz", 0, on_readyz },
	{ "GET", "/metrics", 0, on_metrics },
	{ .path = NULL },
};

// --- certificate

static bool use_certificate(void *ctx, struct bytes cert, struct bytes key, struct err *e)
{
	struct serve *s = ctx;
	AUTO_X509 struct x509 *leaf = NULL;
	struct tls_server_opts opts = { .cert_pem = cert, .key_pem = key };
	if (!x509_from_pem(cert, &leaf, e) ||
	    !(s->tls ? tls_server_reload(s->tls, &opts, e)
		     : tls_server_new(&opts, &s->tls, e)))
		return false;
	s->metrics.cert_not_after = leaf->not_after;
	return true;
}

static bool load_certificate(struct serve *s, const struct settings *c, struct err *e)
{
	AUTO_BUF struct buf cert = BUF_INIT(PEM_MAX);
	AUTO_BUF struct buf key = BUF_INIT(PEM_MAX);
	if (!file_read(c->cert_file, &cert, e) || !file_read(c->key_file, &key, e))
		return err_wrap(e, "certificate");
	return use_certificate(s, bytes_of(cert.data, cert.len),
			       bytes_of(key.data, key.len), e) ||
	       err_wrap(e, "certificate '%s'", c->cert_file);
}

static bool open_cluster(struct serve *s, struct err *e)
{
	struct cluster_opts o = { .loop = s->loop,
				  .settings = &s->settings,
				  .serve = use_certificate,
				  .ctx = s };
	if (!cluster_new(&o, &s->cluster, e))
		return false;
	s->settings.world = cluster_world(s->cluster);
	return true;
}

static void reloaded(struct serve *s, enum metrics_file file, bool ok, const char *what,
		     const struct err *e)
{
	if (ok) {
		s->metrics.reloads++;
		s->metrics.refused_files &= ~(unsigned)file;
		log_info("reloaded", LOG_STR("what", what));
	} else {
		s->metrics.failed_reloads++;
		s->metrics.refused_files |= file;
		log_fail(LOG_ERROR, e, "not reloaded; the old one stays",
			 LOG_STR("what", what));
	}
}

static void on_certificate(void *ctx, const char *path)
{
	struct err e = ERR_INIT;
	struct serve *s = ctx;
	reloaded(s, METRICS_CERTIFICATE, load_certificate(s, &s->settings, &e), path, &e);
}

static void on_config(void *ctx, const char *path);

static const char *watched(const struct settings *c, enum watched i)
{
	const char *const paths[WATCHED] = { c->policy_path, c->cert_file, c->key_file };
	return paths[i] ? paths[i] : "";
}

// Files that settings name are watched, and their certificate is served: all, or nothing
// changes.
static bool follow(struct serve *s, const struct settings *old, const struct settings *c,
		   struct err *e)
{
	struct loop_watch *fresh[WATCHED] = { NULL };
	bool ok = true, moved[WATCHED];
	for (enum watched i = 0; i < WATCHED; i++) {
		const char *path = watched(c, i);
		moved[i] = strcmp(path, watched(old, i)) != 0;
		ok = ok && (!moved[i] || !*path ||
			    loop_watch_add(s->loop, path,
					   i == POLICIES ? on_config : on_certificate, s,
					   &fresh[i], e));
	}
	if (ok && c->cert_file && (moved[CERT] || moved[KEY])) {
		ok = load_certificate(s, c, e);
		if (ok)
			s->metrics.refused_files = 0; // of files that count no more
	}
	for (enum watched i = 0; i < WATCHED; i++) {
		struct loop_watch *gone = fresh[i];
		if (ok && moved[i]) {
			gone = s->watches[i];
			s->watches[i] = fresh[i];
		}
		loop_watch_remove(gone);
	}
	return ok;
}

// TLS itself is on or off from the start.
static bool keeps_tls(const struct serve *s, const struct settings *c, struct err *e)
{
	return (s->begun.kube.self_signed == c->kube.self_signed &&
		!s->begun.cert_file == !c->cert_file) ||
	       err_set(e, ERR_CONFIG, 0,
		       "tls_cert_file and self_signed cannot be turned on or off without "
		       "a restart");
}

static void tell_fixed(const char *key)
{
	log_warn("a changed key counts after a restart only", LOG_STR("key", key));
}

static void tell_remark(void *ctx, const char *text)
{
	(void)ctx;
	log_warn("policies", LOG_STR("remark", text));
}

static void remark_stores(const struct settings *c)
{
	const char *name;
	json_t *body;
	json_object_foreach(c->stores, name, body)
	{
		const char *type = json_string_value(json_object_get(body, "type"));
		if (!store_type_known(type))
			log_warn("this version's agent has no stores of this type",
				 LOG_STR("store", name), LOG_STR("type", type));
	}
}

static void settings_taken(struct serve *s)
{
	remark_stores(&s->settings);
	s->metrics.policies = policies_count(s->settings.policies);
	policies_remarks(s->settings.policies, clock_wall_ms(), tell_remark, NULL);
	if (!s->settings.world.find)
		policies_remark_namespaces(s->settings.policies, tell_remark, NULL);
}

static void on_config(void *ctx, const char *path)
{
	struct serve *s = ctx;
	struct err e = ERR_INIT;
	struct settings fresh;
	AUTO_FREE char *what = mem_strdup(path); // it goes with its watch
	bool ok = settings_load(s->config, &fresh, &e);
	ok = ok && keeps_tls(s, &fresh, &e) && follow(s, &s->settings, &fresh, &e);
	if (ok)
		settings_fixed(&s->begun, &fresh, tell_fixed);
	reloaded(s, METRICS_CONFIG, ok, what, &e);
	if (ok) {
		struct settings old = s->settings;
		s->settings = fresh;
		s->settings.world = cluster_world(s->cluster);
		settings_replace(&s->settings, &old, clock_wall_ms());
		settings_taken(s);
	} else {
		settings_release(&fresh);
	}
}

// --- life

static void on_drained(void *ctx)
{
	struct serve *s = ctx;
	if (--s->open_servers == 0)
		loop_stop(s->loop);
}

static void on_end(void *ctx, int signo, pid_t sender)
{
	struct serve *s = ctx;
	struct http_drain drain = { .accept_ms = DRAIN_ACCEPT_MS,
				    .max_ms = DRAIN_MAX_MS,
				    .done = on_drained,
				    .ctx = s };
	(void)sender;
	if (s->ending)
		return;
	s->ending = true;
	log_info("asked to end", LOG_STR("signal", signo == SIGTERM ? "TERM" : "INT"));
	http_server_drain(s->http, &drain);
	if (s->http_metrics)
		http_server_drain(s->http_metrics, &drain);
}

static void note_broken(void *ctx, const char *what, const struct err *e)
{
	(void)ctx;
	log_fail(LOG_DEBUG, e, "connection broke", LOG_STR("at", what));
}

static bool is_loopback(const char *address)
{
	return str_starts(address, "127.") || str_starts(address, "localhost:") ||
	       str_starts(address, "[::1]:") || address[0] == '/' ||
	       str_starts(address, "unix:");
}

static bool open_reviews(struct serve *s, struct err *e)
{
	const struct settings *c = &s->settings;
	struct http_server_opts o = { .routes =
					      c->metrics_listen ? routes_reviews : routes,
				      .ctx = s,
				      .bodies_max = REVIEWS_MAX,
				      .note = note_broken };
	if (!c->cert_file && !c->kube.self_signed && !is_loopback(c->listen))
		return err_set(e, ERR_CONFIG, 0,
			       "tls_cert_file and tls_key_file are missing (or an empty "
			       "block self_signed); without them only a loopback address "
			       "may be listened at");
	if (!follow(s, &(struct settings){ .listen = NULL }, c, e) || !open_cluster(s, e))
		return false;
	if (!http_server_new(s->loop, &o, &s->http, e))
		return false;
	http_server_use_tls(s->http, s->tls);
	s->open_servers++;
	return http_server_listen(s->http, c->listen, NULL, e);
}

static bool open_metrics(struct serve *s, struct err *e)
{
	struct http_server_opts o = { .routes = routes_metrics,
				      .ctx = s,
				      .note = note_broken };
	if (!s->settings.metrics_listen)
		return true;
	if (!http_server_new(s->loop, &o, &s->http_metrics, e))
		return false;
	s->open_servers++;
	return http_server_listen(s->http_metrics, s->settings.metrics_listen, NULL, e);
}

static bool start(struct serve *s, struct err *e)
{
	signal(SIGPIPE, SIG_IGN);
	if (!settings_load(s->config, &s->settings, e))
		return false;
	s->begun = s->settings;
	json_incref(s->begun.document);
	if (!loop_new(&s->loop, e) || !loop_signal_add(s->loop, SIGTERM, on_end, s, e) ||
	    !loop_signal_add(s->loop, SIGINT, on_end, s, e) || !open_reviews(s, e) ||
	    !open_metrics(s, e) ||
	    !loop_watch_add(s->loop, s->config, on_config, s, &s->watch_config, e))
		return false;
	settings_taken(s);
	log_info("serving", LOG_STR("listen", s->settings.listen),
		 LOG_INT("port", http_server_port(s->http)),
		 LOG_STR("tls", s->tls ? "on" : "off"));
	mem_trim();
	return true;
}

bool serve_run(const char *config, struct err *e)
{
	struct serve s = { .config = config };
	bool ok = start(&s, e) && loop_run(s.loop, e);
	loop_watch_remove(s.watch_config);
	for (enum watched i = 0; i < WATCHED; i++)
		loop_watch_remove(s.watches[i]);
	metrics_release(&s.metrics);
	cluster_free(s.cluster);
	http_server_free(s.http_metrics);
	http_server_free(s.http);
	tls_server_free(s.tls);
	loop_free(s.loop);
	json_decref(s.begun.document);
	settings_release(&s.settings);
	log_release();
	return ok;
}
