// SPDX-License-Identifier: Apache-2.0
// One request of the vault store, and the life of ops.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/vault_int.h"

enum { BODY_MAX = 8 * 1024 * 1024 };

// --- ops ----------------------------------------------------------------------------------

struct vault_op *vault_op_new(struct vault *v, void *ctx)
{
	struct vault_op *op = mem_alloc(sizeof(*op));
	op->vault = v;
	op->ctx = ctx;
	op->patience_ms = v->patience_ms;
	op->link = v->ops_end;
	*op->link = op;
	v->ops_end = &op->next;
	return op;
}

static void op_unlink(struct vault_op *op)
{
	if (!op->link)
		return;
	*op->link = op->next;
	if (op->next)
		op->next->link = op->link;
	else
		op->vault->ops_end = op->link;
	op->link = NULL;
	op->next = NULL;
}

void vault_op_free(struct vault_op *op)
{
	if (op->link) { // the store closes: nobody may be called any more
		loop_later_cancel(op->vault->loop, op);
		if (op->call)
			http_cancel(op->call);
		op_unlink(op);
	}
	vault_path_release(&op->path);
	mem_free(op->api_path);
	json_decref(op->params);
	mem_free(op->lease_id);
	auth_request_release(&op->request);
	mem_free(op);
}

// The callback may close the store: the op leaves its list first, and lives until after.
void vault_op_answer(struct vault_op *op, const struct store_answer *a,
		     const struct err *e)
{
	op_unlink(op);
	if (op->done)
		op->done(op->ctx, a, e);
	vault_op_free(op);
}

void vault_op_token(struct vault_op *op, const struct store_token *t, const struct err *e)
{
	op_unlink(op);
	if (op->login_done)
		op->login_done(op->ctx, t, e);
	vault_op_free(op);
}

static void on_later(void *ctx)
{
	struct vault_op *op = ctx;
	op->step(op, NULL, &op->error);
}

void vault_op_fail_later(struct vault_op *op, const struct err *e, vault_step_fn *step)
{
	op->error = *e;
	op->step = step;
	loop_later(op->vault->loop, on_later, op);
}

// --- requests -----------------------------------------------------------------------------

static void on_response(void *ctx, const struct http_response *r, const struct err *e)
{
	struct vault_op *op = ctx;
	struct err why = ERR_INIT;
	op->call = NULL;
	if (e) {
		// What hangs or was cut off may not be the only connection that is.
		http_client_drop_idle(op->vault->http);
		op->step(op, NULL, e);
		return;
	}
	if (op->is_inline && vault_inline_ended(op, r, &why)) {
		op->step(op, NULL, &why);
		return;
	}
	struct vault_got got = { .status = r->status,
				 .body = buf_str(r->body),
				 .body_len = r->body->len,
				 .retry_after_ms = r->retry_after_ms };
	bool good = r->status >= 200 && r->status < 300;
	if (good || r->status == 404) {
		struct err *to = good ? &why : NULL;
		if (!vault_reply_parse(got.body, got.body_len, &got.reply, to) && good) {
			op->step(op, NULL, &why);
			return;
		}
	}
	op->step(op, &got, NULL); // frees the op, perhaps
	vault_reply_release(&got.reply);
}

static void make_headers(const struct vault *v, const struct vault_request *r,
			 struct vault_headers *to)
{
	const char *ns = r->login ? v->conf->auth.namespace_ : v->conf->namespace_;
	struct http_header *h = to->list;
	size_t n = 0;
	if (!ns || !*ns)
		ns = r->login ? v->conf->namespace_ : v->conf->auth.namespace_;
	h[n++] = (struct http_header){ "X-Vault-Request", "true" };
	if (ns && *ns)
		h[n++] = (struct http_header){ "X-Vault-Namespace", ns };
	if (r->token)
		h[n++] = (struct http_header){ "X-Vault-Token", secret_bytes(r->token) };
	if (r->wrap_ttl)
		h[n++] = (struct http_header){ "X-Vault-Wrap-TTL", r->wrap_ttl };
	if (r->body)
		h[n++] = (struct http_header){ "Content-Type", "application/json" };
	to->n = n;
}

static bool start(struct vault_op *op, const struct vault_request *r, struct err *e)
{
	struct vault *v = op->vault;
	struct http_client *http = r->login && v->login_http ? v->login_http : v->http;
	AUTO(vault_headers_release) struct vault_headers headers = { .n = 0 };
	AUTO_BUF struct buf url = BUF_INIT(VAULT_URL_MAX);
	AUTO_BUF struct buf body = BUF_INIT(BODY_MAX);
	if (!vault_url(&v->addr, r->path, r->query, &url, e) ||
	    (r->body && !json_write(r->body, &body, e)))
		return false;
	make_headers(v, r, &headers);
	op->is_inline = v->inline_auth && !r->token && !r->login;
	if (op->is_inline && !vault_inline_headers(op, &headers, e))
		return false;
	int64_t timeout_ms = v->conf->timeout_ms;
	if (op->patience_ms && op->patience_ms < timeout_ms)
		timeout_ms = op->patience_ms;
	struct http_request req = { .method = r->method,
				    .url = buf_str(&url),
				    .unix_socket = v->addr.unix_socket,
				    .headers = headers.list,
				    .n_headers = headers.n,
				    .body = r->body ? buf_str(&body) : NULL,
				    .body_len = body.len,
				    .timeout_ms = timeout_ms,
				    .max_body = BODY_MAX };
	return http_send(http, &req, on_response, op, &op->call, e);
}

void vault_send(struct vault_op *op, const struct vault_request *r, vault_step_fn *step)
{
	struct err e = ERR_INIT;
	op->step = step;
	if (!start(op, r, &e))
		vault_op_fail_later(op, &e, step);
}

bool vault_got_refused(const struct vault_got *got, struct vault_refusal r, struct err *e)
{
	r.status = got->status;
	r.retry_after_ms = got->retry_after_ms;
	r.body = got->body;
	r.body_len = got->body_len;
	return vault_refused(&r, e);
}
