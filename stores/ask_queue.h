// SPDX-License-Identifier: Apache-2.0
// For stores that read files: collects the asks of one round of the loop and answers them
// together later, so that a file and its keys are read once for all, and never from inside a
// fetch. Embedded in the store; a callback may close the store.
#pragma once

#include <stdbool.h>

#include "stores/store.h"

struct ask {
	enum store_verb verb;
	char *path;
	store_done_fn *done;
	void *ctx;
	struct ask *next;
};

// What a store does with them. `round` is whatever begin prepares; end gets it in any case.
struct ask_server {
	bool (*begin)(struct store *s, void **round, struct err *e);
	// Calls a->done once, last of all.
	void (*answer)(struct store *s, void *round, const struct ask *a);
	void (*end)(void *round);
};

struct ask_queue {
	const struct ask_server *server;
	struct store *store;
	struct loop *loop;
	struct ask *first, **last;
	bool *closed; // set while answering
};

void ask_queue_init(struct ask_queue *q, struct loop *loop,
		    const struct ask_server *server, struct store *store);
void ask_queue_add(struct ask_queue *q, const struct store_ask *ask, store_done_fn *done,
		   void *ctx);
// Forgets what waits; no callback runs any more.
void ask_queue_release(struct ask_queue *q);
