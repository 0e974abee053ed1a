// SPDX-License-Identifier: Apache-2.0
// Shapes the sealed store's answers as templates expect them.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "stores/sealed_read.h"

// "db/password?version=3" → "db/password", 3; without a version 0. The caller frees.
MUST_CHECK bool sealed_ask_path(const char *ask, char **ret_path, uint64_t *ret_version,
				struct err *e);

// {"data": …, "lease_id": "", …}. A value that is a JSON object is the data itself; other
// text becomes {"value": TEXT}; other bytes {"value": BASE64, "encoding": "base64"}.
json_t *sealed_answer_body(const struct sealed_value *value);

// The names directly below the folder ("" = all), those of folders with a slash, sorted.
// Only lines that `counts` accepts; removed entries are left out. ERR_MISSING when empty.
struct sealed_list {
	const struct sealed_file *file;
	sealed_counts_fn *counts;
	void *ctx;
};
MUST_CHECK bool sealed_answer_list(const struct sealed_list *l, const char *folder,
				   json_t **ret, struct err *e);
