// SPDX-License-Identifier: Apache-2.0
// The text header of an age file (age-encryption.org/v1): who may open it, and its MAC.
// Parsing and writing only; what the stanzas mean for a key is age.c's.
//
//	age-encryption.org/v1
//	-> X25519 SHARE		one stanza a recipient; other types are skipped
//	WRAPPED-FILE-KEY
//	--- MAC
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "lib/crypto/x25519.h"
#include "stores/age_key.h"

enum {
	AGE_STANZAS_MAX = AGE_KEYS_MAX, // of all types
	AGE_BODY_MAX = 8 * 1024,        // bytes of a stanza's body, decoded
	AGE_WRAPPED_LEN = 32,           // a file key of 16 bytes and its tag
	AGE_MAC_LEN = 32,
};

struct age_stanza {
	unsigned char share[X25519_LEN];
	unsigned char wrapped[AGE_WRAPPED_LEN];
};

struct age_header {
	struct age_stanza stanzas[AGE_STANZAS_MAX]; // of type X25519
	size_t n;
	unsigned char mac[AGE_MAC_LEN];
	size_t mac_over; // bytes of the header that the MAC covers, "---" included
	size_t len;      // bytes of the header: the payload begins there
};

// Strict, as the specification asks: canonical Base64, full lines of 64 letters, one way to
// write each header.
MUST_CHECK bool age_header_parse(struct bytes file, struct age_header *ret,
				 struct err *e);

// Appends the header up to and with "---", which is what the MAC is made over.
bool age_header_write(const struct age_stanza *stanzas, size_t n, struct buf *to);
// Appends the rest of the last line.
bool age_header_finish(const unsigned char mac[static AGE_MAC_LEN], struct buf *to);
