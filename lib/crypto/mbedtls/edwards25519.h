// SPDX-License-Identifier: Apache-2.0
// The group of Ed25519 (RFC 8032 section 5.1) and the numbers modulo its order L. Constant
// time throughout, though a verification would not need it.
#pragma once

#include <stdbool.h>

#include "lib/crypto/mbedtls/field25519.h"

// Extended coordinates: x = X/Z, y = Y/Z, xy = T/Z.
struct ge25519 {
	struct fe25519 x, y, z, t;
};

extern const struct ge25519 ge25519_base;

// n * p for a number of 32 little-endian bytes.
void ge25519_multiply(struct ge25519 *r, const unsigned char n[static 32],
		      const struct ge25519 *p);
void ge25519_add(struct ge25519 *r, const struct ge25519 *a, const struct ge25519 *b);
void ge25519_negate(struct ge25519 *p);
void ge25519_to_bytes(unsigned char s[static 32], const struct ge25519 *p);
// False when there is no such point.
bool ge25519_from_bytes(struct ge25519 *r, const unsigned char s[static 32]);

// 64 little-endian bytes modulo L.
void sc25519_reduce(unsigned char r[static 32], const unsigned char s[static 64]);
// (a * b + c) modulo L; a, b and c are any 32 bytes.
void sc25519_multiply_add(unsigned char r[static 32], const unsigned char a[static 32],
			  const unsigned char b[static 32],
			  const unsigned char c[static 32]);
