// SPDX-License-Identifier: Apache-2.0
// A collection, or one object of it, listed and then followed for as long as the watch
// lives. What went wrong is tried again by itself: a stream that ends goes on from the last
// version, one whose version the API server has forgotten (410) begins with a list again.
//
// The owner keeps what it was last told while the API server is away.
//
// A list comes in pages of KUBE_PAGE, each as a call of `listed`; what none of its pages held
// is gone. A page that fails begins the list again, with `first`.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/kube/kube.h"

enum {
	KUBE_PAGE = 500,
	KUBE_RETRY_MIN_MS = 250,
	KUBE_RETRY_MAX_MS = 15000,
	KUBE_WATCH_S = 240, // a stream is begun anew after that, and a random fourth more
	KUBE_WATCH_GRACE_MS = 15000, // and given up that long after its end was due
};

struct kube_watch_opts {
	const char *path;   // of the collection: "/api/v1/namespaces"
	const char *name;   // only the object of this name; NULL: all
	bool metadata_only; // objects come without spec, status and data
	// None of these may free the watch.
	void (*listed)(void *ctx, const json_t *items, bool first, bool last);
	void (*changed)(void *ctx, const json_t *object, bool gone);
	// Each time when it fails, with the reason; and with NULL when it works again.
	void (*health)(void *ctx, const struct err *e);
	void *ctx;
};

struct kube_watch;
// Begins from the loop, later. The strings are copied.
struct kube_watch *kube_watch_new(struct kube *k, const struct kube_watch_opts *o)
	__attribute__((returns_nonnull));
void kube_watch_free(struct kube_watch *w); // before its kube. NULL is fine
