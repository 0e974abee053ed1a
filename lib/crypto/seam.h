// SPDX-License-Identifier: Apache-2.0
// What lib/crypto/openssl and lib/crypto/mbedtls implement beyond the public headers, for the
// shared code above them. Nobody outside lib/crypto includes this.
//
// Implemented by each half under the public name: crypto_init, crypto_version, digest_of,
// digest_new, digest_add, digest_end, digest_free, hmac_of, x25519_public, ed25519_public,
// ed25519_sign, and all that stands here.
#pragma once

#include "lib/crypto/aead.h"
#include "lib/crypto/ed25519.h"
#include "lib/crypto/pkey.h"
#include "lib/crypto/x25519.h"

// `out` has room for the result: plain and tag, or sealed less the tag (at least the tag's
// length, checked). What a failed opening has written is the caller's to wipe.
MUST_CHECK bool aead_half_seal(const struct aead *a, struct bytes plain,
			       unsigned char *out);
MUST_CHECK bool aead_half_open(const struct aead *a, struct bytes sealed,
			       unsigned char *out);

// The shared secret without the test for zero.
MUST_CHECK bool x25519_multiply(const unsigned char private_key[static X25519_LEN],
				const unsigned char point[static X25519_LEN],
				unsigned char ret[static X25519_LEN], struct err *e);

// The cofactorless equation; the caller has checked the key's and S's form.
MUST_CHECK bool ed25519_equation(const unsigned char public_key[static ED25519_KEY_LEN],
				 struct bytes message,
				 const unsigned char signature[static ED25519_SIG_LEN],
				 struct err *e);

// One iteration count and length that were checked.
struct pbkdf2;
MUST_CHECK bool pbkdf2_derive(const struct pbkdf2 *in, unsigned char *ret, size_t len,
			      struct err *e);

struct pkey {
	enum pkey_type type;
	unsigned bits;
	bool is_private;
	void *impl; // EVP_PKEY or mbedtls_pk_context
};

enum {
	PKEY_BITS_MIN = 2048, // of RSA
	PKEY_BITS_MAX = 8192,
	PKEY_SIG_MAX = PKEY_BITS_MAX / 8, // longest signature, and longest OAEP block
	PKEY_SCALAR_MAX = 48,             // P-384
};

// Each fills type, bits and impl of *k, which arrives zeroed but for is_private. `der` is one
// complete SEQUENCE: PKCS#8, PKCS#1 or SEC 1 when private, else SubjectPublicKeyInfo.
MUST_CHECK bool pkey_half_load(struct pkey *k, struct bytes der, struct err *e);
MUST_CHECK bool pkey_half_generate_p256(struct pkey *k, struct err *e);
void pkey_half_free(void *impl); // accepts NULL
MUST_CHECK bool pkey_half_public_der(const struct pkey *k, struct buf *to, struct err *e);
// The private number of an elliptic key, as many bytes as the curve has.
MUST_CHECK bool pkey_half_scalar(const struct pkey *k, unsigned char *ret, struct err *e);
// `hash` is a digest of kind alg; `ret` has room for PKEY_SIG_MAX bytes.
MUST_CHECK bool pkey_half_sign(const struct pkey *k, enum digest_alg alg,
			       struct bytes hash, unsigned char *ret, size_t *ret_len,
			       struct err *e);
bool pkey_half_verify(const struct pkey *k, enum digest_alg alg, struct bytes hash,
		      struct bytes signature);
// `ret` has room for PKEY_SIG_MAX bytes. The error of a decryption is the caller's.
struct oaep_io {
	struct bytes label;
	struct bytes in;
	unsigned char *ret;
	size_t ret_len;
};
MUST_CHECK bool pkey_half_oaep_encrypt(const struct pkey *k, struct oaep_io *io,
				       struct err *e);
bool pkey_half_oaep_decrypt(const struct pkey *k, struct oaep_io *io);
