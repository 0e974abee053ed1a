// SPDX-License-Identifier: Apache-2.0
// A webhook that makes its own certificates. Every replica does the same, none leads:
//
//  1. All follow one Secret (cert_set.h) and their own two registrations.
//  2. Who first finds the Secret missing, broken or due writes a new generation, by the
//     version that it has seen; of several one wins, the others read what it wrote.
//  3. Each adds the Secret's CAs to caBundle where they are missing (cert_trust.h).
//  4. Each serves the newest leaf once both registrations have trusted its CA for `settle`,
//     and the former one until then, so that every API server knows a CA before it is used.
//
// A deleted Secret is made anew as a renewal: what is served now stays trusted. While the API
// server is away everything stays as it is.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "lib/kube/kube.h"

struct certs;

struct certs_opts {
	struct loop *loop;
	struct kube *kube;
	const char *namespace_, *secret, *service, *registration; // outlive us
	const json_t *names; // of the leaf beside the service's; or NULL
	int64_t lifetime_ms, renew_ms, settle_ms;
	// Serve with that from now on.
	bool (*serve)(void *ctx, struct bytes cert_pem, struct bytes key_pem,
		      struct err *e);
	void *ctx;
};

// Serves at once, with a certificate that nobody trusts, so that probes are answered.
MUST_CHECK bool certs_new(const struct certs_opts *o, struct certs **ret, struct err *e);
void certs_free(struct certs *c); // NULL is fine

// A reason, or NULL: what is served is valid now, and the API servers trust it.
const char *certs_not_ready(struct certs *c);
uint64_t certs_made(const struct certs *c); // generations written by this replica
