// SPDX-License-Identifier: Apache-2.0
// One call: started on a connection, over redirects to its end, and told to its owner.
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/http/client_int.h"
#include "lib/http/date.h"

// Leaves libcurl; the easy handle is ready for the next call.
static void detach(struct http_call *call)
{
	if (call->state != HTTP_ACTIVE)
		return;
	http_multi_remove(call);
	if (call->easy)
		http_client_spare(call->client, TAKE(call->easy));
	curl_slist_free_all(TAKE(call->own_headers));
	curl_slist_free_all(TAKE(call->connect_to));
	http_tls_unref(TAKE(call->tls));
	loop_timer_cancel(&call->slow);
	call->client->n_active--;
	call->state = HTTP_WAITING;
}

static void release(struct http_call *call)
{
	http_url_release(&call->url);
	curl_slist_free_all(call->headers);
	http_headers_release(&call->got);
	buf_release(&call->got_body);
	mem_free(call->method);
	mem_free(call->unix_socket);
	mem_free(call->aws_sigv4);
	mem_free(call->user);
	mem_free(call->password);
	mem_free(call->body);
	mem_free(call);
}

void http_call_free(struct http_call *call)
{
	struct http_client *c = call->client;
	detach(call);
	loop_timer_cancel(&call->deadline);
	loop_later_cancel(c->loop, call);
	http_client_forget(c, call);
	release(call);
}

static bool prepare(struct http_call *call)
{
	struct http_client *c = call->client;
	struct err *e = &call->error;
	if (call->url.https) {
		bool changed = false;
		if (!http_tls_refresh(&c->opts, &c->tls, &changed, e))
			return err_wrap(e, "%s", call->url.origin);
		if (changed)
			http_client_drop_idle(c);
		call->tls = http_tls_ref(c->tls);
	}
	return (c->multi ||
		http_multi_new(c->loop, c->opts.max_connections, &c->multi, e)) &&
	       http_client_easy(c, &call->easy, e) && http_request_setup(call, e) &&
	       http_multi_add(c->multi, call, e);
}

void http_call_start(struct http_call *call)
{
	call->state = HTTP_ACTIVE;
	call->client->n_active++;
	if (call->redirects == 0)
		call->started_ms = clock_mono_ms();
	if (!prepare(call))
		http_call_end(call);
}

// The one place where an owner's `done` runs.
static void deliver(void *ctx)
{
	struct http_call *call = ctx;
	http_client_forget(call->client, call);
	http_client_settle(call->client);
	struct http_response r = { .status = call->status,
				   .body = &call->got_body,
				   .headers = &call->got,
				   .reused = call->reused };
	const char *type = http_headers_get(&call->got, "Content-Type");
	r.content_type = type ? type : "";
	r.retry_after_ms = http_retry_after_ms(
		http_headers_get(&call->got, "Retry-After"),
		http_headers_get(&call->got, "Date"), clock_wall_ms());
	bool failed = call->error.kind != ERR_NONE;
	call->done(call->ctx, failed ? NULL : &r, failed ? &call->error : NULL);
	release(call); // the client may be gone
}

void http_call_end(struct http_call *call)
{
	if (call->state == HTTP_DONE)
		return;
	detach(call);
	loop_timer_cancel(&call->deadline);
	call->state = HTTP_DONE;
	loop_later(call->client->loop, deliver, call);
	http_client_next(call->client);
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 ||
	       status == 308;
}

// What browsers and Go do: after 301 to 303 the answer is asked for with GET.
static void change_method(struct http_call *call)
{
	if (call->status > 303 || strcmp(call->method, "GET") == 0 ||
	    strcmp(call->method, "HEAD") == 0)
		return;
	mem_free(call->method);
	call->method = mem_strdup("GET");
	mem_free(TAKE(call->body));
	call->body_len = 0;
}

// Whether what was sent to us may be sent there too.
static bool may_follow(const struct http_call *call, const struct http_url *to)
{
	const char *const *also = call->client->opts.redirect_to;
	bool same = strcmp(to->origin, call->url.origin) == 0;
	if (call->unix_socket || (call->url.https && !to->https))
		return same;
	for (; !same && also && *also; also++) {
		struct http_url u = { 0 };
		same = http_url_parse(*also, &u, NULL) &&
		       strcmp(to->origin, u.origin) == 0;
		http_url_release(&u);
	}
	return same;
}

// True when the call is on its way again, or has failed and says so.
static bool redirected(struct http_call *call)
{
	const char *location = http_headers_get(&call->got, "Location");
	if (call->no_redirect || !is_redirect(call->status) || !location)
		return false;
	struct err *e = &call->error;
	struct http_url to = { 0 };
	if (++call->redirects > HTTP_REDIRECTS) {
		err_set(e, ERR_CONFIG, call->status, "%s: redirects more than %d times",
			call->url.origin, HTTP_REDIRECTS);
		return false;
	}
	if (!http_url_follow(&call->url, location, &to, e)) {
		err_wrap(e, "%s", call->url.origin);
		return false;
	}
	if (!may_follow(call, &to)) {
		err_set(e, ERR_CONFIG, call->status,
			"%s: redirects to %s, which is not followed; if that is right, "
			"configure that address, or allow it by redirect_to",
			call->url.origin, to.origin);
		http_url_release(&to);
		return false;
	}
	http_url_release(&call->url);
	call->url = to;
	change_method(call);
	http_headers_reset(&call->got);
	buf_reset(&call->got_body);
	detach(call);
	http_call_start(call);
	return true;
}

void http_call_finished(struct http_call *call, CURLcode code)
{
	long status = 0, connects = 0;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
	call->status = (int)status;
	call->reused = connects == 0;
	if (code != CURLE_OK)
		http_explain(call, code);
	else if (redirected(call))
		return;
	http_call_end(call);
}

void http_call_give_chunk(struct http_call *call)
{
	AUTO_BUF struct buf piece = call->got_body;
	call->got_body = (struct buf)BUF_INIT(piece.max);
	call->chunk(call->ctx, piece.data, piece.len);
}
