// SPDX-License-Identifier: Apache-2.0
// The proxy: one struct a request under way, kept leases with their renewals.
#include "agent/proxy.h"

#include <string.h>

#include "agent/agent_int.h"
#include "agent/audit.h"
#include "agent/lease.h"
#include "agent/metrics.h"
#include "agent/proxy_cache.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "stores/vault_url.h"

enum { PATH_SHOWN = 200 };

struct proxy {
	struct loop *loop;
	struct source *source;
	const struct conf *conf;
	const struct conf_store *store;
	struct http_client *http;
	struct vault_addr addr;
	enum proxy_token use;
	bool keeps;
	struct proxy_cache cache;
	struct proxied *first;
};

// A request that is with the store.
struct proxied {
	struct proxied *next, **prev;
	struct proxy *proxy;
	struct proxy_request request;
	struct http_exchange *x;
	struct http_call *call;
	struct proxied *waiting; // the same was asked meanwhile
	bool follows;            // it stands in another's list
};

void proxy_answer_error(struct http_exchange *x, int status, const char *text)
{
	AUTO_JSON json_t *doc = json_object();
	json_t *list = json_array();
	struct buf body = BUF_INIT(4096);
	json_array_append_new(list, json_string(text));
	json_object_set_new(doc, "errors", list);
	if (!json_write(doc, &body, NULL))
		buf_puts(&body, "{}");
	buf_putc(&body, '\n');
	http_answer_take(
		x, &(struct http_answer){ .status = status, .type = "application/json" },
		&body);
}

// --- the answer

// Old servers take a token in the path, also behind a namespace: it is not shown, nor what
// may hide one.
static int shown_length(const char *path)
{
	static const char tokens[] = "/auth/token/";
	const char *at = strstr(path, tokens), *coded = strchr(path, '%');
	const char *end = at ? strchr(at + strlen(tokens), '/') : NULL;
	if (coded && (!end || coded < end))
		end = coded;
	return end && end - path < PATH_SHOWN ? (int)(end - path) : PATH_SHOWN;
}

static void note(const struct proxied *q, int status, const char *cache)
{
	const char *asked = q->request.path;
	AUTO_FREE char *path = mem_printf("%.*s", shown_length(asked), asked);
	audit(AUDIT_PROXY, LOG_STR("store", q->proxy->store->name),
	      LOG_STR("method", q->request.method), LOG_STR("path", path),
	      LOG_INT("status", status), LOG_STR("cache", cache));
}

static void answer_kept(struct http_exchange *x, const struct proxy_kept *k)
{
	char age[24];
	int n = snprintf(age, sizeof(age), "%lld",
			 (long long)((clock_mono_ms() - k->got_ms) / 1000));
	const struct http_field fields[] = { { str_of("X-Cache"), str_of("HIT") },
					     { str_of("Age"), { age, (size_t)n } } };
	agent_metrics_count(COUNT_PROXY_HITS);
	http_answer(x, &(struct http_answer){ .status = 200,
					      .type = k->type,
					      .fields = fields,
					      .n_fields = ARRAY_LEN(fields),
					      .body = k->body.data,
					      .len = k->body.len });
}

static void answer(const struct proxied *q, const struct http_response *r, bool miss)
{
	AUTO_BUF struct buf hidden = BUF_INIT(HTTP_BODY_MAX);
	const struct secret *token =
		q->request.own_token ? source_token(q->proxy->source) : NULL;
	const struct buf *body =
		proxy_hide_token(token, r->body, &hidden) ? &hidden : r->body;
	if (proxy_shows_token(token, body)) { // encoded, in a namespace, wrapped
		proxy_answer_error(q->x, 502, "the answer shows the agent's own token");
		return;
	}
	static const char *const names[] = { "Cache-Control",    "Retry-After",
					     "Location",         "Warning",
					     "X-Vault-Hostname", "X-Vault-Index",
					     "Content-Encoding" };
	struct http_field fields[ARRAY_LEN(names) + 1];
	size_t n = 0;
	if (miss)
		fields[n++] = (struct http_field){ str_of("X-Cache"), str_of("MISS") };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = http_response_header(r, names[i]);
		if (value)
			fields[n++] =
				(struct http_field){ str_of(names[i]), str_of(value) };
	}
	http_answer(q->x, &(struct http_answer){ .status = r->status,
						 .type = r->content_type,
						 .fields = fields,
						 .n_fields = n,
						 .body = body->data,
						 .len = body->len });
}

// --- kept leases

static void plan(struct proxy *p, struct proxy_kept *k);

static void on_renewed(void *ctx, const struct http_response *r, const struct err *e)
{
	struct proxy_kept *k = ctx;
	struct proxy *p = k->owner;
	AUTO_JSON json_t *doc = NULL;
	int64_t seconds = 0;
	k->call = NULL;
	if (r && r->status == 200 &&
	    json_parse(buf_str(r->body), r->body->len, HTTP_BODY_MAX, JSON_PLAIN, &doc,
		       NULL))
		seconds = json_integer_value(json_object_get(doc, "lease_duration"));
	if (seconds > 0 && seconds <= INT32_MAX) {
		k->lease_ms = seconds * 1000;
		k->until_ms = clock_mono_ms() + k->lease_ms;
		plan(p, k);
		return;
	}
	(void)e; // the next request of a client fetches a new one
	proxy_cache_drop(&p->cache, k);
}

static void renew(struct proxy *p, struct proxy_kept *k)
{
	const struct secret *token = source_token(p->source);
	AUTO_JSON json_t *doc = json_object();
	AUTO_BUF struct buf body = BUF_INIT(8192);
	AUTO_FREE char *url = mem_printf("%s/v1/sys/leases/renew", p->addr.base);
	const struct http_header headers[] = {
		{ "X-Vault-Request", "true" },
		{ "Content-Type", "application/json" },
		{ "X-Vault-Token", token ? secret_bytes(token) : "" },
		{ "X-Vault-Namespace", p->store->namespace_ },
	};
	json_object_set_new(doc, "lease_id", json_string(k->lease_id));
	json_object_set_new(doc, "increment", json_integer(k->granted_ms / 1000));
	bool ok = token && json_write(doc, &body, NULL);
	const struct http_request req = { .method = "PUT",
					  .url = url,
					  .unix_socket = p->addr.unix_socket,
					  .headers = headers,
					  .n_headers = p->store->namespace_ ? 4 : 3,
					  .body = body.data,
					  .body_len = body.len };
	k->owner = p;
	if (!ok || !http_send(p->http, &req, on_renewed, k, &k->call, NULL))
		proxy_cache_drop(&p->cache, k);
}

static void on_due(void *ctx, struct loop_timer *t)
{
	struct proxy_kept *k = CONTAINER_OF(t, struct proxy_kept, timer);
	struct proxy *p = ctx;
	if (k->renewable && k->until_ms > clock_mono_ms())
		renew(p, k);
	else
		proxy_cache_drop(&p->cache, k);
}

static void plan(struct proxy *p, struct proxy_kept *k)
{
	const struct lease_terms t = { .lease_ms = k->lease_ms,
				       .granted_ms = k->granted_ms,
				       .renewable = k->renewable };
	int64_t delay = 0;
	if (lease_plan(&t, &k->seed, &delay) == LEASE_FETCH)
		k->renewable = false; // it goes then, and the next client gets a new one
	loop_timer_in(p->loop, &k->timer, delay, on_due, p);
}

// --- requests under way

static void forget(struct proxied *q)
{
	if (!q->follows) {
		*q->prev = q->next;
		if (q->next)
			q->next->prev = q->prev;
	}
	proxy_request_release(&q->request);
	mem_free(q);
}

static void start(struct proxied *q);

// Those that asked the same meanwhile: the kept answer, or a request of their own.
static void serve_followers(struct proxied *first, const struct proxy_kept *k)
{
	while (first) {
		struct proxied *q = first;
		first = q->waiting;
		q->waiting = NULL;
		if (k) {
			note(q, 200, "hit");
			answer_kept(q->x, k);
			forget(q);
		} else {
			start(q);
		}
	}
}

static void on_done(void *ctx, const struct http_response *r, const struct err *e)
{
	struct proxied *q = ctx;
	struct proxy *p = q->proxy;
	struct proxied *followers = TAKE(q->waiting);
	struct proxy_kept *k = NULL;
	if (e) {
		agent_metrics_count(COUNT_PROXY_ERRORS);
		audit_error(AUDIT_PROXY, e, LOG_STR("store", p->store->name));
		proxy_answer_error(q->x, 502, e->text);
	} else {
		const struct http_incoming *in = http_exchange_incoming(q->x);
		agent_metrics_count(COUNT_PROXY_MISSES);
		if (p->keeps && r->status == 200 && q->request.own_token)
			k = proxy_cache_put(&p->cache, &q->request, r->content_type,
					    r->body);
		if (k)
			plan(p, k);
		if (r->status / 100 == 2)
			proxy_cache_after(&p->cache, q->request.path,
					  (struct str){ in->body, in->body_len });
		note(q, r->status, p->keeps ? "miss" : "off");
		answer(q, r, p->keeps);
	}
	forget(q);
	serve_followers(followers, k);
}

static void on_gone(void *ctx)
{
	struct proxied *q = ctx;
	bool may_lease = q->request.own_token && q->proxy->keeps;
	if (q->follows || q->waiting || may_lease)
		return; // it is answered in its turn; a credential may be on its way
	http_cancel(q->call);
	http_answer_text(q->x, 502, "");
	forget(q);
}

static void start(struct proxied *q)
{
	struct proxy *p = q->proxy;
	const struct http_incoming *in = http_exchange_incoming(q->x);
	struct err e = ERR_INIT;
	const struct http_request req = { .method = q->request.method,
					  .url = q->request.url,
					  .unix_socket = p->addr.unix_socket,
					  .headers = q->request.headers,
					  .n_headers = q->request.n_headers,
					  .body = in->body_len ? in->body : NULL,
					  .body_len = in->body_len,
					  .timeout_ms = PROXY_TIMEOUT_MS };
	q->follows = false;
	q->next = p->first;
	q->prev = &p->first;
	if (q->next)
		q->next->prev = &q->next;
	p->first = q;
	if (!http_send(p->http, &req, on_done, q, &q->call, &e)) {
		proxy_answer_error(q->x, 400, e.text);
		forget(q);
		return;
	}
	http_exchange_on_gone(q->x, on_gone, q);
}

// Whether the same is under way and may bring a lease: then one answer is enough.
static bool join(struct proxied *q)
{
	for (struct proxied *o = q->proxy->first; o; o = o->next)
		if (memcmp(o->request.key, q->request.key, PROXY_KEY_LEN) == 0) {
			q->follows = true;
			q->waiting = o->waiting;
			o->waiting = q;
			return true;
		}
	return false;
}

void proxy_serve(struct proxy *p, struct http_exchange *x)
{
	const struct proxy_rule rule = { .use = p->use,
					 .token = source_token(p->source),
					 .base = p->addr.base,
					 .namespace_ = p->store->namespace_ };
	struct err e = ERR_INIT;
	if (!proxy_request_allowed(p->conf, p->store, http_exchange_incoming(x), &e)) {
		agent_metrics_count(COUNT_PROXY_ERRORS);
		audit_error(AUDIT_PROXY, &e, LOG_STR("store", p->store->name));
		proxy_answer_error(x, 403, e.text);
		return;
	}
	struct proxied *q = mem_alloc(sizeof(*q));
	q->proxy = p;
	q->x = x;
	q->follows = true; // in no list yet
	if (!proxy_request_make(http_exchange_incoming(x), &rule, &q->request, &e)) {
		proxy_answer_error(x, 400, e.text);
		forget(q);
		return;
	}
	const struct proxy_kept *k = q->request.own_token && p->keeps
					     ? proxy_cache_get(&p->cache, q->request.key)
					     : NULL;
	if (k) {
		note(q, 200, "hit");
		answer_kept(x, k);
		forget(q);
	} else if (!q->request.own_token || !p->keeps || !join(q)) {
		start(q);
	}
}

void proxy_clear(struct proxy *p, struct http_exchange *x)
{
	const struct http_incoming *in = http_exchange_incoming(x);
	struct err e = ERR_INIT;
	if (!p || !p->keeps)
		proxy_answer_error(x, 404, "there is no cache stanza");
	else if (!proxy_cache_order(&p->cache, (struct str){ in->body, in->body_len },
				    source_token(p->source), &e))
		proxy_answer_error(x, 400, e.text);
	else
		http_answer(x, &(struct http_answer){ .status = 200 });
}

// --- making and freeing

static bool read_use(const json_t *stanza, enum proxy_token *ret, struct err *e)
{
	const json_t *v = json_object_get(stanza, "use_auto_auth_token");
	const char *s = json_string_value(v);
	bool on = json_is_true(v);
	if (!v)
		return true;
	if (s && strcmp(s, "force") == 0) {
		*ret = PROXY_TOKEN_FORCE;
		return true;
	}
	if ((s && !str_bool(s, &on, NULL)) || (!s && !json_is_boolean(v)))
		return err_set(e, ERR_CONFIG, 0,
			       "use_auto_auth_token must be true, false or \"force\"");
	*ret = on ? PROXY_TOKEN_AUTO : PROXY_TOKEN_CLIENT;
	return true;
}

static const json_t *stanza_of(const struct conf *conf, const char *name)
{
	return json_array_get(json_object_get(conf->other, name), 0);
}

static bool open_proxy(struct proxy *p, const struct conf *conf, struct agent *a,
		       struct err *e)
{
	for (size_t i = 0; i < conf->n_stores; i++)
		if (conf->stores[i].is_default) {
			p->store = &conf->stores[i];
			p->source = a->sources[i];
		}
	if (!p->store || strcmp(p->store->type, "vault") != 0)
		return err_set(e, ERR_CONFIG, 0,
			       "the proxy needs a default store of type vault");
	const struct conf_tls *tls = &p->store->tls;
	const struct http_client_opts o = { .ca_file = tls->ca_file,
					    .ca_dir = tls->ca_dir,
					    .client_cert = tls->client_cert,
					    .client_key = tls->client_key,
					    .server_name = tls->server_name,
					    .skip_verify = tls->skip_verify,
					    .tls12_max = tls->tls12_max,
					    .proxy = p->store->proxy,
					    .redirect_to = p->store->redirect_to,
					    .max_connections =
						    p->store->max_connections };
	return vault_addr_parse(p->store->address, &p->addr, e) &&
	       http_client_new(p->loop, &o, &p->http, e);
}

bool proxy_new(struct loop *l, const struct conf *conf, struct agent *a,
	       struct proxy **ret, struct err *e)
{
	const json_t *cache = stanza_of(conf, "cache");
	const json_t *api = stanza_of(conf, "api_proxy");
	if (!cache && !api)
		return true;
	struct proxy *p = mem_alloc(sizeof(*p));
	*ret = p;
	p->loop = l;
	p->conf = conf;
	p->keeps = cache != NULL;
	if (json_object_get(cache, "use_auto_auth_token") &&
	    json_object_get(api, "use_auto_auth_token"))
		return err_set(e, ERR_CONFIG, 0,
			       "use_auto_auth_token stands in both cache and api_proxy: "
			       "keep the one in api_proxy");
	return read_use(cache, &p->use, e) && read_use(api, &p->use, e) &&
	       open_proxy(p, conf, a, e);
}

void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	proxy_cache_drop_all(&p->cache);
	while (p->first) {
		struct proxied *q = p->first;
		http_cancel(q->call);
		for (struct proxied *f = q->waiting, *next; f; f = next) {
			next = f->waiting;
			http_answer_text(f->x, 503, "the agent ends");
			forget(f);
		}
		http_answer_text(q->x, 503, "the agent ends");
		forget(q);
	}
	http_client_free(p->http);
	vault_addr_release(&p->addr);
	mem_free(p);
}
