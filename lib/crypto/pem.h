// SPDX-License-Identifier: Apache-2.0
// PEM blocks (RFC 7468), read and written. One strict reader for both TLS libraries, so that
// what one build accepts the other accepts too: keys and certificates reach them as DER.
//
// Text between blocks is skipped, as bundles carry comments there. Inside a block blanks and
// line ends may stand anywhere; headers (an encrypted key of RFC 1421) are refused.
//
//	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
//	while (pem_next(&rest, &b, e) && b.label[0]) …
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

enum { PEM_LABEL_MAX = 64, PEM_DER_MAX = 64 * 1024 };

struct pem_block {
	char label[PEM_LABEL_MAX]; // "CERTIFICATE"; "" when there was no further block
	struct buf der;
};

#define PEM_BLOCK_INIT                                                                   \
	{                                                                                \
		.der = BUF_INIT(PEM_DER_MAX)                                             \
	}

// Takes the next block off *rest into *ret, whose former content is wiped.
MUST_CHECK bool pem_next(struct bytes *rest, struct pem_block *ret, struct err *e);
// The first block whose label is `label`, or ends in it when it begins with '*'
// ("*PRIVATE KEY"). ERR_MISSING when there is none.
MUST_CHECK bool pem_find(struct bytes pem, const char *label, struct pem_block *ret,
			 struct err *e);
void pem_block_release(struct pem_block *b);
#define AUTO_PEM AUTO(pem_block_release)

// Appends a block with lines of 64 letters.
MUST_CHECK bool pem_write(const char *label, struct bytes der, struct buf *to,
			  struct err *e);
