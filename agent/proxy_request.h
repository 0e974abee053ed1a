// SPDX-License-Identifier: Apache-2.0
// From a client's request to the one that the store is asked. Pure and fuzzed.
#pragma once

#include "lib/base/secret.h"
#include "lib/conf/conf.h"
#include "lib/http/client.h"
#include "lib/http/server.h"

enum proxy_token { PROXY_TOKEN_CLIENT, PROXY_TOKEN_AUTO, PROXY_TOKEN_FORCE };

enum { PROXY_KEY_LEN = 32 };

struct proxy_rule {
	enum proxy_token use;
	const struct secret *token; // the agent's; NULL: none yet
	const char *base;           // "https://host:8200"
	const char *namespace_;     // for requests without one; NULL: none
};

struct proxy_request {
	char *method, *url;
	char *path; // without the query, for the audit and for clearing
	struct http_header headers[HTTP_FIELDS_MAX + 3];
	size_t n_headers;
	bool own_token;                   // the agent's goes along
	unsigned char key[PROXY_KEY_LEN]; // of all that decides the answer
};

// Leaves out what concerns the connection (Host, Connection, lengths, codings, Expect) and
// what would let the store answer in a form of its own (Accept-Encoding).
MUST_CHECK bool proxy_request_make(const struct http_incoming *in,
				   const struct proxy_rule *rule,
				   struct proxy_request *ret, struct err *e);
// Whether the policies' restrictions let the request pass: with rules about paths its path is
// below /v1/, written plainly and allowed, and the namespace is the store's, since another one
// would give the path another meaning. Whose token goes along does not matter.
MUST_CHECK bool proxy_request_allowed(const struct conf *c,
				      const struct conf_store *store,
				      const struct http_incoming *in, struct err *e);
void proxy_request_release(struct proxy_request *r);
