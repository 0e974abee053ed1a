// SPDX-License-Identifier: Apache-2.0
// Numbers modulo the group order L = 2^252 + 27742317777372353535851937790883648493. Bit by
// bit, and so without a magic number but L itself; a reduction takes some microseconds,
// against sixty of the multiplication of a point beside it.
#include "lib/base/mem.h"
#include "lib/crypto/mbedtls/edwards25519.h"

__extension__ typedef unsigned __int128 u128;

static const uint64_t order[4] = { 0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0,
				   0x1000000000000000 };

static void load(uint64_t *to, size_t words, const unsigned char *from)
{
	for (size_t i = 0; i < words; i++) {
		to[i] = 0;
		for (int k = 7; k >= 0; k--)
			to[i] = to[i] << 8 | from[8 * i + (size_t)k];
	}
}

// r -= L when r >= L.
static void subtract_order(uint64_t r[static 4])
{
	uint64_t t[4], borrow = 0;
	for (int i = 0; i < 4; i++) {
		u128 d = (u128)r[i] - order[i] - borrow;
		t[i] = (uint64_t)d;
		borrow = (uint64_t)(d >> 64) & 1;
	}
	uint64_t keep = 0 - borrow; // all ones when r was below L
	for (int i = 0; i < 4; i++)
		r[i] = (r[i] & keep) | (t[i] & ~keep);
	mem_wipe(t, sizeof(t));
}

// A number of 512 bits modulo L: shift in a bit, subtract. r stays below 2L < 2^254.
static void reduce(unsigned char out[static 32], const uint64_t in[static 8])
{
	uint64_t r[4] = { 0 };
	for (int bit = 511; bit >= 0; bit--) {
		for (int i = 3; i > 0; i--)
			r[i] = r[i] << 1 | r[i - 1] >> 63;
		r[0] = r[0] << 1 | (in[bit / 64] >> bit % 64 & 1);
		subtract_order(r);
	}
	for (int i = 0; i < 32; i++)
		out[i] = (unsigned char)(r[i / 8] >> 8 * (i % 8));
	mem_wipe(r, sizeof(r));
}

void sc25519_reduce(unsigned char r[static 32], const unsigned char s[static 64])
{
	uint64_t words[8];
	load(words, 8, s);
	reduce(r, words);
	mem_wipe(words, sizeof(words));
}

void sc25519_multiply_add(unsigned char r[static 32], const unsigned char a[static 32],
			  const unsigned char b[static 32],
			  const unsigned char c[static 32])
{
	uint64_t x[4], y[4], t[8] = { 0 };
	load(x, 4, a);
	load(y, 4, b);
	load(t, 4, c);
	// t = x * y + c, which is below 2^512.
	for (int i = 0; i < 4; i++) {
		uint64_t carry = 0;
		for (int k = 0; k < 4; k++) {
			u128 sum = (u128)x[i] * y[k] + t[i + k] + carry;
			t[i + k] = (uint64_t)sum;
			carry = (uint64_t)(sum >> 64);
		}
		t[i + 4] += carry;
	}
	reduce(r, t);
	mem_wipe(x, sizeof(x));
	mem_wipe(y, sizeof(y));
	mem_wipe(t, sizeof(t));
}
