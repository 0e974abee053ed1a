// SPDX-License-Identifier: Apache-2.0
// Kubernetes manifests: YAML (or JSON, which is YAML) into json_t documents. The one door to
// libyaml. A scalar in quotes or block form is a string; a plain one too, but for null, true
// and false: numbers keep their text.
//
// Strict where a manifest is: a double key, an alias (a bomb in a few bytes), too many nodes
// or levels are errors with a line number. libyaml's own buffers are not on the wiping heap:
// in the agent only ciphertext passes here.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
	MANIFEST_MAX = 16 * 1024 * 1024,
	MANIFEST_DEPTH_MAX = 64,
	MANIFEST_NODES_MAX = 200000
};

struct manifest_doc {
	json_t *root;
	unsigned line; // 1-based, where it begins
};

struct manifest {
	struct manifest_doc *docs; // empty ones left out; kind: List is taken apart
	size_t n;
};

// name is for messages.
MUST_CHECK bool manifest_parse(struct str text, const char *name, struct manifest *ret,
			       struct err *e);
void manifest_release(struct manifest *m);
#define AUTO_MANIFEST AUTO(manifest_release)

// "kind", or "metadata" "name": the string there, or NULL. key may be NULL.
const char *manifest_str(const json_t *o, const char *key, const char *below);
