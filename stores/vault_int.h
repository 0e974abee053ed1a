// SPDX-License-Identifier: Apache-2.0
// Inside the vault store: one struct vault a store, one struct vault_op a thing asked of it.
//
// An op is a short chain of requests. Each request names the step that takes its answer;
// the last step ends the op, which calls back and frees it. A step never runs from inside
// the call that started it, so a store's callbacks come from the loop only.
//
//	vault.c        open, close, the table of functions     vault_url.c     paths
//	vault_call.c   one request and its answer, the ops      vault_answer.c  the frame
//	vault_mount.c  which KV version a path has              vault_life.c    what a secret is
//	vault_fetch.c  reads, lists, writes                     vault_reason.c  refusals
//	vault_lease.c  leases                                   vault_said.c    the server's words
//	vault_login.c  login                                    vault_token.c   the token's life
//	vault_due.c    late rotations                           vault_keep.c    for a successor
//	vault_inline.c logins within requests
#pragma once

#include "lib/http/client.h"
#include "stores/auth/auth.h"
#include "stores/store.h"
#include "stores/vault_answer.h"
#include "stores/vault_reason.h"
#include "stores/vault_url.h"

// A mount that was asked for once. Kept until a 404 makes it doubtful.
struct vault_mount {
	struct vault_mount *next;
	char *path; // as paths begin: "kv/", "team/kv/"
	enum vault_kv kv;
	int64_t seen_ms;
};

// A path whose static role is due to be rotated (vault_answer.h, due_ms).
struct vault_due {
	struct vault_due *next;
	char *path;
	int64_t since_ms;
};

struct vault_op;
struct vault {
	struct loop *loop;
	const struct conf_store *conf;
	struct vault_addr addr;
	struct http_client *http;
	struct http_client *login_http; // with the login's client certificate, or NULL
	const struct auth_method *method;
	struct auth_memory memory;
	struct secret *token;
	bool token_is_ours;    // not one from a file
	bool token_is_wrapped; // auth.wrap_ttl: `token` is the wrapping's JSON, for a sink
	bool token_renewable;
	bool inline_auth;       // no token: each request carries the login
	int64_t token_until_ms; // clock_mono_ms(); 0 = does not end
	struct vault_mount *mounts;
	struct vault_due *dues;
	struct vault_op *ops, **ops_end; // under way, in their order
	uint64_t seed;
	int64_t patience_ms; // of new ops; 0 = the configuration's timeout
};

struct vault_got {
	int status;
	struct vault_reply reply; // of a 2xx or 404; empty otherwise
	const char *body;
	size_t body_len;
	int64_t retry_after_ms;
};
// Exactly one of got and e is not NULL.
typedef void vault_step_fn(struct vault_op *op, const struct vault_got *got,
			   const struct err *e);
typedef void vault_next_fn(struct vault_op *op);

struct vault_op {
	struct vault *vault;
	struct vault_op *next, **link; // of vault->ops
	struct http_call *call;
	vault_step_fn *step;
	struct err error; // told to `step` from the loop
	store_done_fn *done;
	store_login_fn *login_done;
	void *ctx;
	int64_t patience_ms;
	// fetch
	enum store_verb verb;
	struct vault_path path;
	char *api_path;
	json_t *params;
	enum vault_kv kv;
	bool finding, waiting; // for the mount
	bool is_inline;        // the request carries the login
	bool again;            // a second try after the mount was doubted
	vault_step_fn *failed;
	vault_next_fn *next_step;
	// leases
	char *lease_id;
	// login
	struct auth_request request;
};

// --- ops (vault_call.c)
struct vault_op *vault_op_new(struct vault *v, void *ctx);
void vault_op_free(struct vault_op *op);
// Ends a fetch or lease op; a login op.
void vault_op_answer(struct vault_op *op, const struct store_answer *a,
		     const struct err *e);
void vault_op_token(struct vault_op *op, const struct store_token *t,
		    const struct err *e);
// Tells the op's step of the error, from the loop.
void vault_op_fail_later(struct vault_op *op, const struct err *e, vault_step_fn *step);

struct vault_request {
	const char *method;
	const char *path;
	const char *query;          // NULL = none
	const json_t *body;         // NULL = none
	const struct secret *token; // NULL = none
	bool login;                 // the login's namespace and client certificate
	const char *wrap_ttl;       // NULL = none
};
void vault_send(struct vault_op *op, const struct vault_request *r, vault_step_fn *step);
// The error of an answer that is a refusal.
bool vault_got_refused(const struct vault_got *got, struct vault_refusal r,
		       struct err *e);

// --- inline authentication (vault_inline.c)
enum { VAULT_HEADERS = 9, VAULT_INLINE_MAX = 64 * 1024 };
struct vault_headers {
	struct http_header list[VAULT_HEADERS];
	size_t n;
	struct buf fields[2]; // what the list borrows
	size_t n_fields;
};
void vault_headers_release(struct vault_headers *h);
// Reads the store's option.
MUST_CHECK bool vault_inline_open(struct vault *v, struct err *e);
// Adds the login, from its files as they are now.
MUST_CHECK bool vault_inline_headers(struct vault_op *op, struct vault_headers *h,
				     struct err *e);
// Whether the answer says that inline authentication did not serve: then why.
bool vault_inline_ended(struct vault_op *op, const struct http_response *r,
			struct err *e);

// --- mounts (vault_mount.c)
// Sets op->kv and goes on with `next`, at once when the mount is known.
void vault_mount_find(struct vault_op *op, vault_step_fn *failed, vault_next_fn *next);
// The mount of a path, or NULL.
const struct vault_mount *vault_mount_of(const struct vault *v, const char *path);
// Asks again next time, when what is known is older than min_age_ms.
void vault_mount_doubt(struct vault *v, const char *path, int64_t min_age_ms);
void vault_mounts_free(struct vault *v);

// Since when the path's rotation is due, 0 = it is not; and the other way round.
int64_t vault_due_of(const struct vault *v, const char *path);
void vault_due_set(struct vault *v, const char *path, int64_t since_ms);
void vault_dues_free(struct vault *v);

// --- the functions of the table (store.h)
void vault_fetch(struct store *s, const struct store_ask *ask, store_done_fn *done,
		 void *ctx);
void vault_renew(struct store *s, const char *lease_id, int64_t increment_ms,
		 store_done_fn *done, void *ctx);
void vault_revoke(struct store *s, const char *lease_id, store_done_fn *done, void *ctx);
void vault_login(struct store *s, store_login_fn *done, void *ctx);
void vault_renew_login(struct store *s, store_login_fn *done, void *ctx);
void vault_check_login(struct store *s, store_login_fn *done, void *ctx);
void vault_logout(struct store *s, store_login_fn *done, void *ctx);
json_t *vault_save(struct store *s);
bool vault_restore(struct store *s, const json_t *saved, int64_t age_ms,
		   struct store_token *ret);
void vault_wrap_token(struct store *s, const char *ttl, store_done_fn *done, void *ctx);

// Whether requests can be made: there is a token, and it is not wrapped for somebody else.
bool vault_ready(const struct vault *v, struct err *e);
// The token in use becomes this one (taken); NULL forgets it.
void vault_take_token(struct vault *v, struct vault_grant *g, bool ours);
struct store_token vault_token_state(const struct vault *v);

extern const struct store_ops store_vault;
