// SPDX-License-Identifier: Apache-2.0
// AEAD: RFC 8439 section 2.8.2, the GCM specification's test cases, and what must not open.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/crypto.h"
#include "test/support/expect.h"
#include "test/support/vector.h"

#define FEFFE "feffe9928665731c6d6a8f9467308308"
#define ZERO16 "00000000000000000000000000000000"
#define GCM_PLAIN                                                                        \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"               \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_SEALED                                                                       \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"               \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

static const struct {
	enum aead_alg alg;
	const char *key, *nonce, *aad, *plain, *sealed;
} published[] = {
	// RFC 8439 section 2.8.2
	{ AEAD_CHACHA20_POLY1305,
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	  "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	  "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
	  "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
	  "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
	  "637265656e20776f756c642062652069742e",
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	  "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	  "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	  "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691" },
	// McGrew and Viega, test cases 13 to 16
	{ AEAD_AES_256_GCM, ZERO16 ZERO16, "000000000000000000000000", "", "",
	  "530f8afbc74536b9a963b4f1c4cb738b" },
	{ AEAD_AES_256_GCM, ZERO16 ZERO16, "000000000000000000000000", "", ZERO16,
	  "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" },
	{ AEAD_AES_256_GCM, FEFFE FEFFE, "cafebabefacedbaddecaf888", "",
	  GCM_PLAIN "1aafd255", GCM_SEALED "898015adb094dac5d93471bdec1a502270e3cc6c" },
	{ AEAD_AES_256_GCM, FEFFE FEFFE, "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_PLAIN,
	  GCM_SEALED "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void vectors_both_ways(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(published); i++) {
		struct aead a = { .alg = published[i].alg,
				  .key = vector(published[i].key).p,
				  .nonce = vector(published[i].nonce).p,
				  .aad = vector(published[i].aad) };
		AUTO_BUF struct buf sealed = BUF_INIT(1024);
		AUTO_BUF struct buf plain = BUF_INIT(1024);
		buf_puts(&sealed, "kept");
		buf_puts(&plain, "kept");
		EXPECT_OK(aead_seal(&a, vector(published[i].plain), &sealed, &err));
		assert_memory_equal(sealed.data, "kept", 4);
		assert_vector(sealed.data + 4, sealed.len - 4, published[i].sealed);
		EXPECT_OK(aead_open(&a, bytes_of(sealed.data + 4, sealed.len - 4), &plain,
				    &err));
		assert_memory_equal(plain.data, "kept", 4);
		assert_vector(plain.data + 4, plain.len - 4, published[i].plain);
	}
}

static const enum aead_alg algs[] = { AEAD_CHACHA20_POLY1305, AEAD_AES_256_GCM };

// A sealed message of 100 bytes with a mebibyte limit on all buffers.
struct sealed {
	unsigned char key[AEAD_KEY_LEN], nonce[AEAD_NONCE_LEN];
	struct aead a;
	struct buf bytes, out;
};

static void sealed_release(struct sealed *s)
{
	buf_release(&s->bytes);
	buf_release(&s->out);
}

static void seal_some(struct sealed *s, enum aead_alg alg, size_t len)
{
	AUTO_FREE unsigned char *plain = mem_alloc(len);
	memset(plain, 'p', len);
	s->a = (struct aead){ .alg = alg,
			      .key = s->key,
			      .nonce = s->nonce,
			      .aad = bytes_of_str("kv/db@3") };
	s->bytes.max = s->out.max = (2 << 20);
	EXPECT_OK(crypto_random(s->key, sizeof(s->key), &err));
	EXPECT_OK(crypto_random(s->nonce, sizeof(s->nonce), &err));
	EXPECT_OK(aead_seal(&s->a, bytes_of(plain, len), &s->bytes, &err));
	assert_int_equal(s->bytes.len, len + AEAD_TAG_LEN);
}

static bool opens(struct sealed *s, size_t len)
{
	struct err e = ERR_INIT;
	bool ok = aead_open(&s->a, bytes_of(s->bytes.data, len), &s->out, &e);
	assert_int_equal(s->out.len, ok ? len - AEAD_TAG_LEN : 0);
	if (!ok)
		assert_int_equal(e.kind, ERR_DENIED);
	return ok;
}

static void every_changed_bit_is_found(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		AUTO(sealed_release) struct sealed s = { 0 };
		seal_some(&s, algs[i], 100);
		for (size_t bit = 0; bit < s.bytes.len * 8; bit++) {
			s.bytes.data[bit / 8] ^= (char)(1 << bit % 8);
			assert_false(opens(&s, s.bytes.len));
			s.bytes.data[bit / 8] ^= (char)(1 << bit % 8);
		}
		assert_true(opens(&s, s.bytes.len));
	}
}

static void truncated_does_not_open(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		AUTO(sealed_release) struct sealed s = { 0 };
		seal_some(&s, algs[i], 100);
		for (size_t len = 0; len < s.bytes.len; len++)
			assert_false(opens(&s, len));
	}
}

static void other_key_nonce_or_data_does_not_open(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		AUTO(sealed_release) struct sealed s = { 0 };
		seal_some(&s, algs[i], 100);
		s.key[31] ^= 1;
		assert_false(opens(&s, s.bytes.len));
		s.key[31] ^= 1;
		s.nonce[0] ^= 1;
		assert_false(opens(&s, s.bytes.len));
		s.nonce[0] ^= 1;
		s.a.aad = bytes_of_str("kv/db@4");
		assert_false(opens(&s, s.bytes.len));
		s.a.aad = BYTES_NONE;
		assert_false(opens(&s, s.bytes.len));
		s.a.aad = bytes_of_str("kv/db@3");
		s.a.alg = algs[1 - i];
		assert_false(opens(&s, s.bytes.len));
	}
}

// Nothing of a refused message may lie behind the buffer's end.
static void refused_plaintext_is_wiped(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		AUTO(sealed_release) struct sealed s = { 0 };
		seal_some(&s, algs[i], 100);
		s.bytes.data[s.bytes.len - 1] ^= 1;
		assert_false(opens(&s, s.bytes.len));
		for (size_t n = 0; n < s.out.cap; n++)
			assert_int_not_equal(s.out.data[n], 'p');
	}
}

static void one_mebibyte_and_nothing(void **state UNUSED)
{
	static const size_t lens[] = { 1 << 20, 0 };
	for (size_t i = 0; i < 2 * ARRAY_LEN(lens); i++) {
		AUTO(sealed_release) struct sealed s = { 0 };
		seal_some(&s, algs[i % 2], lens[i / 2]);
		assert_true(opens(&s, s.bytes.len));
		for (size_t n = 0; n < s.out.len; n++)
			if (s.out.data[n] != 'p')
				fail_msg("byte %zu", n);
	}
}

static void the_buffers_limit_holds(void **state UNUSED)
{
	AUTO(sealed_release) struct sealed s = { 0 };
	seal_some(&s, AEAD_AES_256_GCM, 100);
	AUTO_BUF struct buf small = BUF_INIT(99);
	EXPECT_FAIL(ERR_LIMIT,
		    aead_open(&s.a, bytes_of(s.bytes.data, s.bytes.len), &small, &err));
	AUTO_BUF struct buf tight = BUF_INIT(115);
	EXPECT_FAIL(ERR_LIMIT,
		    aead_seal(&s.a, bytes_of(s.bytes.data, 100), &tight, &err));
	assert_int_equal(tight.len, 0);
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(&err))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_both_ways),
		cmocka_unit_test(every_changed_bit_is_found),
		cmocka_unit_test(truncated_does_not_open),
		cmocka_unit_test(other_key_nonce_or_data_does_not_open),
		cmocka_unit_test(refused_plaintext_is_wiped),
		cmocka_unit_test(one_mebibyte_and_nothing),
		cmocka_unit_test(the_buffers_limit_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
