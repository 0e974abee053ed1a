// SPDX-License-Identifier: Apache-2.0
// A store: where secrets come from. One const struct a store, listed in stores.c. A NULL
// slot means that the store cannot or need not do it.
//
// Everything runs on the agent's loop and answers by callback, exactly once, never from
// inside the call. Who decides when (login, renew, fetch again) is the agent; how is here.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/conf/conf.h"
#include "lib/loop/loop.h"

struct store; // each store's own; the first thing that open returns

// What a template asks for: `secret "path" "k=v"…`, `secrets "path"`, pkiCert.
enum store_verb { STORE_READ, STORE_LIST, STORE_WRITE };
struct store_ask {
	enum store_verb verb;
	const char *path;     // without the store's name; may end in "?version=N"
	const json_t *params; // STORE_WRITE: an object of strings; else NULL
};

// How the agent keeps the answer alive.
enum store_life {
	LIFE_STATIC, // poll: read again at the interval, compare `version`
	LIFE_LEASE,  // renew lease_id, or fetch again before lease_ms ends
	LIFE_UNTIL,  // fetch again at next_ms from now (static role, certificate)
	LIFE_WATCH,  // the store itself tells (store_changed_fn)
};

struct store_answer {
	// {"data":…, "lease_id":…, "lease_duration":…, "renewable":…, …} as Vault shapes it,
	// numbers kept as text; for STORE_LIST an array of strings. The callback may incref.
	json_t *body;
	const char *version; // change key, for people too; "" when the store has none
	enum store_life life;
	const char *lease_id; // "" = none
	int64_t lease_ms;
	bool renewable;
	int64_t next_ms; // LIFE_UNTIL
	int64_t made_ms; // when this version was made, since 1970; 0 = the store does not say
};

// Whether a failure that may pass (ERR_RETRY) concerns the whole store: no answer, sealed,
// overloaded, a standby. Otherwise it is this path's matter (its engine failed, its answer
// cannot be read) and others may be asked. The error's cause is 0, an errno or an HTTP status.
bool store_fault_is_whole(const struct err *e);

// Exactly one of a and e is not NULL. Positive evidence that the secret is gone (design.md
// section 4.7) is an error of kind ERR_MISSING with cause STORE_GONE.
enum { STORE_GONE = 410 };
typedef void store_done_fn(void *ctx, const struct store_answer *a, const struct err *e);

// A login's outcome; the token itself stays inside the store.
struct store_token {
	int64_t ttl_ms; // 0 = does not end
	bool renewable;
};
typedef void store_login_fn(void *ctx, const struct store_token *t, const struct err *e);

// Something under `path` changed (NULL: anything may have); fetch again.
typedef void store_changed_fn(void *ctx, const char *path);

struct store_env {
	struct loop *loop;
	const struct conf_store *conf;
	store_changed_fn *changed;
	void *changed_ctx;
};

struct store_ops {
	const char *type; // "vault", "sealed", …
	const char *help; // one line
	bool (*open)(const struct store_env *env, struct store **ret, struct err *e);
	void (*close)(struct store *s); // callbacks under way do not run any more

	// NULL: the store needs no login. renew_login prolongs what login got.
	void (*login)(struct store *s, store_login_fn *done, void *ctx);
	void (*renew_login)(struct store *s, store_login_fn *done, void *ctx);
	// Whether the credential still lives: ERR_AUTH when not. For a 403 that may be either.
	void (*check_login)(struct store *s, store_login_fn *done, void *ctx);
	// Gives the credential back (revoke-self); done may be NULL.
	void (*logout)(struct store *s, store_login_fn *done, void *ctx);
	// The files that the login reads, for watching: fills ret, returns how many (at most
	// max). Borrowed from the store.
	size_t (*login_files)(struct store *s, const char **ret, size_t max);
	// NULL = no. Whether these are renewed all the time, so that a change matters only
	// while the login fails.
	bool (*login_rotates)(struct store *s);
	// The token for sinks; borrowed, NULL before login.
	const struct secret *(*token)(struct store *s);
	// The token for a sink with wrap_ttl: the answer's body is what the peers write there,
	// {"token", "accessor", "ttl", "creation_time", "creation_path"} of the wrapping.
	void (*wrap_token)(struct store *s, const char *ttl, store_done_fn *done,
			   void *ctx);

	// How long what is asked from now on may take, if that is less than the
	// configuration's timeout; 0 = as that says.
	void (*patience)(struct store *s, int64_t ms);
	// What a successor of this process needs: the credential if it is ours, high-water
	// marks. A new object, or NULL. It is sealed before it is written (agent/state.h).
	json_t *(*save)(struct store *s);
	// Takes that over, age_ms later, before any login. True when there is a credential
	// that still lives: its terms.
	bool (*restore)(struct store *s, const json_t *saved, int64_t age_ms,
			struct store_token *ret);

	void (*fetch)(struct store *s, const struct store_ask *ask, store_done_fn *done,
		      void *ctx);
	// The answer's body is NULL; lease_ms and renewable are the new ones.
	void (*renew)(struct store *s, const char *lease_id, int64_t increment_ms,
		      store_done_fn *done, void *ctx);
	void (*revoke)(struct store *s, const char *lease_id, store_done_fn *done,
		       void *ctx);
};

// By the type's name, or NULL. store_type(i) lists them until NULL.
const struct store_ops *store_find(const char *type);
const struct store_ops *store_type(size_t i);
