// SPDX-License-Identifier: Apache-2.0
// Bech32 (BIP 173), the letters that age keys are written in: a human-readable part, '1',
// the bytes in a 32-letter alphabet, and a checksum that finds any four wrong letters.
// age lifts the limit of 90 letters; a text is all lower or all upper case.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/crypto/bytes.h"

enum { BECH32_KEY_LEN = 32 };

// Appends `key` in lower case, or in upper case when hrp is ("AGE-SECRET-KEY-").
bool bech32_write(const char *hrp, const unsigned char key[static BECH32_KEY_LEN],
		  struct buf *to);
// The 32 bytes of `text`, whose human-readable part must be hrp (in hrp's own case). Errors
// never show the text: it may be a private key.
MUST_CHECK bool bech32_read(struct str text, const char *hrp,
			    unsigned char ret[static BECH32_KEY_LEN], struct err *e);
