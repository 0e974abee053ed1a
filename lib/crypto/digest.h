// SPDX-License-Identifier: Apache-2.0
// Digests and what is built from them: HMAC (RFC 2104), HKDF (RFC 5869), PBKDF2 (RFC 8018).
//
//	unsigned char sum[DIGEST_SHA256_LEN];
//	if (!digest_of(DIGEST_SHA256, BYTES_OF(file), sum, e)) …
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

enum digest_alg {
	DIGEST_MD5,  // only for the template functions of that name
	DIGEST_SHA1, // only for the template functions of that name
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
};

enum { DIGEST_SHA256_LEN = 32, DIGEST_SHA512_LEN = 64, DIGEST_LEN_MAX = 64 };

// Bytes of the result: 16, 20, 32, 48 or 64.
size_t digest_len(enum digest_alg alg);

// The digest of all bytes; ret has room for digest_len(alg). A library in FIPS mode refuses
// MD5: that is its ERR_BUG.
MUST_CHECK bool digest_of(enum digest_alg alg, struct bytes in, unsigned char *ret,
			  struct err *e);

// The same in pieces. A failure of digest_add() is remembered and told by digest_end().
struct digest;
MUST_CHECK bool digest_new(enum digest_alg alg, struct digest **ret, struct err *e);
void digest_add(struct digest *d, struct bytes piece);
// Once; afterwards only digest_free().
MUST_CHECK bool digest_end(struct digest *d, unsigned char *ret, struct err *e);
void digest_free(struct digest *d);
void auto_digest_(struct digest **d);
#define AUTO_DIGEST AUTO(auto_digest_)

// HMAC; ret has room for digest_len(alg). Compare MACs with crypto_equal().
MUST_CHECK bool hmac_of(enum digest_alg alg, struct bytes key, struct bytes in,
			unsigned char *ret, struct err *e);

struct hkdf {
	struct bytes secret; // input keying material
	struct bytes salt;   // empty: as many zero bytes as the digest has
	struct bytes info;   // at most 1 KiB
};

enum { HKDF_LEN_MAX = 255 * DIGEST_SHA256_LEN, HKDF_INFO_MAX = 1024 };

// HKDF with SHA-256, extract and expand; len is at most HKDF_LEN_MAX.
MUST_CHECK bool hkdf_sha256(const struct hkdf *in, unsigned char *ret, size_t len,
			    struct err *e);

struct pbkdf2 {
	struct bytes password;
	struct bytes salt;
	unsigned iterations; // 1 to 10,000,000
};

// PBKDF2 with HMAC-SHA-256; len is 1 to 1024.
MUST_CHECK bool pbkdf2_sha256(const struct pbkdf2 *in, unsigned char *ret, size_t len,
			      struct err *e);
