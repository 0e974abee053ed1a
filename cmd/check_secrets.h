// SPDX-License-Identifier: Apache-2.0
// Finds Kubernetes Secrets in plaintext in a tree of manifests, for `ampoule check`: a Secret
// (v1) with data or stringData has its values in Base64 at most, for everybody who reads the
// repository.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct secret_finding {
	const char *file;
	unsigned line;      // where the document begins
	const char *name;   // of the Secret; "?" when it has none
	const char *remedy; // what to do, one line
};
typedef void secret_found_fn(void *ctx, const struct secret_finding *f);

// Looks at a file, or at all *.yaml, *.yml and *.json files below a folder (.git and links
// are left out). A file that is no YAML, as a Helm template, is searched line by line;
// values that are template expressions are no plaintext. *ret_found: how many.
MUST_CHECK bool check_secrets(const char *path, secret_found_fn *found, void *ctx,
			      size_t *ret_found, struct err *e);
