// SPDX-License-Identifier: Apache-2.0
// Certificates (RFC 5280): look into them, match them with keys, and make a CA and leaves
// for a webhook that has no other issuer.
//
// Reading and writing stand above the seam, on der.h, so that both builds see the same and
// write the same; only signatures are the TLS library's. Whether a peer is to be trusted is
// decided by the TLS library, in lib/tls and libcurl; x509_names_host() may refuse more, on
// top of it, and never takes what the library refused.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/pkey.h"

enum x509_san_type { X509_DNS, X509_IP, X509_EMAIL, X509_URI };

struct x509_san {
	enum x509_san_type type;
	char *text; // "vault.svc", "10.0.0.1", "::1"
};

enum { X509_CHAIN_MAX = 512 };

// A certificate that was read. All members may be read, none written.
struct x509 {
	char *subject; // "CN=ampoule,O=x", in the order of the certificate; controls escaped
	char *issuer;
	char *serial;       // lower-case hex
	int64_t not_before; // seconds since 1970
	int64_t not_after;
	struct x509_san *sans;
	size_t n_sans;
	bool is_ca;
	unsigned char sha256[DIGEST_SHA256_LEN]; // fingerprint
	struct buf der;
	// Pieces of der, each with tag and length but for the signature's bits.
	struct bytes tbs, issuer_der, subject_der, spki, signature_alg, signature;
	struct bytes key_id; // subject key identifier; empty when absent
};

MUST_CHECK bool x509_from_der(struct bytes der, struct x509 **ret, struct err *e);
// The first certificate of PEM text.
MUST_CHECK bool x509_from_pem(struct bytes pem, struct x509 **ret, struct err *e);
void x509_free(struct x509 *c);
void auto_x509_(struct x509 **c);
#define AUTO_X509 AUTO(auto_x509_)

// All certificates of a bundle, in order; other blocks are skipped. One that cannot be read
// fails the whole with its number. ERR_MISSING when there is none.
struct x509_chain {
	struct x509 **certs;
	size_t n;
};
MUST_CHECK bool x509_chain_from_pem(struct bytes pem, struct x509_chain *ret,
				    struct err *e);
void x509_chain_release(struct x509_chain *c);
#define AUTO_X509_CHAIN AUTO(x509_chain_release)

// Whether the certificate's public key is that of `k`, private or public.
MUST_CHECK bool x509_matches_key(const struct x509 *c, const struct pkey *k,
				 struct err *e);
// Whether a client that asks for `host` (a DNS name or an IP address) may be served: exact,
// or a wildcard as the whole first label (RFC 6125 section 6.4). The subject does not count,
// nor does the dot at the end of an absolute DNS name.
bool x509_names_host(const struct x509 *c, const char *host);
// Whether `issuer` signed `c`: names agree, issuer is a CA, the signature verifies.
MUST_CHECK bool x509_issued_by(const struct x509 *c, const struct x509 *issuer,
			       struct err *e);
// Appends the certificate as PEM.
MUST_CHECK bool x509_to_pem(const struct x509 *c, struct buf *to, struct err *e);

// What a certificate to be made shall say.
struct x509_spec {
	const char *common_name;  // 1 to 64 letters of UTF-8
	const char *const *names; // DNS names and IP addresses of a leaf
	size_t n_names;
	int64_t not_before; // seconds since 1970
	int64_t not_after;
	bool client; // for client authentication too, not for servers only
};

// A self-signed CA (path length 0) for an elliptic key, signed with SHA-256.
MUST_CHECK bool x509_make_ca(const struct x509_spec *spec, const struct pkey *key,
			     struct x509 **ret, struct err *e);
// A leaf for `key` (private or public), signed by the CA.
struct x509_issuer {
	const struct x509 *cert;
	const struct pkey *key;
};
MUST_CHECK bool x509_make_leaf(const struct x509_spec *spec, const struct pkey *key,
			       const struct x509_issuer *by, struct x509 **ret,
			       struct err *e);
