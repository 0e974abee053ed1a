// SPDX-License-Identifier: Apache-2.0
// Clients: settings, the queue for connections, and when idle connections go.
#include "lib/http/client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/http/client_int.h"

static void *curl_realloc(void *p, size_t n)
{
	return mem_realloc(p, n);
}

static bool init_curl(struct err *e)
{
	static bool done;
	if (done)
		return true;
	if (!crypto_init(e))
		return false;
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, mem_free, curl_realloc,
				 mem_strdup, mem_calloc) != CURLE_OK)
		return err_set(e, ERR_BUG, 0, "libcurl cannot be initialised");
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	if (!(v->features & CURL_VERSION_SSL) ||
	    !(v->features & CURL_VERSION_ASYNCHDNS) ||
	    !(v->features & CURL_VERSION_UNIX_SOCKETS))
		return err_set(
			e, ERR_CONFIG, 0,
			"libcurl %s lacks TLS, unix sockets or the threaded resolver",
			v->version);
	done = true;
	return true;
}

static const char *copy(const char *s)
{
	return s && *s ? mem_strdup(s) : NULL;
}

static void opts_release(struct http_client_opts *o)
{
	const char *strings[] = { o->ca_file,    o->ca_dir,      o->client_cert,
				  o->client_key, o->server_name, o->proxy,
				  o->user_agent };
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		mem_free((void *)(uintptr_t)strings[i]);
}

bool http_client_new(struct loop *l, const struct http_client_opts *opts,
		     struct http_client **ret, struct err *e)
{
	if (!init_curl(e))
		return false;
	struct http_client *c = mem_alloc(sizeof(*c));
	struct http_client_opts *o = &c->opts;
	c->loop = l;
	c->queue_end = &c->queue;
	*o = *opts;
	o->ca_file = copy(opts->ca_file);
	o->ca_dir = copy(opts->ca_dir);
	o->client_cert = copy(opts->client_cert);
	o->client_key = copy(opts->client_key);
	o->server_name = copy(opts->server_name);
	o->proxy = mem_strdup(opts->proxy);
	o->user_agent = mem_strdup(opts->user_agent && *opts->user_agent
					   ? opts->user_agent
					   : "ampoule-agent/" AMPOULE_VERSION);
	if (o->max_connections == 0)
		o->max_connections = HTTP_CONNECTIONS;
	c->spare = mem_calloc(o->max_connections, sizeof(CURL *));
	*ret = c;
	return true;
}

void http_client_drop_idle(struct http_client *c)
{
	loop_timer_cancel(&c->idle);
	while (c->n_spare > 0)
		curl_easy_cleanup(c->spare[--c->n_spare]);
	http_multi_unref(TAKE(c->multi));
	c->n_open = 0;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->calls)
		http_call_free(c->calls);
	loop_later_cancel(c->loop, c);
	loop_timer_cancel(&c->ramp);
	http_client_drop_idle(c);
	http_tls_unref(c->tls);
	opts_release(&c->opts);
	mem_free(c->spare);
	mem_free(c);
}

bool http_client_easy(struct http_client *c, CURL **ret, struct err *e)
{
	CURL *easy = c->n_spare > 0 ? c->spare[--c->n_spare] : curl_easy_init();
	if (!easy)
		return err_set(e, ERR_LIMIT, 0, "libcurl: no request can be made");
	*ret = easy;
	return true;
}

// Kept for the next request; its strings, header lists and buffers' content go now.
void http_client_spare(struct http_client *c, CURL *take_easy)
{
	curl_easy_reset(take_easy);
	if (c->n_spare < c->opts.max_connections)
		c->spare[c->n_spare++] = take_easy;
	else
		curl_easy_cleanup(take_easy);
}

static void queue_add(struct http_client *c, struct http_call *call)
{
	*c->queue_end = call;
	c->queue_end = &call->queued;
	c->n_queued++;
}

static struct http_call *queue_take(struct http_client *c)
{
	struct http_call *call = c->queue;
	c->queue = call->queued;
	c->n_queued--;
	if (!c->queue)
		c->queue_end = &c->queue;
	call->queued = NULL;
	return call;
}

static void queue_remove(struct http_client *c, struct http_call *call)
{
	struct http_call **at = &c->queue;
	while (*at && *at != call)
		at = &(*at)->queued;
	if (!*at)
		return;
	*at = call->queued;
	c->n_queued--;
	if (c->queue_end == &call->queued)
		c->queue_end = at;
}

// How many calls may be under way now: see "Connections" in client.h.
static unsigned allowed(const struct http_client *c)
{
	unsigned max = c->opts.max_connections;
	unsigned n = 1 + c->n_extra + (c->n_queued - 1) / HTTP_RAMP_QUEUE;
	if (!c->queue->url.https || n > max)
		return max;
	return n > c->n_open ? n : c->n_open;
}

static int64_t ramp_ms(const struct http_client *c)
{
	unsigned n = c->n_extra < HTTP_RAMP_DOUBLINGS ? c->n_extra : HTTP_RAMP_DOUBLINGS;
	return (int64_t)HTTP_RAMP_MS << n;
}

static void on_ramp(void *ctx, struct loop_timer *t)
{
	(void)t;
	struct http_client *c = ctx;
	c->n_extra++;
	http_client_next(c);
}

void http_client_next(struct http_client *c)
{
	if (c->starting) // a call that could not be started has come back to us
		return;
	c->starting = true;
	while (c->queue && c->n_active < allowed(c)) {
		http_call_start(queue_take(c));
		if (c->n_active > c->n_open)
			c->n_open = c->n_active;
	}
	c->starting = false;
	if (!c->queue) {
		loop_timer_cancel(&c->ramp);
		c->n_extra = 0;
	} else if (!loop_timer_armed(&c->ramp) && c->n_active < c->opts.max_connections) {
		loop_timer_in(c->loop, &c->ramp, ramp_ms(c), on_ramp, c);
	}
}

static void on_idle(void *ctx, struct loop_timer *t)
{
	(void)t;
	http_client_drop_idle(ctx);
}

// After the callback of the last call, which perhaps had the next request to send.
static void settle(void *ctx)
{
	struct http_client *c = ctx;
	if (c->calls || !c->multi)
		return;
	if (c->opts.close_idle)
		http_client_drop_idle(c);
	else
		loop_timer_in(c->loop, &c->idle, HTTP_IDLE_MS, on_idle, c);
}

void http_client_settle(struct http_client *c)
{
	loop_later(c->loop, settle, c);
}

static char *copy_bytes(const void *bytes, size_t len)
{
	return bytes ? mem_dup(bytes, len) : NULL;
}

static void add_headers(struct http_call *call, const struct http_request *req)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		const struct http_header *h = &req->headers[i];
		// libcurl's way to send a header without a value.
		AUTO_WIPE char *line = *h->value ? mem_printf("%s: %s", h->name, h->value)
						 : mem_printf("%s;", h->name);
		call->headers = curl_slist_append(call->headers, line);
	}
}

static void on_deadline(void *ctx, struct loop_timer *t)
{
	(void)t;
	struct http_call *call = ctx;
	http_explain_deadline(call);
	queue_remove(call->client, call);
	http_call_end(call);
}

bool http_send(struct http_client *c, const struct http_request *req, http_done_fn *done,
	       void *ctx, struct http_call **ret_call, struct err *e)
{
	struct http_url url;
	if (!http_request_check(req, e) || !http_url_parse(req->url, &url, e))
		return false;
	struct http_call *call = mem_alloc(sizeof(*call));
	size_t max_body = req->max_body ? req->max_body : HTTP_BODY_MAX;
	*call = (struct http_call){
		.client = c,
		.url = url,
		.no_redirect = req->no_redirect,
		.timeout_ms = req->timeout_ms > 0 ? req->timeout_ms : HTTP_TIMEOUT_MS,
		.sent_ms = clock_mono_ms(),
		.body_len = req->body_len,
		.got = HTTP_HEADERS_INIT,
		.got_body = BUF_INIT(max_body),
		.chunk = req->chunk,
		.done = done,
		.ctx = ctx,
	};
	call->method = mem_strdup(req->method);
	call->unix_socket = mem_strdup(req->unix_socket);
	call->aws_sigv4 = mem_strdup(req->aws_sigv4);
	call->user = mem_strdup(req->user);
	call->password = mem_strdup(req->password);
	call->body = copy_bytes(req->body, req->body_len);
	add_headers(call, req);

	call->next = c->calls;
	call->at = &c->calls;
	if (call->next)
		call->next->at = &call->next;
	c->calls = call;
	loop_timer_cancel(&c->idle);
	if (call->timeout_ms != INT64_MAX)
		loop_timer_in(c->loop, &call->deadline, call->timeout_ms, on_deadline,
			      call);
	queue_add(c, call);
	http_client_next(c);
	if (ret_call)
		*ret_call = call;
	return true;
}

void http_cancel(struct http_call *call)
{
	if (!call)
		return;
	struct http_client *c = call->client;
	http_call_free(call);
	http_client_next(c);
	http_client_settle(c);
}

void http_client_forget(struct http_client *c, struct http_call *call)
{
	queue_remove(c, call);
	if (call->next)
		call->next->at = call->at;
	*call->at = call->next;
}

const char *http_version(void)
{
	static char text[96];
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	snprintf(text, sizeof(text), "libcurl/%s %s", v->version,
		 v->ssl_version ? v->ssl_version : "without TLS");
	return text;
}
