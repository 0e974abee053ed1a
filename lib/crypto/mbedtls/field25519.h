// SPDX-License-Identifier: Apache-2.0
// The field of curve25519: integers modulo p = 2^255 - 19, as five limbs of 51 bits on
// 128-bit products. mbedTLS 3.6 has no Ed25519, and an X25519 that takes 415 µs on its big
// numbers where this takes 48 (same machine, same hour); so this half brings its own.
//
// Everything here runs in a time that does not depend on values: no branch and no index is
// made from a limb. Invariant: each limb of a result is below 2^52, and may be so on input.
// Results may lie at the place of an argument.
#pragma once

#include <stdint.h>

struct fe25519 {
	uint64_t v[5];
};

extern const struct fe25519 fe25519_zero, fe25519_one;

// 32 little-endian bytes; the top bit is ignored, and values from p on are taken modulo p.
void fe25519_from_bytes(struct fe25519 *r, const unsigned char s[static 32]);
// The canonical bytes.
void fe25519_to_bytes(unsigned char s[static 32], const struct fe25519 *a);

void fe25519_add(struct fe25519 *r, const struct fe25519 *a, const struct fe25519 *b);
void fe25519_sub(struct fe25519 *r, const struct fe25519 *a, const struct fe25519 *b);
void fe25519_mul(struct fe25519 *r, const struct fe25519 *a, const struct fe25519 *b);
// a squared n times, n > 0.
void fe25519_square(struct fe25519 *r, const struct fe25519 *a, unsigned n);
// a^(p-2), which is 1/a, and 0 for 0.
void fe25519_invert(struct fe25519 *r, const struct fe25519 *a);
// a^((p-5)/8), the core of a square root (RFC 8032 section 5.1.3).
void fe25519_root_power(struct fe25519 *r, const struct fe25519 *a);

// Takes b when bit is 1, keeps a when it is 0.
void fe25519_choose(struct fe25519 *a, const struct fe25519 *b, unsigned bit);
// Swaps when bit is 1.
void fe25519_swap(struct fe25519 *a, struct fe25519 *b, unsigned bit);
// 1 when equal modulo p, else 0.
unsigned fe25519_equal(const struct fe25519 *a, const struct fe25519 *b);
// The lowest bit of the canonical value: RFC 8032's sign of x.
unsigned fe25519_odd(const struct fe25519 *a);
