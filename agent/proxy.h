// SPDX-License-Identifier: Apache-2.0
// The peer's API proxy: requests that come to a listener go to the store, with the agent's
// token where the configuration says so, and answers that hold a lease are kept and their
// leases renewed, so that asking twice makes one credential.
//
//	api_proxy { use_auto_auth_token = true|false|"force" }
//	cache { use_auto_auth_token = …, persist … }   // the same, and keeps leases
//
// true: the agent's token where the client sends none; "force": always the agent's; false:
// the client's own. What is kept: answers of status 200 with a lease that can be renewed, asked
// for with the agent's token, which no answer shows. Keys and values are answered from the
// store each time, as by the peer.
// Tokens that clients create are passed on and not kept.
//
// Errors have the store's form: {"errors":["…"]}.
#pragma once

#include "agent/agent.h"
#include "lib/http/server.h"

enum { PROXY_TIMEOUT_MS = 60000 };

struct proxy;

// *ret is NULL without a cache and an api_proxy stanza. Fails when the default store is none
// of type vault, or both stanzas name use_auto_auth_token.
MUST_CHECK bool proxy_new(struct loop *l, const struct conf *conf, struct agent *a,
			  struct proxy **ret, struct err *e);
// Cancels what is under way; kept leases are not revoked (they end with the token).
void proxy_free(struct proxy *p);

void proxy_serve(struct proxy *p, struct http_exchange *x);
// POST /agent/v1/cache-clear; p may be NULL.
void proxy_clear(struct proxy *p, struct http_exchange *x);
void proxy_answer_error(struct http_exchange *x, int status, const char *text);
