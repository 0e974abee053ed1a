// SPDX-License-Identifier: Apache-2.0
// Leases of the vault store: renewed, given back.
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/vault_int.h"

enum { INCREMENT_MAX_S = 0x7fffffff }; // more is the same as the server's maximum

static void refused(struct vault_op *op, const struct vault_got *got, const char *path)
{
	struct err e = ERR_INIT;
	vault_got_refused(got, (struct vault_refusal){ .act = VAULT_LEASE, .path = path },
			  &e);
	vault_op_answer(op, NULL, &e);
}

static void renewed(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	if (e) {
		vault_op_answer(op, NULL, e);
	} else if (got->status < 200 || got->status >= 300) {
		refused(op, got, "sys/leases/renew");
	} else {
		struct store_answer a = { .version = op->lease_id,
					  .life = LIFE_LEASE,
					  .lease_id = op->lease_id,
					  .lease_ms = got->reply.lease_s * 1000,
					  .renewable = got->reply.renewable };
		vault_op_answer(op, &a, NULL);
	}
}

static void revoked(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	if (e) {
		vault_op_answer(op, NULL, e);
	} else if (got->status < 200 || got->status >= 300) {
		refused(op, got, "sys/leases/revoke");
	} else {
		struct store_answer a = { .version = "", .lease_id = "" };
		vault_op_answer(op, &a, NULL);
	}
}

static void failed(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	(void)got;
	vault_op_answer(op, NULL, e);
}

// A PUT with the lease and, perhaps, how long it shall last.
static void lease_op(struct vault_op *op, const char *path, int64_t increment_s,
		     vault_step_fn *step)
{
	struct err e = ERR_INIT;
	AUTO_JSON json_t *body = json_pack("{s:s}", "lease_id", op->lease_id);
	if (increment_s > 0)
		json_object_set_new(body, "increment", json_integer(increment_s));
	struct vault_request r = {
		.method = "PUT", .path = path, .body = body, .token = op->vault->token
	};
	if (vault_ready(op->vault, &e))
		vault_send(op, &r, step);
	else
		vault_op_fail_later(op, &e, failed);
}

void vault_renew(struct store *s, const char *lease_id, int64_t increment_ms,
		 store_done_fn *done, void *ctx)
{
	struct vault_op *op = vault_op_new((struct vault *)s, ctx);
	int64_t seconds = increment_ms / 1000;
	op->done = done;
	op->lease_id = mem_strdup(lease_id);
	lease_op(op, "sys/leases/renew",
		 seconds < INCREMENT_MAX_S ? seconds : INCREMENT_MAX_S, renewed);
}

void vault_revoke(struct store *s, const char *lease_id, store_done_fn *done, void *ctx)
{
	struct vault_op *op = vault_op_new((struct vault *)s, ctx);
	op->done = done;
	op->lease_id = mem_strdup(lease_id);
	lease_op(op, "sys/leases/revoke", 0, revoked);
}
