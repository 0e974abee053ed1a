// SPDX-License-Identifier: Apache-2.0
// Key pairs of RSA (2048 to 8192 bits) and of ECDSA on P-256 and P-384: load, make, sign,
// verify, and RSA-OAEP. Ed25519 and X25519 keys are plain bytes with headers of their own.
//
// A struct pkey holds a private key or a public one only; it does not change once made.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "lib/crypto/digest.h"

struct pkey;

enum pkey_type { PKEY_RSA, PKEY_P256, PKEY_P384 };

// The first private key in PEM text: PKCS#8 ("PRIVATE KEY"), PKCS#1 ("RSA PRIVATE KEY") or
// SEC 1 ("EC PRIVATE KEY"), not encrypted. Other blocks, as certificates, are skipped.
MUST_CHECK bool pkey_from_pem(struct bytes pem, struct pkey **ret, struct err *e);
// The first of a public key ("PUBLIC KEY", "RSA PUBLIC KEY") or a certificate.
MUST_CHECK bool pkey_public_from_pem(struct bytes pem, struct pkey **ret, struct err *e);
// A SubjectPublicKeyInfo (RFC 5280 section 4.1).
MUST_CHECK bool pkey_public_from_der(struct bytes spki, struct pkey **ret, struct err *e);
MUST_CHECK bool pkey_generate_p256(struct pkey **ret, struct err *e);
void pkey_free(struct pkey *k);
void auto_pkey_(struct pkey **k);
#define AUTO_PKEY AUTO(auto_pkey_)

enum pkey_type pkey_type(const struct pkey *k);
unsigned pkey_bits(const struct pkey *k);
bool pkey_is_private(const struct pkey *k);

// The private key as PEM (SEC 1, "EC PRIVATE KEY"). RSA keys are never written: ERR_BUG.
MUST_CHECK bool pkey_to_pem(const struct pkey *k, struct buf *to, struct err *e);
// The public key as SubjectPublicKeyInfo: equal bytes for equal keys in both builds.
MUST_CHECK bool pkey_public_der(const struct pkey *k, struct buf *to, struct err *e);
MUST_CHECK bool pkey_public_pem(const struct pkey *k, struct buf *to, struct err *e);

// A signature over a digest of the SHA-2 family: PKCS#1 v1.5 for RSA (JWT's RS256), a DER
// ECDSA-Sig-Value for elliptic curves (RFC 3279 section 2.2.3, as certificates carry it).
MUST_CHECK bool pkey_sign(const struct pkey *k, enum digest_alg alg, struct bytes message,
			  struct buf *to, struct err *e);
MUST_CHECK bool pkey_verify(const struct pkey *k, enum digest_alg alg,
			    struct bytes message, struct bytes signature, struct err *e);

// RSA-OAEP with SHA-256 for both digests (RFC 8017 section 7.1); the label may be empty.
// Decryption fails with one error whatever the reason, so that it is no oracle.
MUST_CHECK bool pkey_oaep_encrypt(const struct pkey *k, struct bytes label,
				  struct bytes message, struct buf *to, struct err *e);
MUST_CHECK bool pkey_oaep_decrypt(const struct pkey *k, struct bytes label,
				  struct bytes sealed, struct buf *to, struct err *e);
