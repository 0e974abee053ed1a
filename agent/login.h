// SPDX-License-Identifier: Apache-2.0
// Holds one store's credential valid: login, renewal, login again. A state machine; its
// table is login.c's `table`. What the credential is stays inside the store.
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/loop/loop.h"
#include "stores/store.h"

struct login;

// ready: the store may be asked. Not ready: e says why the last try failed.
typedef void login_state_fn(void *ctx, bool ready, const struct err *e);

struct login_setup {
	struct loop *loop;
	const struct store_ops *ops;
	struct store *store;
	const struct conf_store *conf;
	login_state_fn *changed;
	void (*kept)(void *ctx); // the token's time has changed; may be NULL
	void *ctx;
};

// A store without a login slot is ready as soon as login_start() was called.
struct login *login_new(const struct login_setup *setup);
void login_free(struct login *l);
void login_start(struct login *l);
// Before login_start(): the store holds a token that a predecessor got. It is used at once,
// and renewed (or looked up), which tells whether it is still good.
void login_restore(struct login *l, const struct store_token *t);
// Whether a login has replaced another token since this was asked last, and how long that one
// still lives: 0 = it has ended, INT64_MAX = it does not end.
bool login_replaced(struct login *l, int64_t *ret_left_ms);
bool login_ready(const struct login *l);

// The store has said that the token is no longer valid: log in again at once.
void login_lost(struct login *l);
// A request was refused (403) for a reason that may be either: find out whether the credential or the right is
// missing; in the first case log in again at once. Coalesced while one check is under way;
// a credential that was checked within the last seconds is not checked again.
void login_doubt(struct login *l);
// A credential file has changed: log in with it, keep the old token until that worked.
void login_refresh(struct login *l);
// Ends: awaits a login that is under way, and gives the credential back if `revoke`; `done`
// runs in any case.
void login_end(struct login *l, bool revoke, void (*done)(void *ctx), void *ctx);
// Until the credential ends: -1 when there is none, INT64_MAX when it does not end.
int64_t login_left_ms(const struct login *l);
// For status: "ready", "logging in", "waiting", …
const char *login_state_name(const struct login *l);
