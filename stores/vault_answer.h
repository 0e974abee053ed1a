// SPDX-License-Identifier: Apache-2.0
// What Vault and OpenBao answer, read strictly: every field has its type and its range or
// the answer is refused. Pure; fuzzed (test/fuzz/vault_answer_fuzz.c).
//
// A refused answer is an error of kind ERR_RETRY whose cause is the HTTP status: a proxy, a
// login page or a broken server is in the way, and it may pass. No byte of it is quoted.
#pragma once

#include <jansson.h>

#include "lib/base/err.h"
#include "lib/base/secret.h"
#include "stores/store.h"

// The frame that every answer has. All pointers borrow from json.
struct vault_reply {
	json_t *json; // owned; NULL for an empty body
	const char *lease_id;
	int64_t lease_s; // 0 to VAULT_SECONDS_MAX
	bool renewable;
	json_t *data, *auth, *wrap_info; // objects, or NULL
};
// Longer times mean "for ever" to us: a hundred years.
#define VAULT_SECONDS_MAX INT64_C(3153600000)

MUST_CHECK bool vault_reply_parse(const char *text, size_t len, struct vault_reply *ret,
				  struct err *e);
void vault_reply_release(struct vault_reply *r);
#define AUTO_VAULT_REPLY AUTO(vault_reply_release)

// A member that is a number of seconds: absent and null are 0, negative ones too.
MUST_CHECK bool vault_get_seconds(const json_t *o, const char *key, int64_t *ret,
				  struct err *e);
// The refusal of an answer, for the reason in `why`. Always false.
bool vault_refuse(struct err *e, const struct err *why);

// --- secrets
enum vault_kv { VAULT_KV_UNKNOWN, VAULT_KV_NONE, VAULT_KV_1, VAULT_KV_2 };
struct vault_shape {
	enum store_verb verb;
	enum vault_kv kv; // VAULT_KV_2 only for what lies below data/
	int status;       // 200, or 404 with a body (a deleted version)
	const char *path; // for messages
	int64_t wall_ms;  // now
	int64_t mono_ms;  // now, too
	uint64_t *seed;   // of the jitter
	// A rotation that is due and has not happened: since when (mono_ms); 0 = none. Kept
	// by the caller for each path, from one answer to the next.
	int64_t *due_ms;
};
// Fills *ret; ret->body is a new reference, the strings borrow from r.
MUST_CHECK bool vault_answer_secret(const struct vault_reply *r,
				    const struct vault_shape *how,
				    struct store_answer *ret, struct err *e);

// --- logins
struct vault_grant {
	struct secret *token; // NULL from a look-up; the caller frees
	int64_t ttl_ms;       // 0 = does not end
	bool renewable;
};
// Of a login or renewal (`auth`).
MUST_CHECK bool vault_answer_auth(const struct vault_reply *r, struct vault_grant *ret,
				  struct err *e);
// Of a login that was asked to be wrapped: the token is `wrap_info`, as JSON.
MUST_CHECK bool vault_answer_wrapped(const struct vault_reply *r, struct vault_grant *ret,
				     struct err *e);
// Of auth/token/lookup-self (`data`).
MUST_CHECK bool vault_answer_lookup(const struct vault_reply *r, struct vault_grant *ret,
				    struct err *e);
// A header value: printable, no blank. Tokens come from outside.
bool vault_token_ok(const char *s, size_t len);

// --- mounts and wrapping
struct vault_mount_info {
	const char *path; // "kv/"; borrows
	enum vault_kv kv; // never unknown
};
MUST_CHECK bool vault_answer_mount(const struct vault_reply *r,
				   struct vault_mount_info *ret, struct err *e);
// A string member of `data`, which must be there; it borrows.
MUST_CHECK bool vault_answer_text(const struct vault_reply *r, const char *key,
				  const char **ret, struct err *e);
