// SPDX-License-Identifier: Apache-2.0
// Changes a sealed file on disk. Writers of one folder wait for each other (a lock on the
// folder, which leaves nothing behind); before the new file takes the old one's place the old
// one is compared with what was read, and when somebody else (Git, an editor) has changed it,
// the change is made again on the new content. A crash at any moment leaves the old or the
// new file, whole.
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"
#include "stores/sealed_file.h"

// Changes f. May run several times, each time on a fresh f; false ends the update and leaves
// the file alone.
typedef bool sealed_change_fn(void *ctx, struct sealed_file *f, struct err *e);

struct sealed_update {
	const char *path;
	bool create; // a missing file is an empty one
	sealed_change_fn *change;
	void *ctx;
};

// *ret_size: bytes of the new file (for the ConfigMap warning).
MUST_CHECK bool sealed_update(const struct sealed_update *u, size_t *ret_size,
			      struct err *e);

// Reads without a lock; ERR_MISSING when there is no file.
MUST_CHECK bool sealed_load(const char *path, struct sealed_file *ret, struct err *e);
