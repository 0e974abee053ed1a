// SPDX-License-Identifier: Apache-2.0
// A certificate that is there already: found in the files that the agent wrote before, so
// that a start issues no other one. Pure; fuzzed (test/fuzz/pki_fuzz.c).
#pragma once

#include <jansson.h>

#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

// What pkiCert asked for, and when.
struct pki_want {
	const json_t *params; // "common_name", "alt_names", "ip_sans": what it must name
	int64_t now_ms;       // clock_wall_ms()
};

struct pki_found {
	json_t *body;    // as the store would answer; a new reference
	char *serial;    // the caller frees
	int64_t left_ms; // until nine tenths of its time are over
};

// Looks through PEM text (of several files, one behind the other) for a leaf with its private
// key, which names all that is wanted and has not used up nine tenths of its time. The
// certificate and the key come out as they are written there. False when there is none.
bool pki_find(struct bytes text, const struct pki_want *want, struct pki_found *ret);
