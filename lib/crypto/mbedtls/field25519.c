// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo 2^255 - 19. A limb's weight is 2^51 times the former one's; what leaves
// the top comes back at the bottom times 19, since 2^255 = 19 modulo p.
#include "lib/crypto/mbedtls/field25519.h"

#include "lib/base/mem.h"

__extension__ typedef unsigned __int128 u128; // a 64-bit machine is needed

static const uint64_t mask51 = ((uint64_t)1 << 51) - 1;

const struct fe25519 fe25519_zero = { { 0 } };
const struct fe25519 fe25519_one = { { 1 } };

// One pass of carries: limbs below 2^54 come out below 2^51 + 2^8.
static void carry(struct fe25519 *r)
{
	uint64_t c = 0;
	for (int i = 0; i < 5; i++) {
		r->v[i] += c;
		c = r->v[i] >> 51;
		r->v[i] &= mask51;
	}
	r->v[0] += 19 * c;
}

static uint64_t load64(const unsigned char *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

void fe25519_from_bytes(struct fe25519 *r, const unsigned char s[static 32])
{
	r->v[0] = load64(s) & mask51;
	r->v[1] = load64(s + 6) >> 3 & mask51;
	r->v[2] = load64(s + 12) >> 6 & mask51;
	r->v[3] = load64(s + 19) >> 1 & mask51;
	r->v[4] = load64(s + 24) >> 12 & mask51;
}

void fe25519_to_bytes(unsigned char s[static 32], const struct fe25519 *a)
{
	struct fe25519 t = *a;
	carry(&t);
	carry(&t); // now below 2^255 + 19 < 2p
	// q = 1 when t >= p, that is when t + 19 reaches 2^255.
	uint64_t q = 19;
	for (int i = 0; i < 5; i++)
		q = (t.v[i] + q) >> 51;
	t.v[0] += 19 * q;
	uint64_t c = 0;
	for (int i = 0; i < 5; i++) {
		t.v[i] += c;
		c = t.v[i] >> 51; // of the last limb: the 2^255 that is taken off
		t.v[i] &= mask51;
	}
	const uint64_t words[4] = {
		t.v[0] | t.v[1] << 51,
		t.v[1] >> 13 | t.v[2] << 38,
		t.v[2] >> 26 | t.v[3] << 25,
		t.v[3] >> 39 | t.v[4] << 12,
	};
	for (int i = 0; i < 32; i++)
		s[i] = (unsigned char)(words[i / 8] >> 8 * (i % 8));
	mem_wipe(&t, sizeof(t));
}

void fe25519_add(struct fe25519 *r, const struct fe25519 *a, const struct fe25519 *b)
{
	for (int i = 0; i < 5; i++)
		r->v[i] = a->v[i] + b->v[i];
	carry(r);
}

void fe25519_sub(struct fe25519 *r, const struct fe25519 *a, const struct fe25519 *b)
{
	// 4p first, limb by limb, so that no limb goes below zero.
	static const uint64_t p4[5] = { 4 * (mask51 - 18), 4 * mask51, 4 * mask51,
					4 * mask51, 4 * mask51 };
	for (int i = 0; i < 5; i++)
		r->v[i] = a->v[i] + p4[i] - b->v[i];
	carry(r);
}

static u128 product(uint64_t a, uint64_t b)
{
	return (u128)a * b;
}

void fe25519_mul(struct fe25519 *r, const struct fe25519 *a, const struct fe25519 *b)
{
	const uint64_t *x = a->v, *y = b->v;
	const uint64_t y1 = 19 * y[1], y2 = 19 * y[2], y3 = 19 * y[3], y4 = 19 * y[4];
	// With limbs below 2^52 each sum stays below 5 * 19 * 2^104 < 2^111.
	u128 t0 = product(x[0], y[0]) + product(x[1], y4) + product(x[2], y3) +
		  product(x[3], y2) + product(x[4], y1);
	u128 t1 = product(x[0], y[1]) + product(x[1], y[0]) + product(x[2], y4) +
		  product(x[3], y3) + product(x[4], y2);
	u128 t2 = product(x[0], y[2]) + product(x[1], y[1]) + product(x[2], y[0]) +
		  product(x[3], y4) + product(x[4], y3);
	u128 t3 = product(x[0], y[3]) + product(x[1], y[2]) + product(x[2], y[1]) +
		  product(x[3], y[0]) + product(x[4], y4);
	u128 t4 = product(x[0], y[4]) + product(x[1], y[3]) + product(x[2], y[2]) +
		  product(x[3], y[1]) + product(x[4], y[0]);
	t1 += (uint64_t)(t0 >> 51);
	t2 += (uint64_t)(t1 >> 51);
	t3 += (uint64_t)(t2 >> 51);
	t4 += (uint64_t)(t3 >> 51);
	// t4 has no factor 19, so what leaves it is below 2^57 and 19 times that fits.
	uint64_t low = ((uint64_t)t0 & mask51) + 19 * (uint64_t)(t4 >> 51);
	r->v[0] = low & mask51;
	r->v[1] = ((uint64_t)t1 & mask51) + (low >> 51);
	r->v[2] = (uint64_t)t2 & mask51;
	r->v[3] = (uint64_t)t3 & mask51;
	r->v[4] = (uint64_t)t4 & mask51;
}

void fe25519_square(struct fe25519 *r, const struct fe25519 *a, unsigned n)
{
	fe25519_mul(r, a, a);
	while (--n > 0)
		fe25519_mul(r, r, r);
}

// Both powers begin with a^(2^250 - 1); a11 = a^11 is needed for the inverse's tail.
static void power_250(struct fe25519 *r, struct fe25519 *a11, const struct fe25519 *a)
{
	struct fe25519 t, x5, x10, x20, x50;
	fe25519_square(&t, a, 1);   // 2
	fe25519_square(&x5, &t, 2); // 8
	fe25519_mul(&x5, &x5, a);   // 9
	fe25519_mul(a11, &x5, &t);  // 11
	fe25519_square(&t, a11, 1); // 22
	fe25519_mul(&x5, &t, &x5);  // 2^5 - 1
	fe25519_square(&t, &x5, 5);
	fe25519_mul(&x10, &t, &x5); // 2^10 - 1
	fe25519_square(&t, &x10, 10);
	fe25519_mul(&x20, &t, &x10); // 2^20 - 1
	fe25519_square(&t, &x20, 20);
	fe25519_mul(&t, &t, &x20); // 2^40 - 1
	fe25519_square(&t, &t, 10);
	fe25519_mul(&x50, &t, &x10); // 2^50 - 1
	fe25519_square(&t, &x50, 50);
	fe25519_mul(r, &t, &x50); // 2^100 - 1
	fe25519_square(&t, r, 100);
	fe25519_mul(&t, &t, r); // 2^200 - 1
	fe25519_square(&t, &t, 50);
	fe25519_mul(r, &t, &x50); // 2^250 - 1
	mem_wipe(&t, sizeof(t));
	mem_wipe(&x50, sizeof(x50));
}

void fe25519_invert(struct fe25519 *r, const struct fe25519 *a)
{
	struct fe25519 t, a11;
	power_250(&t, &a11, a);
	fe25519_square(&t, &t, 5);
	fe25519_mul(r, &t, &a11); // 2^255 - 32 + 11 = p - 2
	mem_wipe(&t, sizeof(t));
	mem_wipe(&a11, sizeof(a11));
}

void fe25519_root_power(struct fe25519 *r, const struct fe25519 *a)
{
	struct fe25519 t, a11, x = *a;
	power_250(&t, &a11, a);
	fe25519_square(&t, &t, 2);
	fe25519_mul(r, &t, &x); // 2^252 - 4 + 1 = (p - 5) / 8
}

void fe25519_choose(struct fe25519 *a, const struct fe25519 *b, unsigned bit)
{
	uint64_t mask = 0 - (uint64_t)bit;
	for (int i = 0; i < 5; i++)
		a->v[i] ^= mask & (a->v[i] ^ b->v[i]);
}

void fe25519_swap(struct fe25519 *a, struct fe25519 *b, unsigned bit)
{
	uint64_t mask = 0 - (uint64_t)bit;
	for (int i = 0; i < 5; i++) {
		uint64_t x = mask & (a->v[i] ^ b->v[i]);
		a->v[i] ^= x;
		b->v[i] ^= x;
	}
}

unsigned fe25519_equal(const struct fe25519 *a, const struct fe25519 *b)
{
	unsigned char x[32], y[32];
	fe25519_to_bytes(x, a);
	fe25519_to_bytes(y, b);
	unsigned diff = 0;
	for (int i = 0; i < 32; i++)
		diff |= x[i] ^ y[i];
	return (diff - 1) >> 31;
}

unsigned fe25519_odd(const struct fe25519 *a)
{
	unsigned char x[32];
	fe25519_to_bytes(x, a);
	return x[0] & 1;
}
