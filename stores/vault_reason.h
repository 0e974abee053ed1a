// SPDX-License-Identifier: Apache-2.0
// From a refusal of Vault's to one plain line with its remedy, and to the kind of error that
// says what to do. Pure, but for the time in the description of a refused token.
//
// Which words of the server get into the line: none of an answer about secrets. The `errors`
// of a refused login may ("role "x" could not be found" says more than we could), because a
// login's answer can hold nothing secret but what we sent ourselves: they are passed on cut
// to VAULT_SAID_MAX letters, in one line, and not at all when they hold a piece of what was
// sent (a token, a secret id, a password) or a word that looks like a token.
//
// The cause is the HTTP status (store.h, store_fault_is_whole()).
#pragma once

#include <jansson.h>

#include "lib/base/err.h"

enum vault_act {
	VAULT_LOGIN,
	VAULT_UNWRAP, // a wrapped secret id, for a login
	VAULT_TOKEN,  // look-up, renewal, revocation of our own token
	VAULT_READ,
	VAULT_LIST,
	VAULT_WRITE,
	VAULT_LEASE, // renewal or revocation
};

enum { VAULT_SAID_MAX = 160 };

struct vault_refusal {
	enum vault_act act;
	int status;
	int64_t retry_after_ms;
	const char *path; // as the API knows it: "kv/data/app", "auth/kubernetes/login"
	bool kv_unknown;  // it is not known whether the path wants data/ in it
	const char *role; // of a login, or NULL
	const char *body; // of the answer; may be anything
	size_t body_len;
	const json_t *sent; // the login's body, which must not come back
};

// Always false.
bool vault_refused(const struct vault_refusal *r, struct err *e);
