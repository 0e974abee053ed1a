// SPDX-License-Identifier: Apache-2.0
// The webhook's own certificates as they lie in a Secret, and in memory. Pure: no clock, no
// network.
//
// A generation is one leaf and the CA that has signed it and nothing else: the CA's key is
// thrown away at once, so that nobody can steal it. A set holds the newest generation, the
// one before it (which is served until every API server can trust the newest), and the CAs
// that are to be trusted.
//
//	tls.crt, tls.key        the newest leaf (names as kubernetes.io/tls has them)
//	former.crt, former.key  the leaf before it; may be missing
//	ca.crt                  the CAs, newest first: what caBundle shall hold
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/x509.h"

enum {
	CERT_CAS_MAX = 8,
	// Clocks of machines differ: a certificate begins that long before it was made, and
	// nobody takes a CA away sooner than that after its end.
	CERT_SKEW_S = 600,
	CERT_KNOWN_S = 600, // every API server has seen a CA of that age
};

struct cert_gen {
	struct x509 *leaf, *ca; // NULL: there is none
	char *key;              // PEM
};
void cert_gen_release(struct cert_gen *g);
// Empty when g is.
struct cert_gen cert_gen_copy(const struct cert_gen *g);
bool cert_gen_is(const struct cert_gen *a, const struct cert_gen *b); // the same leaf
bool cert_gen_usable(const struct cert_gen *g, int64_t now_s);
int64_t cert_gen_made_s(const struct cert_gen *g);

// CAs, each once, newest first, CERT_CAS_MAX at most.
struct cert_cas {
	struct x509 *list[CERT_CAS_MAX];
	size_t n;
};
void cert_cas_release(struct cert_cas *c);
void cert_cas_add(struct cert_cas *c, const struct x509 *ca); // copies
bool cert_cas_has(const struct cert_cas *c, const struct x509 *ca);
bool cert_cas_equal(const struct cert_cas *a, const struct cert_cas *b);
bool cert_is_own_ca(const struct x509 *c); // one of our making
// Those of our own making in PEM text; *ret_others: there were other certificates or bytes. CAs
// of others are added to `foreign` as PEM text; it may be NULL.
void cert_cas_read(struct bytes pem, struct cert_cas *to, bool *ret_others,
		   struct buf *foreign);
void cert_cas_write(const struct cert_cas *c, struct buf *to);
void cert_cas_drop_ended(struct cert_cas *c, int64_t now_s); // with CERT_SKEW_S

struct cert_set {
	struct cert_gen newest, former;
	struct cert_cas cas;
};
void cert_set_release(struct cert_set *s);
#define AUTO_CERT_SET AUTO(cert_set_release)

// What a Secret holds. False: it has no whole newest generation, the error says why; CAs and
// the former one are read nevertheless. *ret is released by the caller in either case.
MUST_CHECK bool cert_set_read(const json_t *secret, struct cert_set *ret, struct err *e);
// The Secret with that set as its data, everything else as it was. The caller's.
json_t *cert_set_write(const struct cert_set *s, const json_t *secret);

struct cert_want {
	const char *const *names; // of the leaf
	size_t n_names;
	int64_t lifetime_s;
};
MUST_CHECK bool cert_gen_make(const struct cert_want *want, int64_t now_s,
			      struct cert_gen *ret, struct err *e);
// A new generation over what was: `served` is what we serve now, and becomes the former one
// where the set has lost its own.
MUST_CHECK bool cert_set_renew(const struct cert_set *old, const struct cert_gen *served,
			       const struct cert_want *want, int64_t now_s,
			       struct cert_set *ret, struct err *e);
// Whether the newest leaf stands for all the names.
bool cert_set_names_ok(const struct cert_set *s, const struct cert_want *want);
