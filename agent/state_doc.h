// SPDX-License-Identifier: Apache-2.0
// What the state says: a JSON document, and its strict reading. Pure; fuzzed
// (test/fuzz/state_fuzz.c).
//
//	{"version": 1, "wall_ms": …, "mono_ms": …, "boot": "…",    when it was written
//	 "stores": {"vault": {"login": "…",                        digest of store and login
//	   "kept": {…},                                            the store's own: its token
//	   "secrets": {KEY: {"body": …, "version": "3", "life": "lease", "lease_id": "…",
//	     "lease_ms": …, "granted_ms": …, "left_ms": …, "renewable": true}}}},
//	 "untold": ["/vault/secrets/db"]}                          notifications that are due
//
// Times are what was left when it was written. How long ago that was is told by the clock
// that counts since the boot when the boot is the same one, else by the wall clock; a wall
// clock that was set back counts as no time.
#pragma once

#include <jansson.h>

#include "lib/base/err.h"
#include "stores/store.h"

enum { STATE_BOOT_MAX = 64, STATE_AGE_MAX_MS = 7 * 24 * 3600 * 1000 };

struct state_now {
	int64_t wall_ms, mono_ms;
	const char *boot; // "" = not known
};

// One secret of it; everything is borrowed from the document.
struct state_secret {
	json_t *body;
	const char *version, *lease_id;
	enum store_life life;
	int64_t lease_ms, granted_ms, left_ms; // left_ms: now, 0 = none, or over
	bool renewable;
};

// An empty document of now.
json_t *state_doc_new(const struct state_now *now);
// Parses and checks each field's type and range. Refused with a reason: broken, of another
// version, older than STATE_AGE_MAX_MS. *ret_age_ms is how long ago it was written.
MUST_CHECK bool state_doc_parse(const char *text, size_t len, const struct state_now *now,
				json_t **ret, int64_t *ret_age_ms, struct err *e);
// A document of that time as one of now: what was left becomes less.
json_t *state_doc_secret(const struct state_secret *s);
MUST_CHECK bool state_doc_read_secret(const json_t *o, int64_t age_ms,
				      struct state_secret *ret, struct err *e);
