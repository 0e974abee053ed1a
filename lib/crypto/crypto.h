// SPDX-License-Identifier: Apache-2.0
// The cryptography that the program has, behind types of our own. One header a subject:
//
//	digest.h   digests, HMAC, HKDF, PBKDF2	  pem.h   PEM blocks
//	aead.h     ChaCha20-Poly1305, AES-256-GCM  pkey.h  RSA and P-256 keys, OAEP, signatures
//	x25519.h   key agreement		   x509.h  inspect and make certificates
//	ed25519.h  signatures
//
// lib/crypto/openssl and lib/crypto/mbedtls implement what differs; the build links one
// of them. No #if, no table of pointers, and no other folder but lib/tls may name either
// library. What can be written once stands above the seam, in lib/crypto itself.
//
// Functions that fail return false and fill the error. Its kind:
//   ERR_CONFIG  the input is malformed or of a kind that we do not take
//   ERR_DENIED  it does not open or verify: another key, or the bytes were changed
//   ERR_LIMIT   the caller's buffer may not hold the result
//   ERR_BUG     the library refused what should have worked
// Results of fixed size are written whole or not at all; a struct buf is appended to, and is
// as before after an error. Keys and intermediate secrets are wiped by whoever made them;
// what the library allocates lies on the wiping heap.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

// Must be called by main() right after mem_init(), before any other use of this folder, of
// lib/tls or of libcurl: it routes the TLS library's allocations to the wiping heap, which
// the library allows only before its first allocation. A second call does nothing.
MUST_CHECK bool crypto_init(struct err *e);

// "OpenSSL 3.0.19" or "mbedTLS 3.6.6", the library linked at run time, for --version.
const char *crypto_version(void) __attribute__((returns_nonnull));

// Bytes of the kernel's generator, for keys and nonces.
MUST_CHECK bool crypto_random(void *ret, size_t len, struct err *e);

// Whether two secrets of equal length are equal, in a time that does not depend on where
// they differ. The length is no secret.
bool crypto_equal(const void *a, const void *b, size_t len);
