// SPDX-License-Identifier: Apache-2.0
// Seals a value into a line and opens it again. The plaintext's first line is the clear part
// of the sealed line, byte for byte: path, version, action, scope, time and author are bound
// inside the ciphertext, and a line that was moved or edited does not open.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "stores/age.h"
#include "stores/sealed_line.h"

// Makes the line (not signed). ERR_LIMIT for a value above SEALED_VALUE_MAX.
MUST_CHECK bool sealed_seal(const struct sealed_entry *entry, struct age_to recipients,
			    struct bytes value, struct sealed_line *ret, struct err *e);
// Appends the value. The line must not be damaged.
MUST_CHECK bool sealed_open(const struct sealed_line *l, const struct age_keyring *ring,
			    struct buf *ret_value, struct err *e);

// --- who may open it where: the wall is the private key; the scope keeps an honest agent
// from serving an entry of another team that shares the key.
struct sealed_place {
	const char *namespace_;      // NULL = not known
	const char *service_account; // NULL = not known
};
MUST_CHECK bool sealed_scope_allows(const char *scope, const struct sealed_place *place,
				    struct err *e);
