// SPDX-License-Identifier: Apache-2.0
// How often a credential may be made: a bucket of two for each secret, which gains one in a
// third of its lease (within 5 s and 10 min). In no fault, of the store or of ours, do
// credentials pile up: a lease that dies at once is replaced at once, the next time not.
//
// An attempt counts, not an answer: a store may have made what we never heard of. What was
// surely refused is given back.
#pragma once

#include <stdint.h>

struct mint {
	int64_t full_ms; // clock_mono_ms() when the bucket is full again; 0 = it is
};

// How long until one may be made: 0 = now. lease_ms 0: not known.
int64_t mint_wait(const struct mint *m, int64_t now_ms, int64_t lease_ms);
void mint_take(struct mint *m, int64_t now_ms, int64_t lease_ms);
void mint_give_back(struct mint *m, int64_t lease_ms);
