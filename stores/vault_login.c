// SPDX-License-Identifier: Apache-2.0
// Login of the vault store: the method makes the request, a wrapped secret id is opened
// first (after a look at where it comes from), the answer's token stays here.
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/auth/auth_keys.h"
#include "stores/vault_int.h"

bool vault_ready(const struct vault *v, struct err *e)
{
	if (!v->token && !v->inline_auth)
		return err_set(e, ERR_AUTH, 0, "not logged in");
	if (v->token_is_wrapped)
		return err_set(
			e, ERR_CONFIG, 0,
			"the login's token is wrapped (wrap_ttl) for whoever opens the "
			"sink; the agent itself cannot use it");
	return true;
}

void vault_take_token(struct vault *v, struct vault_grant *g, bool ours)
{
	secret_free(v->token);
	v->token = g ? TAKE(g->token) : NULL;
	v->token_is_ours = ours;
	v->token_is_wrapped = false;
	v->token_renewable = g && g->renewable;
	v->token_until_ms = g && g->ttl_ms ? clock_mono_ms() + g->ttl_ms : 0;
}

struct store_token vault_token_state(const struct vault *v)
{
	int64_t left = v->token_until_ms - clock_mono_ms();
	struct store_token t = { .renewable = v->token_renewable };
	if (v->token_until_ms)
		t.ttl_ms = left > 1 ? left : 1;
	return t;
}

static bool is_good(const struct vault_got *got)
{
	return got->status >= 200 && got->status < 300;
}

static void logged_in(struct vault_op *op, struct vault_grant *g, bool ours, bool wrapped)
{
	struct vault *v = op->vault;
	struct store_token t = { .ttl_ms = g->ttl_ms, .renewable = g->renewable };
	vault_take_token(v, g, ours);
	v->token_is_wrapped = wrapped;
	if (v->method->used)
		v->method->used(&v->conf->auth);
	vault_op_token(op, &t, NULL);
}

static void failed(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	(void)got;
	vault_op_token(op, NULL, e);
}

// --- the login itself ---------------------------------------------------------------------

static void login_answered(struct vault_op *op, const struct vault_got *got,
			   const struct err *e)
{
	struct vault_grant g = { .token = NULL };
	struct err why = ERR_INIT;
	if (e) {
		vault_op_token(op, NULL, e);
		return;
	}
	struct vault_refusal r = { .act = VAULT_LOGIN,
				   .path = op->request.path,
				   .role = auth_key(&op->vault->conf->auth, "role", NULL),
				   .sent = op->request.body };
	const char *wrap_ttl = op->vault->conf->auth.wrap_ttl;
	bool good = is_good(got) ? wrap_ttl ? vault_answer_wrapped(&got->reply, &g, &why)
					    : vault_answer_auth(&got->reply, &g, &why)
				 : vault_got_refused(got, r, &why);
	if (!good) {
		vault_op_token(op, NULL, &why);
		return;
	}
	logged_in(op, &g, !wrap_ttl, wrap_ttl);
}

static void send_login(struct vault_op *op)
{
	vault_send(op,
		   &(struct vault_request){ .method = op->request.method,
					    .path = op->request.path,
					    .body = op->request.body,
					    .login = true,
					    .wrap_ttl = op->vault->conf->auth.wrap_ttl },
		   login_answered);
}

// --- a ready token ------------------------------------------------------------------------

// A token that may not look itself up is used as it is; how long it lives is not known.
static void looked_up(struct vault_op *op, const struct vault_got *got,
		      const struct err *e)
{
	struct vault_grant g = { .token = NULL };
	struct err why = ERR_INIT;
	bool good;
	if (e) {
		vault_op_token(op, NULL, e);
		return;
	}
	if (is_good(got)) {
		good = vault_answer_lookup(&got->reply, &g, &why);
	} else {
		struct vault_refusal r = { .act = VAULT_TOKEN, .path = op->request.path };
		vault_got_refused(got, r, &why);
		good = why.kind == ERR_DENIED;
	}
	if (!good) {
		err_wrap(&why, "token file");
		vault_op_token(op, NULL, &why);
		return;
	}
	g.token = TAKE(op->request.token);
	logged_in(op, &g, false, false);
}

// --- a wrapped secret id ------------------------------------------------------------------

static void unwrapped(struct vault_op *op, const struct vault_got *got,
		      const struct err *e)
{
	struct auth_memory *m = &op->vault->memory;
	struct err why = ERR_INIT;
	const char *id = NULL;
	if (e) {
		vault_op_token(op, NULL, e);
		return;
	}
	if (!is_good(got))
		vault_got_refused(got,
				  (struct vault_refusal){ .act = VAULT_UNWRAP,
							  .path = "sys/wrapping" },
				  &why);
	else if (vault_answer_text(&got->reply, "secret_id", &id, &why)) {
		secret_free(m->credential);
		secret_free(m->wrapper);
		m->credential = secret_from_str(id);
		m->wrapper = secret_from_str(json_string_value(
			json_object_get(op->request.body, "secret_id")));
		json_object_set_new(op->request.body, "secret_id", json_string(id));
		send_login(op);
		return;
	}
	vault_op_token(op, NULL, &why);
}

static bool origin_ok(const struct vault_op *op, const struct vault_got *got,
		      struct err *e)
{
	const char *origin = NULL;
	if (!is_good(got))
		return vault_got_refused(got,
					 (struct vault_refusal){ .act = VAULT_UNWRAP,
								 .path = "sys/wrapping" },
					 e);
	if (!vault_answer_text(&got->reply, "creation_path", &origin, e))
		return false;
	if (strcmp(origin, op->request.wrapped_path) != 0)
		return err_set(
			e, ERR_AUTH, 0,
			"the wrapped secret id was not made at '%s': somebody may have "
			"put another one in its place; it is not opened",
			op->request.wrapped_path);
	return true;
}

static void origin_known(struct vault_op *op, const struct vault_got *got,
			 const struct err *e)
{
	struct err why = ERR_INIT;
	if (e || !origin_ok(op, got, &why)) {
		vault_op_token(op, NULL, e ? e : &why);
		return;
	}
	AUTO_SECRET struct secret *wrapper = secret_from_str(
		json_string_value(json_object_get(op->request.body, "secret_id")));
	vault_send(op,
		   &(struct vault_request){ .method = "PUT",
					    .path = "sys/wrapping/unwrap",
					    .token = wrapper,
					    .login = true },
		   unwrapped);
}

static void ask_origin(struct vault_op *op)
{
	AUTO_JSON json_t *body = json_object();
	json_object_set(body, "token", json_object_get(op->request.body, "secret_id"));
	vault_send(op,
		   &(struct vault_request){ .method = "PUT",
					    .path = "sys/wrapping/lookup",
					    .body = body,
					    .login = true },
		   origin_known);
}

// Nothing to ask: the requests to come carry the login.
static void inline_ready(struct vault_op *op, const struct vault_got *got,
			 const struct err *e)
{
	(void)got;
	(void)e;
	vault_op_token(op, &(struct store_token){ .ttl_ms = 0 }, NULL);
}

void vault_login(struct store *s, store_login_fn *done, void *ctx)
{
	struct vault *v = (struct vault *)s;
	struct vault_op *op = vault_op_new(v, ctx);
	struct auth_request *r = &op->request;
	struct err e = ERR_INIT;
	op->login_done = done;
	if (!v->method->prepare(&v->conf->auth, &v->memory, r, &e))
		vault_op_fail_later(op, &e, failed);
	else if (v->inline_auth)
		vault_op_fail_later(op, &e, inline_ready);
	else if (r->token &&
		 !vault_token_ok(secret_bytes(r->token), secret_len(r->token))) {
		err_set(&e, ERR_AUTH, 0, "token file: what it holds is not a token");
		vault_op_fail_later(op, &e, failed);
	} else if (r->token)
		vault_send(op,
			   &(struct vault_request){
				   .method = "GET", .path = r->path, .token = r->token },
			   looked_up);
	else if (r->wrapped_secret_id)
		ask_origin(op);
	else
		send_login(op);
}
