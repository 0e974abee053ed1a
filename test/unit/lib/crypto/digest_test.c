// SPDX-License-Identifier: Apache-2.0
// Digests (FIPS 180-4, RFC 1321), HMAC (RFC 4231), HKDF (RFC 5869), PBKDF2 (RFC 7914).
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"
#include "test/support/expect.h"
#include "test/support/vector.h"

static const struct {
	enum digest_alg alg;
	const char *text;
	const char *hex;
} digests[] = {
	{ DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ DIGEST_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ DIGEST_SHA256, "",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ DIGEST_SHA256, "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ DIGEST_SHA384, "abc",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ DIGEST_SHA512, "",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ DIGEST_SHA512, "abc",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static void published_digests(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		unsigned char sum[DIGEST_LEN_MAX];
		EXPECT_OK(digest_of(digests[i].alg, bytes_of_str(digests[i].text), sum,
				    &err));
		assert_vector(sum, digest_len(digests[i].alg), digests[i].hex);
	}
}

// FIPS 180-4's third example: a million times "a", here in pieces of odd sizes.
static void a_million_in_pieces(void **state UNUSED)
{
	AUTO_FREE char *a = mem_alloc(1000);
	memset(a, 'a', 1000);
	AUTO_DIGEST struct digest *d = NULL;
	unsigned char sum[DIGEST_LEN_MAX];
	EXPECT_OK(digest_new(DIGEST_SHA256, &d, &err));
	size_t left = 1000000;
	for (size_t n = 1; left > 0; n = n * 7 % 997 + 1) {
		size_t take = n < left ? n : left;
		digest_add(d, bytes_of(a, take));
		left -= take;
	}
	digest_add(d, BYTES_NONE);
	EXPECT_OK(digest_end(d, sum, &err));
	assert_vector(sum, 32,
		      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void one_mebibyte(void **state UNUSED)
{
	AUTO_FREE unsigned char *zeros = mem_alloc(1 << 20);
	unsigned char sum[DIGEST_LEN_MAX];
	EXPECT_OK(digest_of(DIGEST_SHA256, bytes_of(zeros, 1 << 20), sum, &err));
	assert_vector(sum, 32,
		      "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58");
}

static const struct {
	enum digest_alg alg;
	const char *key, *data, *hex;
} hmacs[] = {
	// RFC 4231 test cases 1, 2, 3 and 6 (a key longer than the block)
	{ DIGEST_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ DIGEST_SHA384, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	  "faea9ea9076ede7f4af152e8b2fa9cb6" },
	{ DIGEST_SHA512, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ DIGEST_SHA256, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ DIGEST_SHA256, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	  "dddddddddddddddddddddddddddddddddddd",
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	// RFC 2202 test case 2
	{ DIGEST_SHA1, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ DIGEST_MD5, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "750c783e6ab0b503eaa86e310a5db738" },
	// nothing at all
	{ DIGEST_SHA256, "", "",
	  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

static void published_hmacs(void **state UNUSED)
{
	unsigned char mac[DIGEST_LEN_MAX];
	for (size_t i = 0; i < ARRAY_LEN(hmacs); i++) {
		EXPECT_OK(hmac_of(hmacs[i].alg, vector(hmacs[i].key),
				  vector(hmacs[i].data), mac, &err));
		assert_vector(mac, digest_len(hmacs[i].alg), hmacs[i].hex);
	}
	unsigned char key[131];
	memset(key, 0xaa, sizeof(key));
	EXPECT_OK(hmac_of(
		DIGEST_SHA256, BYTES_OF(key),
		bytes_of_str("Test Using Larger Than Block-Size Key - Hash Key First"),
		mac, &err));
	assert_vector(mac, 32,
		      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void rfc5869(void **state UNUSED)
{
	unsigned char okm[HKDF_LEN_MAX];
	struct hkdf one = {
		.secret = vector("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
		.salt = vector("000102030405060708090a0b0c"),
		.info = vector("f0f1f2f3f4f5f6f7f8f9"),
	};
	EXPECT_OK(hkdf_sha256(&one, okm, 42, &err));
	assert_vector(okm, 42,
		      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		      "34007208d5b887185865");
	unsigned char in[80], salt[80], info[80];
	for (unsigned char i = 0; i < 80; i++) {
		in[i] = i;
		salt[i] = 0x60 + i;
		info[i] = 0xb0 + i;
	}
	struct hkdf two = { BYTES_OF(in), BYTES_OF(salt), BYTES_OF(info) };
	EXPECT_OK(hkdf_sha256(&two, okm, 82, &err));
	assert_vector(okm, 82,
		      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		      "cc30c58179ec3e87c14c01d5c1f3434f1d87");
	struct hkdf three = { .secret = one.secret };
	EXPECT_OK(hkdf_sha256(&three, okm, 42, &err));
	assert_vector(okm, 42,
		      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		      "9d201395faa4b61a96c8");
}

static void hkdf_limits(void **state UNUSED)
{
	AUTO_FREE unsigned char *okm = mem_alloc(HKDF_LEN_MAX + 1);
	struct hkdf in = { .secret = bytes_of_str("x") };
	EXPECT_OK(hkdf_sha256(&in, okm, HKDF_LEN_MAX, &err));
	EXPECT_FAIL(ERR_LIMIT, hkdf_sha256(&in, okm, HKDF_LEN_MAX + 1, &err));
}

static void pbkdf2(void **state UNUSED)
{
	unsigned char key[64];
	// RFC 7914 section 11
	struct pbkdf2 one = { bytes_of_str("passwd"), bytes_of_str("salt"), 1 };
	EXPECT_OK(pbkdf2_sha256(&one, key, 64, &err));
	assert_vector(key, 64,
		      "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
		      "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
	struct pbkdf2 many = { bytes_of_str("Password"), bytes_of_str("NaCl"), 80000 };
	EXPECT_OK(pbkdf2_sha256(&many, key, 64, &err));
	assert_vector(key, 64,
		      "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
		      "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d");
	struct pbkdf2 empty = { BYTES_NONE, bytes_of_str("salt"), 1 };
	EXPECT_OK(pbkdf2_sha256(&empty, key, 16, &err));
	assert_vector(key, 16, "f135c27993baf98773c5cdb40a5706ce");
	many.iterations = 0;
	EXPECT_FAIL(ERR_LIMIT, pbkdf2_sha256(&many, key, 64, &err));
}

static void equality(void **state UNUSED)
{
	assert_true(crypto_equal("abc", "abc", 3));
	assert_false(crypto_equal("abc", "abd", 3));
	assert_false(crypto_equal("bbc", "abc", 3));
	assert_true(crypto_equal(NULL, NULL, 0));
}

static void random_bytes_differ(void **state UNUSED)
{
	unsigned char a[4096] = { 0 }, b[4096] = { 0 };
	EXPECT_OK(crypto_random(a, sizeof(a), &err));
	EXPECT_OK(crypto_random(b, sizeof(b), &err));
	assert_memory_not_equal(a, b, sizeof(a));
	unsigned ones = 0;
	for (size_t i = 0; i < sizeof(a); i++)
		ones += (unsigned)__builtin_popcount(a[i]);
	assert_in_range(ones, 15600, 17200); // 16384 ± 8 standard deviations
	EXPECT_OK(crypto_random(a, 0, &err));
}

static void version_names_the_library(void **state UNUSED)
{
	const char *v = crypto_version();
	assert_true(strncmp(v, "OpenSSL 3.", 10) == 0 ||
		    strncmp(v, "mbedTLS 3.", 10) == 0);
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(&err) || !crypto_init(&err))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_digests),
		cmocka_unit_test(a_million_in_pieces),
		cmocka_unit_test(one_mebibyte),
		cmocka_unit_test(published_hmacs),
		cmocka_unit_test(rfc5869),
		cmocka_unit_test(hkdf_limits),
		cmocka_unit_test(pbkdf2),
		cmocka_unit_test(equality),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(version_names_the_library),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
