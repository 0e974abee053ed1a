// SPDX-License-Identifier: Apache-2.0
// The vault store's own token after login: renewed, looked up when in doubt, given back.
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/vault_int.h"

// g: the terms that the server has just told, or NULL.
static void end(struct vault_op *op, const struct vault_grant *g, const struct err *e)
{
	struct store_token t = vault_token_state(op->vault);
	if (g)
		t.ttl_ms = g->ttl_ms;
	vault_op_token(op, e ? NULL : &t, e);
}

static bool is_good(const struct vault_got *got)
{
	return got->status >= 200 && got->status < 300;
}

// Takes over what the server says of the token; the token itself stays.
static void take_terms(struct vault *v, struct vault_grant *g)
{
	secret_free(g->token);
	g->token = TAKE(v->token);
	vault_take_token(v, g, v->token_is_ours);
}

static void renewed(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	struct vault_grant g = { .token = NULL };
	struct err why = ERR_INIT;
	if (!e && !is_good(got))
		vault_got_refused(
			got,
			(struct vault_refusal){ .act = VAULT_TOKEN,
						.path = "auth/token/renew-self" },
			&why);
	else if (!e && vault_answer_auth(&got->reply, &g, &why))
		take_terms(op->vault, &g);
	end(op, &g, e ? e : why.kind ? &why : NULL);
}

// A token that may not look itself up, by policy, lives.
static void looked_up(struct vault_op *op, const struct vault_got *got,
		      const struct err *e)
{
	struct vault_grant g = { .token = NULL };
	struct err why = ERR_INIT;
	bool told = false;
	if (!e && !is_good(got)) {
		vault_got_refused(
			got,
			(struct vault_refusal){ .act = VAULT_TOKEN,
						.path = "auth/token/lookup-self" },
			&why);
		if (why.kind == ERR_DENIED)
			err_clear(&why);
	} else if (!e && vault_answer_lookup(&got->reply, &g, &why)) {
		take_terms(op->vault, &g);
		told = true;
	}
	end(op, told ? &g : NULL, e ? e : why.kind ? &why : NULL);
}

static void revoked(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	struct err why = ERR_INIT;
	if (!e && !is_good(got))
		vault_got_refused(
			got,
			(struct vault_refusal){ .act = VAULT_TOKEN,
						.path = "auth/token/revoke-self" },
			&why);
	end(op, NULL, e ? e : why.kind ? &why : NULL);
}

static void failed(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	(void)got;
	end(op, NULL, e->kind ? e : NULL);
}

static struct vault_op *token_op(struct vault *v, store_login_fn *done, void *ctx)
{
	struct vault_op *op = vault_op_new(v, ctx);
	op->login_done = done;
	return op;
}

static bool has_token(struct vault_op *op)
{
	struct err e = ERR_INIT;
	if (vault_ready(op->vault, &e))
		return true;
	vault_op_fail_later(op, &e, failed);
	return false;
}

void vault_renew_login(struct store *s, store_login_fn *done, void *ctx)
{
	struct vault_op *op = token_op((struct vault *)s, done, ctx);
	AUTO_JSON json_t *body = json_object();
	if (has_token(op))
		vault_send(op,
			   &(struct vault_request){ .method = "PUT",
						    .path = "auth/token/renew-self",
						    .body = body,
						    .token = op->vault->token,
						    .login = true },
			   renewed);
}

void vault_check_login(struct store *s, store_login_fn *done, void *ctx)
{
	struct vault *v = (struct vault *)s;
	struct vault_op *op = token_op(v, done, ctx);
	if (v->inline_auth) // no token to ask for; a refused login ends this mode by itself
		vault_op_fail_later(op, &(struct err)ERR_INIT, failed);
	else if (has_token(op))
		vault_send(op,
			   &(struct vault_request){ .method = "GET",
						    .path = "auth/token/lookup-self",
						    .token = op->vault->token,
						    .login = true },
			   looked_up);
}

// Forgotten at once, given back if it is ours.
void vault_logout(struct store *s, store_login_fn *done, void *ctx)
{
	struct vault *v = (struct vault *)s;
	struct vault_op *op = token_op(v, done, ctx);
	AUTO_SECRET struct secret *token = TAKE(v->token);
	AUTO_JSON json_t *body = json_object();
	if (token && v->token_is_ours)
		vault_send(op,
			   &(struct vault_request){ .method = "PUT",
						    .path = "auth/token/revoke-self",
						    .body = body,
						    .token = token,
						    .login = true },
			   revoked);
	else
		vault_op_fail_later(op, &(struct err)ERR_INIT,
				    failed); // no error: the end
}

// --- for sinks ----------------------------------------------------------------------------

static void wrapped(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	struct vault_grant g = { .token = NULL };
	struct err why = ERR_INIT;
	struct vault_refusal r = { .act = VAULT_WRITE, .path = "sys/wrapping/wrap" };
	bool good = !e && (is_good(got) ? vault_answer_wrapped(&got->reply, &g, &why)
					: vault_got_refused(got, r, &why));
	secret_free(g.token);
	struct store_answer a = { .version = "", .lease_id = "" };
	if (good)
		a.body = got->reply.wrap_info;
	vault_op_answer(op, good ? &a : NULL, good ? NULL : e ? e : &why);
}

static void not_wrapped(struct vault_op *op, const struct vault_got *got,
			const struct err *e)
{
	(void)got;
	vault_op_answer(op, NULL, e);
}

void vault_wrap_token(struct store *s, const char *ttl, store_done_fn *done, void *ctx)
{
	struct vault *v = (struct vault *)s;
	struct vault_op *op = vault_op_new(v, ctx);
	struct err e = ERR_INIT;
	op->done = done;
	if (!vault_ready(v, &e)) {
		vault_op_fail_later(op, &e, not_wrapped);
		return;
	}
	AUTO_JSON json_t *body = json_object();
	json_object_set_new(body, "token",
			    json_str(secret_bytes(v->token), secret_len(v->token)));
	vault_send(op,
		   &(struct vault_request){ .method = "PUT",
					    .path = "sys/wrapping/wrap",
					    .body = body,
					    .token = v->token,
					    .wrap_ttl = ttl },
		   wrapped);
}
