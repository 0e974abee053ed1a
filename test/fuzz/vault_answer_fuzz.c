// SPDX-License-Identifier: Apache-2.0
// links: stores
// Answers of Vault. The first two bytes choose how the rest is read (verb, KV version,
// status, act); the rest is the body.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/vault_answer.h"
#include "stores/vault_reason.h"
#include "stores/vault_said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void secret(const struct vault_reply *r, unsigned how)
{
	static uint64_t seed = 1;
	int64_t due = 0;
	struct err e = ERR_INIT;
	struct store_answer a = { .body = NULL };
	struct vault_shape shape = { .verb = (enum store_verb)(how % 3),
				     .kv = (enum vault_kv)(how / 4 % 4),
				     .status = how & 16 ? 404 : 200,
				     .path = "kv/data/app",
				     .wall_ms = INT64_C(1795237329000),
				     .mono_ms = 1000,
				     .seed = &seed,
				     .due_ms = &due };
	if (vault_answer_secret(r, &shape, &a, &e)) {
		check(a.body && a.version && a.lease_id && e.kind == ERR_NONE);
		check(a.life != LIFE_LEASE || (a.lease_ms > 0 && *a.lease_id));
		check(a.life != LIFE_UNTIL || a.next_ms >= 200);
		check(shape.verb != STORE_LIST || json_is_array(a.body));
		json_decref(a.body);
	} else {
		check(e.kind == ERR_MISSING || e.kind == ERR_RETRY);
	}
}

static void frame(const char *body, size_t len, unsigned how)
{
	AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
	struct vault_grant g = { .token = NULL };
	struct vault_mount_info m;
	const char *text;
	struct err e = ERR_INIT;
	if (!vault_reply_parse(body, len, &r, &e)) {
		check(e.kind == ERR_RETRY || e.kind == ERR_LIMIT);
		return;
	}
	check(r.lease_s >= 0 && r.lease_s <= VAULT_SECONDS_MAX);
	secret(&r, how);
	if (vault_answer_auth(&r, &g, &e))
		check(vault_token_ok(secret_bytes(g.token), secret_len(g.token)));
	secret_free(TAKE(g.token));
	check(!vault_answer_lookup(&r, &g, NULL) || g.ttl_ms >= 0);
	check(!vault_answer_mount(&r, &m, NULL) || (*m.path && m.kv != VAULT_KV_UNKNOWN));
	check(!vault_answer_text(&r, "secret_id", &text, NULL) || *text);
}

static void refusal(const char *body, size_t len, unsigned how)
{
	static const int statuses[] = { 400, 403, 404, 405, 412, 429, 500, 503 };
	AUTO_JSON json_t *sent = json_pack("{s:s}", "jwt", "eyJhbGciOi.credential.here");
	struct err e = ERR_INIT;
	struct vault_refusal r = { .act = (enum vault_act)(how % 7),
				   .status = statuses[how / 8 % 8],
				   .path = "kv/data/app",
				   .body = body,
				   .body_len = len,
				   .sent = sent };
	vault_refused(&r, &e);
	check(e.kind != ERR_NONE && e.kind != ERR_BUG && e.text[0]);
	check(!strstr(e.text, "credential.here"));
	for (const char *p = e.text; *p; p++)
		check((unsigned char)*p >= ' ' && *p != 0x7f);
	vault_says_kv2(body, len);
	vault_says_nothing(body, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	if (size < 2)
		return 0;
	AUTO_FREE char *body = mem_dup(data + 2, size - 2);
	frame(body, size - 2, data[0]);
	refusal(body, size - 2, data[1]);
	return 0;
}
