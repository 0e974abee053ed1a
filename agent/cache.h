// SPDX-License-Identifier: Apache-2.0
// What the agent holds: one entry a secret, however many templates want it.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/entry.h"

struct cache;

struct cache *cache_new(void);
// Frees the entries too; leases are not revoked here.
void cache_free(struct cache *c);

struct cache_ask {
	struct source *source;
	enum store_verb verb;
	const char *path;
	const json_t *params; // NULL unless a write
};

// The entry for that question, made when there is none (*ret_new is true then).
struct entry *cache_get(struct cache *c, const struct cache_ask *ask, bool *ret_new);

// Walks: first with NULL, then with the last one; NULL at the end.
struct entry *cache_next(const struct cache *c, const struct entry *after);
// Takes out and frees an entry that nobody wants.
void cache_drop(struct cache *c, struct entry *en);
