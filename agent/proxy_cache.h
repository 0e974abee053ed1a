// SPDX-License-Identifier: Apache-2.0
// Answers with a lease that the proxy keeps. Bounded; pure but for the memory that it holds;
// proxy.c renews and evicts.
#pragma once

#include <jansson.h>

#include "agent/proxy_request.h"
#include "lib/base/str.h"
#include "lib/loop/loop.h"

enum { PROXY_KEPT_MAX = 1000, PROXY_KEPT_BYTES = 8 << 20 };

struct proxy_kept {
	struct proxy_kept *next, **prev;
	unsigned char key[PROXY_KEY_LEN];
	char *path, *lease_id, *type;
	struct buf body;
	int64_t got_ms, until_ms;     // clock_mono_ms()
	int64_t lease_ms, granted_ms; // as lease.h has them
	bool renewable;
	struct loop_timer timer; // proxy.c's
	uint64_t seed;
	struct http_call *call; // a renewal under way, or NULL
	void *owner;
};

struct proxy_cache {
	struct proxy_kept *first;
	size_t n, bytes;
};

struct proxy_kept *proxy_cache_get(const struct proxy_cache *c, const unsigned char *key);
// Keeps the answer if it holds a lease that can be renewed; NULL when it does not, or when there is no room.
struct proxy_kept *proxy_cache_put(struct proxy_cache *c, const struct proxy_request *r,
				   const char *type, const struct buf *body);
void proxy_cache_drop(struct proxy_cache *c, struct proxy_kept *k);
void proxy_cache_drop_all(struct proxy_cache *c);

// What a request to the store ends besides itself: "/v1/sys/leases/revoke" with its lease,
// …/revoke-prefix/P, tokens. To be called when the store has said yes.
void proxy_cache_after(struct proxy_cache *c, const char *path, struct str body);
// {"type": "all"|"request_path"|"lease"|"token", "value": …}; token: the agent's own.
MUST_CHECK bool proxy_cache_order(struct proxy_cache *c, struct str body,
				  const struct secret *token, struct err *e);

// What a client may read of an answer that shows the agent's own token (lookup-self,
// renew-self): the same without it. False: the answer shows none, *to is empty.
bool proxy_hide_token(const struct secret *token, const struct buf *body, struct buf *to);
// Whether the token stands in it nevertheless, for whatever path was asked.
bool proxy_shows_token(const struct secret *token, const struct buf *body);
