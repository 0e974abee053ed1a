// SPDX-License-Identifier: Apache-2.0
// X25519 (RFC 7748) and Ed25519 (RFC 8032) over the field and group of this folder.
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/mbedtls/edwards25519.h"
#include "lib/crypto/seam.h"

// Wipes what the functions just called have left on the stack below: coordinates from which
// a private number could be found. Deeper than any of them reaches.
static __attribute__((noinline)) void wipe_stack(void)
{
	unsigned char below[4096];
	mem_wipe(below, sizeof(below));
}

// The Montgomery ladder of RFC 7748 section 5; the names are the RFC's.
struct ladder {
	struct fe25519 x1, x2, z2, x3, z3;
};

static void ladder_step(struct ladder *l)
{
	static const struct fe25519 a24 = { { 121665 } };
	struct fe25519 a, b, c, d, aa, bb, e;
	fe25519_add(&a, &l->x2, &l->z2);
	fe25519_sub(&b, &l->x2, &l->z2);
	fe25519_add(&c, &l->x3, &l->z3);
	fe25519_sub(&d, &l->x3, &l->z3);
	fe25519_square(&aa, &a, 1);
	fe25519_square(&bb, &b, 1);
	fe25519_sub(&e, &aa, &bb);
	fe25519_mul(&d, &d, &a); // DA
	fe25519_mul(&c, &c, &b); // CB
	fe25519_add(&l->x3, &d, &c);
	fe25519_square(&l->x3, &l->x3, 1);
	fe25519_sub(&l->z3, &d, &c);
	fe25519_square(&l->z3, &l->z3, 1);
	fe25519_mul(&l->z3, &l->z3, &l->x1);
	fe25519_mul(&l->x2, &aa, &bb);
	fe25519_mul(&c, &e, &a24);
	fe25519_add(&c, &c, &aa);
	fe25519_mul(&l->z2, &e, &c);
}

bool x25519_multiply(const unsigned char private_key[static X25519_LEN],
		     const unsigned char point[static X25519_LEN],
		     unsigned char ret[static X25519_LEN], struct err *e UNUSED)
{
	unsigned char k[X25519_LEN];
	memcpy(k, private_key, sizeof(k));
	k[0] &= 248;
	k[31] = (k[31] & 127) | 64;
	struct ladder l = { .x2 = fe25519_one, .z3 = fe25519_one };
	fe25519_from_bytes(&l.x1, point);
	l.x3 = l.x1;
	unsigned swap = 0;
	for (int t = 254; t >= 0; t--) {
		unsigned bit = k[t / 8] >> t % 8 & 1;
		swap ^= bit;
		fe25519_swap(&l.x2, &l.x3, swap);
		fe25519_swap(&l.z2, &l.z3, swap);
		swap = bit;
		ladder_step(&l);
	}
	fe25519_swap(&l.x2, &l.x3, swap);
	fe25519_swap(&l.z2, &l.z3, swap);
	fe25519_invert(&l.z2, &l.z2);
	fe25519_mul(&l.x2, &l.x2, &l.z2);
	fe25519_to_bytes(ret, &l.x2);
	mem_wipe(&l, sizeof(l));
	mem_wipe(k, sizeof(k));
	wipe_stack();
	return true;
}

bool x25519_public(const unsigned char private_key[static X25519_LEN],
		   unsigned char ret_public[static X25519_LEN], struct err *e)
{
	static const unsigned char base[X25519_LEN] = { 9 };
	return x25519_multiply(private_key, base, ret_public, e);
}

// RFC 8032 section 5.1.5: the first half of the seed's SHA-512, clamped, is the number;
// the second half is the prefix that makes nonces.
static bool expand(const unsigned char *seed, unsigned char h[static 64], struct err *e)
{
	if (!digest_of(DIGEST_SHA512, bytes_of(seed, ED25519_KEY_LEN), h, e))
		return false;
	h[0] &= 248;
	h[31] = (h[31] & 127) | 64;
	return true;
}

static void public_of(const unsigned char number[static 32], unsigned char ret[static 32])
{
	struct ge25519 p;
	ge25519_multiply(&p, number, &ge25519_base);
	ge25519_to_bytes(ret, &p);
	mem_wipe(&p, sizeof(p));
	wipe_stack();
}

bool ed25519_public(const unsigned char private_key[static ED25519_KEY_LEN],
		    unsigned char ret_public[static ED25519_KEY_LEN], struct err *e)
{
	unsigned char h[64];
	if (!expand(private_key, h, e))
		return false;
	public_of(h, ret_public);
	mem_wipe(h, sizeof(h));
	return true;
}

// SHA-512 of up to three pieces, modulo L.
static bool hash_mod_order(const struct bytes *pieces, size_t n,
			   unsigned char ret[static 32], struct err *e)
{
	unsigned char h[64];
	AUTO_DIGEST struct digest *d = NULL;
	if (!digest_new(DIGEST_SHA512, &d, e))
		return false;
	for (size_t i = 0; i < n; i++)
		digest_add(d, pieces[i]);
	if (!digest_end(d, h, e))
		return false;
	sc25519_reduce(ret, h);
	mem_wipe(h, sizeof(h));
	return true;
}

bool ed25519_sign(const unsigned char private_key[static ED25519_KEY_LEN],
		  struct bytes message,
		  unsigned char ret_signature[static ED25519_SIG_LEN], struct err *e)
{
	unsigned char h[64], pub[32], nonce[32], point[32], k[32];
	if (!expand(private_key, h, e))
		return false;
	public_of(h, pub);
	const struct bytes first[] = { bytes_of(h + 32, 32), message };
	const struct bytes second[] = { BYTES_OF(point), BYTES_OF(pub), message };
	bool ok = hash_mod_order(first, ARRAY_LEN(first), nonce, e);
	if (ok) {
		public_of(nonce, point);
		ok = hash_mod_order(second, ARRAY_LEN(second), k, e);
	}
	if (ok) {
		sc25519_multiply_add(ret_signature + 32, k, h, nonce);
		memcpy(ret_signature, point, sizeof(point));
	}
	mem_wipe(h, sizeof(h));
	mem_wipe(nonce, sizeof(nonce));
	wipe_stack();
	return ok;
}

// R = [S]B - [k]A, compared as bytes.
bool ed25519_equation(const unsigned char public_key[static ED25519_KEY_LEN],
		      struct bytes message,
		      const unsigned char signature[static ED25519_SIG_LEN],
		      struct err *e)
{
	unsigned char k[32], point[32];
	struct ge25519 a, sb;
	const struct bytes pieces[] = { bytes_of(signature, 32), bytes_of(public_key, 32),
					message };
	bool ok = ge25519_from_bytes(&a, public_key);
	if (ok && !hash_mod_order(pieces, ARRAY_LEN(pieces), k, e))
		return false;
	if (ok) {
		ge25519_negate(&a);
		ge25519_multiply(&a, k, &a);
		ge25519_multiply(&sb, signature + 32, &ge25519_base);
		ge25519_add(&a, &a, &sb);
		ge25519_to_bytes(point, &a);
		ok = memcmp(point, signature, sizeof(point)) == 0;
	}
	return ok || err_set(e, ERR_DENIED, 0,
			     "Ed25519: the signature is not of this key and message");
}
