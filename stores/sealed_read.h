// SPDX-License-Identifier: Apache-2.0
// Reads one value of a sealed file with everything that a reader must check: damage,
// signature, binding, scope, removal, rollback. The store and the commands read through here.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "stores/sealed_file.h"
#include "stores/sealed_seal.h"
#include "stores/sealed_sign.h"

struct sealed_reader {
	const struct sealed_file *file;
	const struct age_keyring *ring;
	const struct sealed_writers *writers; // NULL = signatures are not demanded
	const struct sealed_place *place; // NULL = the scope is not checked (commands)
};

struct sealed_value {
	uint64_t version; // that was asked for or is the newest
	uint64_t
		newest; // the newest version, proved by opening it; set for a removal too
	int64_t made_ms;  // the line's own time, 0 = none
	struct buf bytes; // SEALED_VALUE_MAX
};
#define SEALED_VALUE_INIT                                                                \
	{                                                                                \
		.bytes = BUF_INIT(SEALED_VALUE_MAX)                                      \
	}
void sealed_value_release(struct sealed_value *v);
#define AUTO_SEALED_VALUE AUTO(sealed_value_release)

// The value of the newest version, or of one (version > 0). ERR_MISSING when there is none;
// ERR_MISSING with cause STORE_GONE when the newest record is a removal that opens and is
// signed as demanded: then no older version is given out either.
MUST_CHECK bool sealed_read(const struct sealed_reader *r, const char *path,
			    uint64_t version, struct sealed_value *ret, struct err *e);

// Opens one line as it is, removals (an empty value) and rollbacks (empty too) included.
MUST_CHECK bool sealed_read_line(const struct sealed_reader *r,
				 const struct sealed_line *l, struct buf *ret,
				 struct err *e);
