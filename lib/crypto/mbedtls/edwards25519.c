// SPDX-License-Identifier: Apache-2.0
// Points of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2. The addition is complete:
// it holds for equal points, inverses and the neutral element, so there are no cases.
#include "lib/crypto/mbedtls/edwards25519.h"

#include "lib/base/mem.h"

static const struct fe25519 curve_d = { { 0x34dca135978a3, 0x1a8283b156ebd,
					  0x5e7a26001c029, 0x739c663a03cbb,
					  0x52036cee2b6ff } };
static const struct fe25519 curve_2d = { { 0x69b9426b2f159, 0x35050762add7a,
					   0x3cf44c0038052, 0x6738cc7407977,
					   0x2406d9dc56dff } };
static const struct fe25519 root_of_minus_one = { { 0x61b274a0ea0b0, 0x0d5a5fc8f189d,
						    0x7ef5e9cbd0c60, 0x78595a6804c9e,
						    0x2b8324804fc1d } };

const struct ge25519 ge25519_base = {
	.x = { { 0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe,
		 0x216936d3cd6e5 } },
	.y = { { 0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333,
		 0x6666666666666 } },
	.z = { { 1 } },
	.t = { { 0x68ab3a5b7dda3, 0x00eea2a5eadbb, 0x2af8df483c27e, 0x332b375274732,
		 0x67875f0fd78b7 } },
};

static const struct ge25519 neutral = { .y = { { 1 } }, .z = { { 1 } } };

// From E, F, G, H of both formulas below: X3 = EF, Y3 = GH, Z3 = FG, T3 = EH.
static void finish(struct ge25519 *r, const struct fe25519 efgh[4])
{
	fe25519_mul(&r->x, &efgh[0], &efgh[1]);
	fe25519_mul(&r->y, &efgh[2], &efgh[3]);
	fe25519_mul(&r->z, &efgh[1], &efgh[2]);
	fe25519_mul(&r->t, &efgh[0], &efgh[3]);
}

// RFC 8032 section 5.1.4.
void ge25519_add(struct ge25519 *r, const struct ge25519 *p, const struct ge25519 *q)
{
	struct fe25519 a, b, c, d, t, efgh[4];
	fe25519_sub(&a, &p->y, &p->x);
	fe25519_sub(&t, &q->y, &q->x);
	fe25519_mul(&a, &a, &t);
	fe25519_add(&b, &p->y, &p->x);
	fe25519_add(&t, &q->y, &q->x);
	fe25519_mul(&b, &b, &t);
	fe25519_mul(&c, &p->t, &q->t);
	fe25519_mul(&c, &c, &curve_2d);
	fe25519_mul(&d, &p->z, &q->z);
	fe25519_add(&d, &d, &d);
	fe25519_sub(&efgh[0], &b, &a);
	fe25519_sub(&efgh[1], &d, &c);
	fe25519_add(&efgh[2], &d, &c);
	fe25519_add(&efgh[3], &b, &a);
	finish(r, efgh);
}

static void twice(struct ge25519 *r, const struct ge25519 *p)
{
	struct fe25519 a, b, c, t, efgh[4];
	fe25519_square(&a, &p->x, 1);
	fe25519_square(&b, &p->y, 1);
	fe25519_square(&c, &p->z, 1);
	fe25519_add(&c, &c, &c);
	fe25519_add(&efgh[3], &a, &b);
	fe25519_add(&t, &p->x, &p->y);
	fe25519_square(&t, &t, 1);
	fe25519_sub(&efgh[0], &efgh[3], &t);
	fe25519_sub(&efgh[2], &a, &b);
	fe25519_add(&efgh[1], &c, &efgh[2]);
	finish(r, efgh);
}

static void choose(struct ge25519 *r, const struct ge25519 *p, unsigned bit)
{
	fe25519_choose(&r->x, &p->x, bit);
	fe25519_choose(&r->y, &p->y, bit);
	fe25519_choose(&r->z, &p->z, bit);
	fe25519_choose(&r->t, &p->t, bit);
}

void ge25519_multiply(struct ge25519 *r, const unsigned char n[static 32],
		      const struct ge25519 *p)
{
	struct ge25519 table[16], sum = neutral, picked; // table[i] = i * p
	table[0] = neutral;
	for (int i = 1; i < 16; i++)
		ge25519_add(&table[i], &table[i - 1], p);
	for (int i = 63; i >= 0; i--) {
		for (int k = 0; k < 4; k++)
			twice(&sum, &sum);
		unsigned digit = n[i / 2] >> 4 * (i % 2) & 15;
		// Every entry is read, so that the cache does not learn the digit.
		picked = neutral;
		for (unsigned k = 1; k < 16; k++)
			choose(&picked, &table[k], ((digit ^ k) - 1) >> 31);
		ge25519_add(&sum, &sum, &picked);
	}
	*r = sum;
	mem_wipe(&picked, sizeof(picked));
	mem_wipe(&sum, sizeof(sum));
}

void ge25519_negate(struct ge25519 *p)
{
	fe25519_sub(&p->x, &fe25519_zero, &p->x);
	fe25519_sub(&p->t, &fe25519_zero, &p->t);
}

void ge25519_to_bytes(unsigned char s[static 32], const struct ge25519 *p)
{
	struct fe25519 inverse, x, y;
	fe25519_invert(&inverse, &p->z);
	fe25519_mul(&x, &p->x, &inverse);
	fe25519_mul(&y, &p->y, &inverse);
	fe25519_to_bytes(s, &y);
	s[31] |= (unsigned char)(fe25519_odd(&x) << 7);
	mem_wipe(&inverse, sizeof(inverse));
}

// RFC 8032 section 5.1.3: x^2 = (y^2 - 1) / (d y^2 + 1) = u / v, and then
// x = u v^3 (u v^7)^((p-5)/8), up to a root of -1.
bool ge25519_from_bytes(struct ge25519 *r, const unsigned char s[static 32])
{
	struct fe25519 u, v, v3, t, minus_u;
	fe25519_from_bytes(&r->y, s);
	r->z = fe25519_one;
	fe25519_square(&t, &r->y, 1);
	fe25519_sub(&u, &t, &fe25519_one);
	fe25519_mul(&v, &t, &curve_d);
	fe25519_add(&v, &v, &fe25519_one);
	fe25519_square(&v3, &v, 1);
	fe25519_mul(&v3, &v3, &v);
	fe25519_square(&t, &v3, 1);
	fe25519_mul(&t, &t, &v);
	fe25519_mul(&t, &t, &u);
	fe25519_root_power(&t, &t);
	fe25519_mul(&t, &t, &v3);
	fe25519_mul(&r->x, &t, &u);
	fe25519_square(&t, &r->x, 1);
	fe25519_mul(&t, &t, &v); // v x^2 is u, -u, or there is no root
	fe25519_sub(&minus_u, &fe25519_zero, &u);
	unsigned is_u = fe25519_equal(&t, &u), is_minus = fe25519_equal(&t, &minus_u);
	if (!(is_u | is_minus))
		return false;
	fe25519_mul(&t, &r->x, &root_of_minus_one);
	fe25519_choose(&r->x, &t, is_u ^ 1);
	fe25519_sub(&t, &fe25519_zero, &r->x);
	fe25519_choose(&r->x, &t, fe25519_odd(&r->x) ^ (s[31] >> 7));
	fe25519_mul(&r->t, &r->x, &r->y);
	return true;
}
