// SPDX-License-Identifier: Apache-2.0
// Requests to the API server.
#include "lib/kube/kube.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/http/date.h"
#include "lib/kube/kube_int.h"

static const struct {
	const char *method, *type;
} verbs[] = {
	[KUBE_GET] = { "GET", NULL },
	[KUBE_LIST] = { "GET", NULL },
	[KUBE_WATCH] = { "GET", NULL },
	[KUBE_CREATE] = { "POST", "application/json" },
	[KUBE_UPDATE] = { "PUT", "application/json" },
	[KUBE_MERGE] = { "PATCH", "application/merge-patch+json" },
	[KUBE_STRATEGIC] = { "PATCH", "application/strategic-merge-patch+json" },
	[KUBE_JSON] = { "PATCH", "application/json-patch+json" },
	[KUBE_APPLY] = { "PATCH", "application/apply-patch+yaml" }, // JSON is YAML
};

// --- who is asked, and by whom

static char *in_cluster(void)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"),
		   *port = getenv("KUBERNETES_SERVICE_PORT");
	if (!host || !*host || !port || !*port)
		return NULL;
	return strchr(host, ':') ? mem_printf("https://[%s]:%s", host, port)
				 : mem_printf("https://%s:%s", host, port);
}

static bool server_ok(const char *server, struct err *e)
{
	if (!server)
		return err_set(
			e, ERR_CONFIG, 0,
			"there is no Kubernetes here: KUBERNETES_SERVICE_HOST and "
			"KUBERNETES_SERVICE_PORT are not set; name the API server");
	if (str_starts(server, "https://") || str_starts(server, "http://127.0.0.1:") ||
	    str_starts(server, "http://[::1]:"))
		return true;
	return err_set(e, ERR_CONFIG, 0,
		       "the API server's address '%s' must begin with https://", server);
}

bool kube_new(struct loop *l, const struct kube_opts *o, struct kube **ret, struct err *e)
{
	AUTO_FREE char *server = o->server ? mem_strdup(o->server) : in_cluster();
	const char *ca = o->ca_file ? o->ca_file : KUBE_ACCOUNT "ca.crt";
	struct http_client *http;
	if (!server_ok(server, e))
		return false;
	struct http_client_opts opts = {
		.ca_file = str_starts(server, "https:") ? ca : NULL,
		.user_agent = o->user_agent,
		.proxy = "", // the API server is a neighbour
	};
	if (!http_client_new(l, &opts, &http, e))
		return err_wrap(e, "API server");
	struct kube *k = *ret = mem_alloc(sizeof(*k));
	size_t len = strlen(server);
	while (len > 0 && server[len - 1] == '/')
		server[--len] = '\0';
	*k = (struct kube){ .loop = l, .http = http, .server = TAKE(server) };
	k->token_file = mem_strdup(o->token_file ? o->token_file : KUBE_ACCOUNT "token");
	return true;
}

static void unlink_call(struct kube_call *c)
{
	if (c->next)
		c->next->prev = c->prev;
	*(c->prev ? &c->prev->next : &c->kube->calls) = c->next;
}

static void free_call(struct kube_call *c)
{
	unlink_call(c);
	mem_free(c->path);
	mem_free(c);
}

void kube_free(struct kube *k)
{
	if (!k)
		return;
	http_client_free(k->http);
	while (k->calls)
		free_call(k->calls);
	mem_free(k->server);
	mem_free(k->token_file);
	mem_free(k);
}

// --- one request

static bool read_answer(struct kube_call *c, const struct http_response *r, json_t **ret,
			struct err *e)
{
	const char *date = http_response_header(r, "Date");
	int64_t their_ms;
	if (date && http_date_read(date, &their_ms))
		c->kube->ahead_ms = clock_wall_ms() - their_ms;
	if (r->status < 200 || r->status > 299) {
		kube_explain(c->verb, c->path, r->status, e);
		if (e)
			e->retry_ms = r->retry_after_ms;
		return false;
	}
	if (c->verb == KUBE_WATCH)
		return (*ret = json_object());
	if (!json_parse(buf_str(r->body), r->body->len, KUBE_ANSWER_MAX, JSON_PLAIN, ret,
			e))
		return err_wrap(e, "the API server's answer");
	return json_is_object(*ret) ||
	       err_set(e, ERR_RETRY, 0, "the API server's answer is no object");
}

static void on_done(void *ctx, const struct http_response *r, const struct err *why)
{
	struct kube_call *c = ctx;
	kube_done_fn *done = c->done;
	void *their = c->ctx;
	struct err e = ERR_INIT;
	AUTO_JSON json_t *object = NULL;
	bool ok = r && read_answer(c, r, &object, &e);
	if (!r) {
		e = *why;
		err_wrap(&e, "API server");
	}
	c->kube->stats.failures += !ok;
	free_call(c);
	done(their, ok ? object : NULL, ok ? NULL : &e);
}

// "Bearer …"; the caller wipes it.
static bool authorization(const struct kube *k, char **ret, struct err *e)
{
	AUTO_FREE char *token = NULL;
	if (!file_read_token(k->token_file, &token, e))
		return err_wrap(e, "the service account's token");
	*ret = mem_printf("Bearer %s", token);
	return true;
}

bool kube_send_streaming(struct kube *k, const struct kube_request *req,
			 const struct kube_streaming *s, kube_done_fn *done, void *ctx,
			 struct kube_call **ret, struct err *e)
{
	AUTO_FREE char *url =
		mem_printf("%s%s%s%s", k->server, req->path, req->query ? "?" : "",
			   req->query ? req->query : "");
	AUTO_WIPE char *bearer = NULL;
	AUTO_FREE char *body = req->body ? json_text(req->body) : NULL;
	if (!authorization(k, &bearer, e))
		return false;
	struct http_header headers[] = {
		{ "Authorization", bearer },
		{ "Accept", req->accept ? req->accept : "application/json" },
		{ "Content-Type", verbs[req->verb].type },
	};
	struct kube_call *c = mem_alloc(sizeof(*c));
	*c = (struct kube_call){ .kube = k, .verb = req->verb, .done = done, .ctx = ctx };
	struct http_request http = {
		.method = verbs[req->verb].method,
		.url = url,
		.headers = headers,
		.n_headers = verbs[req->verb].type ? 3 : 2,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.timeout_ms = s ? s->timeout_ms : KUBE_TIMEOUT_MS,
		.max_body = KUBE_ANSWER_MAX,
		.no_redirect = true,
		.chunk = s ? s->chunk : NULL,
	};
	c->path = mem_strdup(req->about ? req->about : req->path);
	c->next = k->calls;
	if (c->next)
		c->next->prev = c;
	k->calls = c;
	k->stats.requests++;
	// A chunk is given to the call's owner, through the call.
	if (!http_send(k->http, &http, on_done, c, &c->http, e)) {
		free_call(c);
		return err_wrap(e, "API server");
	}
	if (ret)
		*ret = c;
	return true;
}

bool kube_send(struct kube *k, const struct kube_request *req, kube_done_fn *done,
	       void *ctx, struct kube_call **ret, struct err *e)
{
	return kube_send_streaming(k, req, NULL, done, ctx, ret, e);
}

void kube_cancel(struct kube_call *call)
{
	if (!call)
		return;
	http_cancel(call->http);
	free_call(call);
}

int64_t kube_clock_ahead_ms(const struct kube *k)
{
	return k->ahead_ms;
}

struct kube_stats kube_stats(const struct kube *k)
{
	return k->stats;
}

// --- objects

const json_t *kube_metadata(const json_t *object, const char *key)
{
	return json_object_get(json_object_get(object, "metadata"), key);
}

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(kube_metadata(object, key));
	return s ? s : "";
}

const char *kube_name(const json_t *object)
{
	return text(object, "name");
}

const char *kube_version(const json_t *object)
{
	return text(object, "resourceVersion");
}
