// SPDX-License-Identifier: Apache-2.0
// X25519 (RFC 7748) and Ed25519 (RFC 8032): published vectors, and keys and signatures that
// both halves must refuse alike.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/ed25519.h"
#include "lib/crypto/x25519.h"
#include "test/support/expect.h"
#include "test/support/vector.h"

static void rfc7748_scalar_multiplication(void **state UNUSED)
{
	static const char *const v[][3] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};
	unsigned char out[X25519_LEN];
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		EXPECT_OK(x25519_shared(vector(v[i][0]).p, vector(v[i][1]).p, out, &err));
		assert_vector(out, sizeof(out), v[i][2]);
	}
}

static void rfc7748_a_thousand_iterations(void **state UNUSED)
{
	unsigned char k[X25519_LEN] = { 9 }, u[X25519_LEN] = { 9 }, out[X25519_LEN];
	for (int i = 0; i < 1000; i++) {
		EXPECT_OK(x25519_shared(k, u, out, &err));
		memcpy(u, k, sizeof(u));
		memcpy(k, out, sizeof(k));
		if (i == 0)
			assert_vector(k, sizeof(k),
				      "422c8e7a6227d7bca1350b3e2bb7279f"
				      "7897b87bb6854b783c60e80311ae3079");
	}
	assert_vector(k, sizeof(k),
		      "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

static void rfc7748_agreement(void **state UNUSED)
{
	const unsigned char *alice =
		vector("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
			.p;
	const unsigned char *bob =
		vector("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
			.p;
	unsigned char pub[X25519_LEN], secret[X25519_LEN];
	EXPECT_OK(x25519_public(alice, pub, &err));
	assert_vector(pub, 32,
		      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	EXPECT_OK(x25519_shared(bob, pub, secret, &err));
	assert_vector(secret, 32,
		      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	EXPECT_OK(x25519_public(bob, pub, &err));
	assert_vector(pub, 32,
		      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	EXPECT_OK(x25519_shared(alice, pub, secret, &err));
	assert_vector(secret, 32,
		      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

// The points whose order divides 8, and encodings of them above the prime.
static const char *const small_order_u[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000080",
};

static void small_order_peers_are_refused(void **state UNUSED)
{
	unsigned char k[X25519_LEN], out[X25519_LEN] = { 0x5a };
	EXPECT_OK(x25519_generate(k, &err));
	for (size_t i = 0; i < ARRAY_LEN(small_order_u); i++)
		EXPECT_FAIL(ERR_DENIED,
			    x25519_shared(k, vector(small_order_u[i]).p, out, &err));
	assert_int_equal(out[0], 0x5a);
}

// RFC 7748 section 5: the top bit of u is ignored.
static void the_top_bit_of_a_peer_is_ignored(void **state UNUSED)
{
	unsigned char k[X25519_LEN], pub[X25519_LEN], a[X25519_LEN], b[X25519_LEN];
	EXPECT_OK(x25519_generate(k, &err));
	EXPECT_OK(x25519_public(k, pub, &err));
	EXPECT_OK(x25519_shared(k, pub, a, &err));
	pub[31] |= 0x80;
	EXPECT_OK(x25519_shared(k, pub, b, &err));
	assert_memory_equal(a, b, sizeof(a));
}

static const struct {
	const char *private_key, *public_key, *message, *signature;
} rfc8032[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	{ "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
	  "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	  "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
};

static void rfc8032_vectors(void **state UNUSED)
{
	unsigned char pub[ED25519_KEY_LEN], sig[ED25519_SIG_LEN];
	for (size_t i = 0; i < ARRAY_LEN(rfc8032); i++) {
		const unsigned char *key = vector(rfc8032[i].private_key).p;
		struct bytes m = vector(rfc8032[i].message);
		EXPECT_OK(ed25519_public(key, pub, &err));
		assert_vector(pub, sizeof(pub), rfc8032[i].public_key);
		EXPECT_OK(ed25519_sign(key, m, sig, &err));
		assert_vector(sig, sizeof(sig), rfc8032[i].signature);
		EXPECT_OK(ed25519_verify(pub, m, sig, &err));
	}
}

// Made by an independent implementation of RFC 8032's appendix in Python.
static void one_mebibyte_signed(void **state UNUSED)
{
	AUTO_FREE unsigned char *zeros = mem_alloc(1 << 20);
	unsigned char key[ED25519_KEY_LEN], sig[ED25519_SIG_LEN];
	for (unsigned char i = 0; i < sizeof(key); i++)
		key[i] = i;
	EXPECT_OK(ed25519_sign(key, bytes_of(zeros, 1 << 20), sig, &err));
	assert_vector(sig, sizeof(sig),
		      "bb5a6a865991c741331ce6b3ce31713f51ae494f34bbd0cd394fa17df293dd11"
		      "a725d2c3cc8d95cc36516b5e4be26614464b7101a284dedbd29ce361ff24b10f");
}

static void every_changed_bit_is_refused(void **state UNUSED)
{
	unsigned char pub[ED25519_KEY_LEN], sig[ED25519_SIG_LEN], m[4] = "abc";
	memcpy(pub, vector(rfc8032[3].public_key).p, sizeof(pub));
	EXPECT_OK(ed25519_sign(vector(rfc8032[3].private_key).p, BYTES_OF(m), sig, &err));
	for (size_t i = 0; i < sizeof(sig) * 8; i++) {
		sig[i / 8] ^= (unsigned char)(1 << i % 8);
		EXPECT_FAIL(ERR_DENIED, ed25519_verify(pub, BYTES_OF(m), sig, &err));
		sig[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (size_t i = 0; i < sizeof(pub) * 8; i++) {
		pub[i / 8] ^= (unsigned char)(1 << i % 8);
		EXPECT_FAIL(ERR_DENIED, ed25519_verify(pub, BYTES_OF(m), sig, &err));
		pub[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	m[0] ^= 1;
	EXPECT_FAIL(ERR_DENIED, ed25519_verify(pub, BYTES_OF(m), sig, &err));
}

// S + L makes the same equation true; accepting it would give each signature a twin.
static void s_above_the_order_is_refused(void **state UNUSED)
{
	static const char order[] =
		"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
	unsigned char sig[ED25519_SIG_LEN];
	memcpy(sig, vector(rfc8032[1].signature).p, sizeof(sig));
	const unsigned char *l = vector(order).p;
	unsigned carry = 0;
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)sig[32 + i] + l[i];
		sig[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	const unsigned char *pub = vector(rfc8032[1].public_key).p;
	EXPECT_FAIL(ERR_DENIED, ed25519_verify(pub, vector("72"), sig, &err));
	// Exactly L, with a message for which 0 would not do either.
	memcpy(sig + 32, vector(order).p, 32);
	EXPECT_FAIL(ERR_DENIED, ed25519_verify(pub, vector("72"), sig, &err));
}

static void weak_public_keys_are_refused(void **state UNUSED)
{
	static const char *const keys[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		// not canonical: p, p + 1, and 2^255 - 1
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		// no point of the curve
		"0200000000000000000000000000000000000000000000000000000000000000",
	};
	// R = identity, S = 0: true for a key of order one and any message.
	static const unsigned char sig[ED25519_SIG_LEN] = { 1 };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		EXPECT_FAIL(ERR_DENIED, ed25519_verify(vector(keys[i]).p,
						       bytes_of_str("any"), sig, &err));
}

// A key with a part of order 8: where the forms of the equation with and without the
// cofactor disagree, both halves must follow the one without it.
static void the_equation_has_no_cofactor(void **state UNUSED)
{
	const unsigned char *pub =
		vector("b502ff3d92e31d8190b4aa4ea0414005167fad089c4de9dac8a2fc850fed4f58")
			.p;
	struct bytes m = bytes_of_str("mixed order");
	EXPECT_FAIL(
		ERR_DENIED,
		ed25519_verify(
			pub, m,
			vector("6293d7f5d63c2157d67f99d526203aff41bca10de43f26764f8533"
			       "386c62a1acd21b368e526f693adbb62001ae0d2b65aa5583a24500"
			       "d73ea9c290736d1c6d0b")
				.p,
			&err));
	EXPECT_OK(ed25519_verify(
		pub, m,
		vector("ec1db162b9f099c23432fd60a690b2bae55bd70c7628adfa9cd47e9c"
		       "f90b41b4de55acb5fe646ea523dfc1b554ef9bd3fecccda068efe10e"
		       "8edacccec4ae6607")
			.p,
		&err));
}

static void fresh_keys_sign_and_agree(void **state UNUSED)
{
	for (int i = 0; i < 50; i++) {
		unsigned char a[32], b[32], pa[32], pb[32], x[32], y[32],
			sig[ED25519_SIG_LEN];
		EXPECT_OK(x25519_generate(a, &err));
		EXPECT_OK(x25519_generate(b, &err));
		EXPECT_OK(x25519_public(a, pa, &err));
		EXPECT_OK(x25519_public(b, pb, &err));
		EXPECT_OK(x25519_shared(a, pb, x, &err));
		EXPECT_OK(x25519_shared(b, pa, y, &err));
		assert_memory_equal(x, y, sizeof(x));
		EXPECT_OK(ed25519_generate(a, &err));
		EXPECT_OK(ed25519_public(a, pa, &err));
		EXPECT_OK(ed25519_sign(a, BYTES_OF(x), sig, &err));
		EXPECT_OK(ed25519_verify(pa, BYTES_OF(x), sig, &err));
	}
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(&err))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7748_scalar_multiplication),
		cmocka_unit_test(rfc7748_a_thousand_iterations),
		cmocka_unit_test(rfc7748_agreement),
		cmocka_unit_test(small_order_peers_are_refused),
		cmocka_unit_test(the_top_bit_of_a_peer_is_ignored),
		cmocka_unit_test(rfc8032_vectors),
		cmocka_unit_test(one_mebibyte_signed),
		cmocka_unit_test(every_changed_bit_is_refused),
		cmocka_unit_test(s_above_the_order_is_refused),
		cmocka_unit_test(weak_public_keys_are_refused),
		cmocka_unit_test(the_equation_has_no_cofactor),
		cmocka_unit_test(fresh_keys_sign_and_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
