// SPDX-License-Identifier: Apache-2.0
// Manifests as people write them: YAML documents into json_t and back. Order stays, comments
// go. Plain scalars are resolved as kubectl does it (YAML 1.1: `yes` is true), and what would
// be misread is quoted when written. Anchors and merge keys are unfolded.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum {
	YAML_TEXT_MAX = 16 << 20,
	YAML_VALUES_MAX = 200000, // aliases counted each time
	YAML_LEVELS_MAX = 64,
};

// An array with one element a document; empty documents are left out. Errors name file and
// line.
MUST_CHECK bool yaml_read(const char *file, const char *text, size_t len, json_t **ret,
			  struct err *e);
// One document, without its "---".
MUST_CHECK bool yaml_write(const json_t *doc, struct buf *to, struct err *e);
