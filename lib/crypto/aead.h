// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption in one call: ChaCha20-Poly1305 (RFC 8439, 96-bit nonce) and
// AES-256-GCM (NIST SP 800-38D, 96-bit nonce, 128-bit tag).
//
// A nonce must never be used twice with a key: both ciphers lose secrecy and authenticity
// then. Take a fresh key for each message (as age does), or count.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

enum aead_alg { AEAD_CHACHA20_POLY1305, AEAD_AES_256_GCM };

enum {
	AEAD_KEY_LEN = 32,
	AEAD_NONCE_LEN = 12,
	AEAD_TAG_LEN = 16,
	AEAD_INPUT_MAX = 1 << 30, // of a message or of its additional data
};

struct aead {
	enum aead_alg alg;
	const unsigned char *key;   // AEAD_KEY_LEN bytes
	const unsigned char *nonce; // AEAD_NONCE_LEN bytes
	struct bytes aad;           // bound to the message, not part of it; may be empty
};

// Appends the ciphertext and its tag: plain.len + AEAD_TAG_LEN bytes. `plain` must not lie
// in `to`.
MUST_CHECK bool aead_seal(const struct aead *a, struct bytes plain, struct buf *to,
			  struct err *e);
// Appends the plaintext when the tag is right; else ERR_DENIED, and no byte of it is left.
MUST_CHECK bool aead_open(const struct aead *a, struct bytes sealed, struct buf *to,
			  struct err *e);
