// SPDX-License-Identifier: Apache-2.0
// X25519 and Ed25519 above the seam: making keys, and refusing what both halves must refuse
// alike.
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/seam.h"

bool x25519_generate(unsigned char ret_private[static X25519_LEN], struct err *e)
{
	return crypto_random(ret_private, X25519_LEN, e);
}

bool x25519_shared(const unsigned char private_key[static X25519_LEN],
		   const unsigned char peer_public[static X25519_LEN],
		   unsigned char ret_secret[static X25519_LEN], struct err *e)
{
	static const unsigned char zero[X25519_LEN];
	unsigned char secret[X25519_LEN];
	bool ok = x25519_multiply(private_key, peer_public, secret, e);
	if (ok && crypto_equal(secret, zero, sizeof(zero)))
		ok = err_set(e, ERR_DENIED, 0,
			     "X25519: the peer's key is of small order");
	if (ok)
		memcpy(ret_secret, secret, sizeof(secret));
	mem_wipe(secret, sizeof(secret));
	return ok;
}

bool ed25519_generate(unsigned char ret_private[static ED25519_KEY_LEN], struct err *e)
{
	return crypto_random(ret_private, ED25519_KEY_LEN, e);
}

// Whether the little-endian number a is below b. Not constant time: both are public.
static bool below(const unsigned char *a, const unsigned char *b)
{
	for (int i = 31; i >= 0; i--)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

// The group order L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032 section 5.1).
static const unsigned char order[32] = {
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,        0xd6,
	0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
};

// The field's prime p = 2^255 - 19.
static const unsigned char prime[32] = {
	0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
};

// The canonical y of the points whose order divides 8: 0, 1, p-1, and the two of order 8
// (each with both signs of x).
static const unsigned char small_order_y[][32] = {
	{ 0 },
	{ 1 },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	  0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	  0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	  0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	  0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
};

static bool key_form_ok(const unsigned char public_key[static ED25519_KEY_LEN])
{
	unsigned char y[32];
	memcpy(y, public_key, sizeof(y));
	y[31] &= 0x7f; // the sign of x
	if (!below(y, prime))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(small_order_y); i++)
		if (memcmp(y, small_order_y[i], sizeof(y)) == 0)
			return false;
	return true;
}

bool ed25519_verify(const unsigned char public_key[static ED25519_KEY_LEN],
		    struct bytes message,
		    const unsigned char signature[static ED25519_SIG_LEN], struct err *e)
{
	if (!key_form_ok(public_key))
		return err_set(
			e, ERR_DENIED, 0,
			"Ed25519: the public key is not canonical or of small order");
	if (!below(signature + 32, order))
		return err_set(e, ERR_DENIED, 0,
			       "Ed25519: the signature is not canonical");
	return ed25519_equation(public_key, message, signature, e);
}
