// SPDX-License-Identifier: Apache-2.0
// The sealed form of the state (agent/state.h): bytes in, bytes out. Pure; fuzzed
// (test/fuzz/state_fuzz.c).
//
// Format, version 1; numbers are big-endian:
//
//	16  "ampoule state 1\n"
//	32  SHA-256 of the pod's name (struct state_key), so that a stranger's file is told as one
//	32  salt, fresh for each writing
//	 8  length of what follows
//	    ciphertext and tag: ChaCha20-Poly1305 (lib/crypto/aead.h), nonce 0, the 88 bytes
//	    before as additional data, key = HKDF-SHA-256(secret, salt, "ampoule state 1\n" +
//	    pod's name)
//
// A key is used for one message only, so that the constant nonce is never used twice with
// it. What is sealed is the JSON document of agent/state_doc.h.
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

enum { STATE_MAX = 16 << 20, STATE_SECRET_MIN = 32, STATE_SECRET_MAX = 64 * 1024 };

struct state_key {
	struct bytes secret; // the key file, STATE_SECRET_MIN bytes or more
	const char *pod;     // who writes and who may read, in public
};

MUST_CHECK bool state_seal(const struct state_key *k, struct bytes plain, struct buf *to,
			   struct err *e);
// Appends the document. The error says which it is: another version, another pod's, cut, or
// another key (or changed bytes, which look alike).
MUST_CHECK bool state_unseal(const struct state_key *k, struct bytes sealed,
			     struct buf *to, struct err *e);
