// SPDX-License-Identifier: Apache-2.0
// A store in use: its login, its health, and the queue of entries that shall be fetched.
//
// One outage is one matter, not one per secret: after a failure that may pass, a single
// entry probes the store (pace.h), and when it has answered, all that is due follows. The
// probe is a request that may be repeated, if there is one: not one that makes a credential.
// While other paths answer, a path's failure is its own matter, of which again only one is
// tried at a time. A wrong path or a missing right backs off by itself and delays nobody.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/entry.h"
#include "lib/conf/conf.h"
#include "stores/store.h"

struct source;
struct cache;

// An entry's answer has changed, it is gone, or its first try has failed.
typedef void source_entry_fn(void *ctx, struct entry *en);
// The store says that something under `path` changed (NULL: anything).
typedef void source_hint_fn(void *ctx, struct source *s, const char *path);
// The login has become good (a new token is there for sinks) or bad.
typedef void source_login_fn(void *ctx, struct source *s, bool ready);

struct source_setup {
	struct loop *loop;
	const struct conf_store *conf;
	int64_t interval_ms; // of static secrets without their own
	int64_t min_interval_ms;
	unsigned renewal_percent; // lease_terms.percent
	source_entry_fn *entry_changed;
	source_hint_fn *hint;
	source_login_fn *login_changed;
	void (*kept_changed)(void *ctx); // what a successor must know (state.h) is new
	void *ctx;
};

MUST_CHECK bool source_new(const struct source_setup *setup, struct source **ret,
			   struct err *e);
// Nothing is revoked; entries must not be used any more.
void source_free(struct source *s);
void source_start(struct source *s);

const char *source_name(const struct source *s);
const struct conf_store *source_conf(const struct source *s);
const struct secret *source_token(const struct source *s);
// The token wrapped for so long ("60s"), for a sink; as the store's wrap_token.
void source_wrap_token(struct source *s, const char *ttl, store_done_fn *done, void *ctx);
// Why nothing can be fetched just now, or NULL when all is well.
const struct err *source_error(const struct source *s);
const char *source_state(const struct source *s);
// For metrics: how many fetches and renewals ended so (ERR_NONE: well), since the start.
uint64_t source_outcomes(const struct source *s, enum err_kind kind);
// What is left of the token: -1 when there is none, INT64_MAX when it does not end.
int64_t source_token_left_ms(const struct source *s);

// For a successor: the store's own credential and marks, or NULL; and the way back, before
// source_start(). False when the credential is not usable any more.
json_t *source_save(const struct source *s);
bool source_restore(struct source *s, const json_t *kept, int64_t age_ms);
// Whether the last login replaced a token (asked once for each login): its leases end with
// it, in *ret_left_ms (0: they have ended, INT64_MAX: never).
bool source_token_replaced(struct source *s, int64_t *ret_left_ms);
// Revokes a lease that no entry holds.
void source_give_back(struct source *s, const char *lease_id);

// Asks as soon as may be, for a renewal if that is what comes next (renew_next); an entry
// that is queued or under way stays where it is.
void source_fetch(struct entry *en);
// Forgets an entry that nobody wants: its lease is revoked, its timer ends. False while a
// request is under way (ask again later).
bool source_forget(struct entry *en);
// Waits for what is under way; then, if `revoke`, revokes the leases of these entries and the
// token. `done` runs when all have ended. Nothing more is asked of the store.
void source_end(struct source *s, const struct cache *cache, bool revoke,
		void (*done)(void *ctx), void *ctx);
