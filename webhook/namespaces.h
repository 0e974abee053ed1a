// SPDX-License-Identifier: Apache-2.0
// What namespaces say: annotations of ours as defaults of their pods, labels for the
// selectors of policies. One shared, watched copy of their metadata.
//
// While the API server is away the last known state holds. A namespace that is not known yet
// (it may be a moment old) is asked for by its name: namespaces_ask().
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/kube/kube.h"

struct namespaces;

struct namespaces *namespaces_new(struct loop *l, struct kube *k)
	__attribute__((returns_nonnull));
void namespaces_free(struct namespaces *n); // NULL is fine

// The first list has come.
bool namespaces_ready(const struct namespaces *n);
size_t namespaces_count(const struct namespaces *n);

// {"annotations": {…}, "labels": {…}}, or NULL: not known. Borrowed until the next event of
// the loop. Annotations are those under our prefixes alone.
const json_t *namespaces_find(const struct namespaces *n, const char *name);

// Asks the API server for one that namespaces_find() does not know. `done` runs later from
// the loop; afterwards namespaces_find() knows it, or there is none, or `e` says why not.
typedef void namespaces_fn(void *ctx, const struct err *e);
void namespaces_ask(struct namespaces *n, const char *name, namespaces_fn *done,
		    void *ctx);
