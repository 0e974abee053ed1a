// SPDX-License-Identifier: Apache-2.0
// The peers' encrypted token sink: AES-256-GCM under a key agreed by X25519 with whoever
// shall read it, as a line of JSON:
//
//	{"curve25519_public_key": our fresh key, "nonce": …, "encrypted_payload": …}
//
// each in base64. The key is the agreed secret itself, or, when derived, HKDF-SHA256 of it
// with the lower of the two public keys as salt and the higher one as info.
// Source: helper/dhutil and command/agentproxyshared/sink of OpenBao 2.7.
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "lib/crypto/x25519.h"

enum { ENVELOPE_KEY_FILE_MAX = 4096 };

// The reader's key file: {"curve25519_public_key": "BASE64"} of 32 bytes.
MUST_CHECK bool envelope_key(const char *text, size_t len,
			     unsigned char ret[static X25519_LEN], struct err *e);

struct envelope {
	const unsigned char *reader; // public key, X25519_LEN bytes
	bool derive_key;
	struct bytes aad; // bound to the payload; the reader must know it
};
// Appends the line. A fresh key pair each time: no nonce can repeat under a key.
MUST_CHECK bool envelope_seal(const struct envelope *how, struct bytes plain,
			      struct buf *to, struct err *e);
