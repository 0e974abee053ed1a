// SPDX-License-Identifier: Apache-2.0
// age v1 (age-encryption.org/v1) for X25519 recipients, whole messages in memory: what the
// age program seals we open, and the reverse. Not for passphrases, plugins or armor.
//
// A message is sealed to every recipient alike: each opens it alone, none sees who else can.
// It proves nothing about who sealed it: everybody who has the public keys can.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "stores/age_key.h"

enum {
	AGE_CHUNK = 64 * 1024,
	AGE_FILE_KEY_LEN = 16,
	AGE_NONCE_LEN = 16,
	AGE_MESSAGE_MAX = 16 * 1024 * 1024,
};

struct age_to {
	const struct age_recipient *recipients;
	size_t n; // 1 to AGE_KEYS_MAX
};

// Appends the sealed message to *to.
MUST_CHECK bool age_seal(struct age_to recipients, struct bytes plain, struct buf *to,
			 struct err *e);

// Appends the plaintext, all or nothing. ERR_DENIED when no key of the ring fits, or when the
// bytes were changed; ERR_CONFIG when it is no age file; ERR_LIMIT when *to is too small.
MUST_CHECK bool age_open(const struct age_keyring *ring, struct bytes sealed,
			 struct buf *to, struct err *e);
