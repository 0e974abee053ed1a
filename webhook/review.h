// SPDX-License-Identifier: Apache-2.0
// AdmissionReview, in and out: admission.k8s.io/v1 and v1beta1. The reader is strict about
// what it needs (a request with a uid) and leaves the rest alone.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

// The webhook's memory is bounded by these: an API server sends 3 MiB at most, and the longest
// pod that it stores has some 10,000 values.
enum { REVIEW_MAX = 8 << 20, REVIEWS_MAX = 2 * REVIEW_MAX, REVIEW_VALUES_MAX = 100000 };

struct review {
	json_t *document; // owns what the others point to
	const char *api_version, *uid, *namespace_, *name, *operation, *kind;
	const char *sub_resource; // "" for the object itself
	const json_t *object;     // or NULL
	const json_t *old_object; // of an update; or NULL
	const char *user;         // who asks: "system:node:one"
	bool dry_run;
};

// Errors are for an HTTP status 400.
MUST_CHECK bool review_parse(const char *text, size_t len, struct review *ret,
			     struct err *e);
void review_release(struct review *r);

struct review_answer {
	bool allowed;
	const char *message;    // of a refusal
	const json_t *patch;    // operations, or NULL
	const json_t *warnings; // or NULL
	const json_t *audit;    // annotations for the API server's audit log; or NULL
};
void review_write(const struct review *r, const struct review_answer *a, struct buf *to);
