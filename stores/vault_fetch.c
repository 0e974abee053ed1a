// SPDX-License-Identifier: Apache-2.0
// Reads, lists and writes of the vault store.
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "stores/vault_int.h"
#include "stores/vault_said.h"

enum { MOUNT_DOUBT_MS = 60 * 1000 }; // a 404 may mean that the mount was made anew

static const enum vault_act acts[] = {
	[STORE_READ] = VAULT_READ, [STORE_LIST] = VAULT_LIST, [STORE_WRITE] = VAULT_WRITE
};

static void failed(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	(void)got;
	vault_op_answer(op, NULL, e);
}

// Whether the request is one below data/ of KV version 2.
static bool is_kv2_data(const struct vault_op *op)
{
	const struct vault_mount *m = vault_mount_of(op->vault, op->path.path);
	if (op->kv != VAULT_KV_2 || !m || op->verb == STORE_LIST)
		return false;
	const char *rest = op->api_path + strlen(m->path);
	return str_starts(rest, "data/") || strcmp(rest, "data") == 0;
}

static void answer(struct vault_op *op, const struct vault_got *got)
{
	struct err e = ERR_INIT;
	struct store_answer a;
	int64_t due = vault_due_of(op->vault, op->api_path);
	enum vault_kv kv =
		op->kv == VAULT_KV_2 && !is_kv2_data(op) ? VAULT_KV_NONE : op->kv;
	struct vault_shape how = { .verb = op->verb,
				   .kv = kv,
				   .status = got->status,
				   .path = op->api_path,
				   .wall_ms = clock_wall_ms(),
				   .mono_ms = clock_mono_ms(),
				   .seed = &op->vault->seed,
				   .due_ms = &due };
	if (!vault_answer_secret(&got->reply, &how, &a, &e)) {
		vault_op_answer(op, NULL, &e);
		return;
	}
	vault_due_set(op->vault, op->api_path, due);
	vault_op_answer(op, &a, NULL);
	json_decref(a.body);
}

static void find_again(struct vault_op *op);

// 404: a deleted version (with a body), an empty list, a path of the other KV version, or
// nothing there.
static void not_found(struct vault_op *op, const struct vault_got *got)
{
	struct err e = ERR_INIT;
	AUTO_FREE char *asked = mem_printf("%s%s%s", op->api_path,
					   *op->path.query ? "?" : "", op->path.query);
	struct vault_refusal r = { .act = acts[op->verb], .path = asked };
	if (!op->again && vault_says_kv2(got->body, got->body_len)) {
		find_again(op);
		return;
	}
	vault_mount_doubt(op->vault, op->path.path, MOUNT_DOUBT_MS);
	if (op->verb == STORE_LIST && vault_says_nothing(got->body, got->body_len)) {
		answer(op, &(struct vault_got){ .status = 200 });
	} else if (op->verb == STORE_READ && got->reply.data) {
		answer(op, got);
	} else {
		vault_got_refused(got, r, &e);
		vault_op_answer(op, NULL, &e);
	}
}

static void answered(struct vault_op *op, const struct vault_got *got,
		     const struct err *e)
{
	struct err why = ERR_INIT;
	if (e) {
		vault_op_answer(op, NULL, e);
	} else if (got->status >= 200 && got->status < 300) {
		answer(op, got);
	} else if (got->status == 404) {
		not_found(op, got);
	} else {
		struct vault_refusal r = { .act = acts[op->verb],
					   .path = op->api_path,
					   .kv_unknown = op->kv == VAULT_KV_UNKNOWN };
		vault_got_refused(got, r, &why);
		vault_op_answer(op, NULL, &why);
	}
}

// KV version 2 takes {"data": {…}}; the others take the parameters themselves.
static json_t *write_body(const struct vault_op *op)
{
	json_t *params = op->params ? json_incref(op->params) : json_object();
	return is_kv2_data(op) ? json_pack("{s:o}", "data", params) : params;
}

static void send_fetch(struct vault_op *op)
{
	struct vault *v = op->vault;
	const struct vault_mount *m = vault_mount_of(v, op->path.path);
	bool list = op->verb == STORE_LIST;
	mem_free(op->api_path);
	op->api_path = op->kv == VAULT_KV_2 ? vault_path_kv2(op->path.path, m->path,
							     list ? "metadata" : "data")
					    : mem_strdup(op->path.path);
	AUTO_JSON json_t *body = op->verb == STORE_WRITE ? write_body(op) : NULL;
	AUTO_FREE char *query =
		list ? mem_printf("list=true%s%s", *op->path.query ? "&" : "",
				  op->path.query)
		     : mem_strdup(op->path.query);
	vault_send(op,
		   &(struct vault_request){ .method = body ? "PUT" : "GET",
					    .path = op->api_path,
					    .query = query,
					    .body = body,
					    .token = v->token },
		   answered);
}

static void find_again(struct vault_op *op)
{
	op->again = true;
	vault_mount_doubt(op->vault, op->path.path, 0);
	vault_mount_find(op, failed, send_fetch);
}

void vault_fetch(struct store *s, const struct store_ask *ask, store_done_fn *done,
		 void *ctx)
{
	struct vault *v = (struct vault *)s;
	struct vault_op *op = vault_op_new(v, ctx);
	struct err e = ERR_INIT;
	op->done = done;
	op->verb = ask->verb;
	if (ask->params)
		op->params = json_deep_copy(ask->params);
	if (!vault_path_parse(ask->path, &op->path, &e)) {
		vault_op_fail_later(op, &e, failed);
	} else if (!vault_ready(v, &e)) {
		vault_op_fail_later(op, &e, failed);
	} else {
		vault_mount_find(op, failed, send_fetch);
	}
}
