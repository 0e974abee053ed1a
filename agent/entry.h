// SPDX-License-Identifier: Apache-2.0
// One secret that templates want: what to ask, the last answer, and when to ask again. The
// cache (cache.h) owns entries; source.c drives them.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/mint.h"
#include "lib/base/err.h"
#include "lib/loop/loop.h"
#include "stores/store.h"

struct source;

enum entry_state {
	ENTRY_NEW,  // never answered
	ENTRY_HELD, // body is the last good answer, however old
	ENTRY_GONE, // the store proved twice that it was removed
};

struct entry {
	struct entry *next; // in the cache
	char *key;          // store, verb, path and parameters
	struct source *source;
	enum store_verb verb;
	char *path;
	json_t *params; // NULL unless a write

	enum entry_state state;
	json_t *body;
	char *version; // change key, "" when there is none
	enum store_life life;
	char *lease_id;
	int64_t lease_ms, granted_ms, until_ms; // until_ms: the lease's end, 0 = none
	bool renewable;
	int64_t cap_ms;  // when the token ends that the lease was got with, 0 = not known
	int64_t got_ms;  // when body came
	int64_t born_ms; // clock_wall_ms() when its version was made, or first seen
	int64_t checked_ms; // when the store last confirmed it

	struct err error; // of the last try, kind ERR_NONE when it was good
	bool in_flight, queued;
	int64_t asked_ms; // when the request under way was made
	bool gone_once;   // seen gone; the second look decides
	unsigned tries;
	struct mint mint;
	bool reused;         // a certificate out of our own files (pki.h)
	bool minting;        // what is under way makes a credential
	bool renewing;       // what is under way renews the lease
	int64_t interval_ms; // shortest of the outputs that want it
	uint64_t seed;
	struct loop_timer timer;
	bool renew_next;         // what is asked next: renew the lease, else fetch
	struct entry *wait_next; // in the source's queue
	bool wanted;             // mark of the last render pass
};

struct state_secret;
// What a predecessor held (agent/state.h): the entry is HELD at once; a lease is renewed and
// a static secret read again as soon as the store can be asked.
void entry_restore(struct entry *en, const struct state_secret *s);
// What was restored will not do: it is asked for.
void entry_forget_answer(struct entry *en);
// A held entry for a successor: a new object.
json_t *entry_save(const struct entry *en);
// The store's token was replaced; its leases end with the old one, in left_ms (0: they have
// ended; INT64_MAX: they do not).
void entry_token_replaced(struct entry *en, int64_t left_ms);

// The name for people and audit lines: "store:path". Borrowed until the next call.
const char *entry_name(const struct entry *en);
