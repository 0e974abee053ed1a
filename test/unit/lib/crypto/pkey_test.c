// SPDX-License-Identifier: Apache-2.0
// Keys: which forms load, signatures, RSA-OAEP. Inputs in test/cases/keys.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pkey.h"
#include "test/support/expect.h"
#include "test/support/vector.h"

// The content of test/cases/keys/NAME, in one of four buffers that are used in turn.
static struct bytes key_file(const char *name)
{
	static char files[4][8192];
	static unsigned next;
	char *to = files[next++ % 4];
	AUTO_FREE char *path = mem_printf("test/cases/keys/%s", name);
	AUTO_BUF struct buf b = BUF_INIT(sizeof(files[0]) - 1);
	EXPECT_OK(file_read(path, &b, &err));
	memcpy(to, buf_str(&b), b.len + 1);
	return bytes_of(to, b.len);
}

static struct bytes hex_file(const char *name)
{
	return vector((const char *)key_file(name).p);
}

static struct pkey *load(const char *name)
{
	struct pkey *k = NULL;
	EXPECT_OK(pkey_from_pem(key_file(name), &k, &err));
	return k;
}

static void accepted_private_keys(void **state UNUSED)
{
	static const struct {
		const char *name;
		enum pkey_type type;
		unsigned bits;
	} keys[] = {
		{ "rsa2048.pkcs8.pem", PKEY_RSA, 2048 },
		{ "rsa2048.pkcs1.pem", PKEY_RSA, 2048 },
		{ "rsa3072.pem", PKEY_RSA, 3072 },
		{ "p256.sec1.pem", PKEY_P256, 256 },
		{ "p256.pkcs8.pem", PKEY_P256, 256 },
		{ "p256.with-parameters.pem", PKEY_P256, 256 },
		{ "p384.pem", PKEY_P384, 384 },
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		AUTO_PKEY struct pkey *k = load(keys[i].name);
		assert_int_equal(pkey_type(k), keys[i].type);
		assert_int_equal(pkey_bits(k), keys[i].bits);
		assert_true(pkey_is_private(k));
	}
}

static void refused_private_keys(void **state UNUSED)
{
	static const struct {
		const char *name;
		enum err_kind kind;
	} keys[] = {
		{ "rsa1024.pem", ERR_CONFIG },
		{ "p521.pem", ERR_CONFIG },
		{ "p256.explicit.pem", ERR_CONFIG },
		{ "ed25519.pem", ERR_CONFIG },
		{ "encrypted.pkcs8.pem", ERR_CONFIG },
		{ "encrypted.pkcs1.pem", ERR_CONFIG },
		{ "p256.public.pem", ERR_MISSING },
		{ "README.md", ERR_MISSING },
	};
	struct pkey *k = NULL;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		EXPECT_FAIL(keys[i].kind,
			    pkey_from_pem(key_file(keys[i].name), &k, &err));
		assert_null(k);
	}
	EXPECT_FAIL(ERR_MISSING, pkey_from_pem(BYTES_NONE, &k, &err));
}

static void a_cut_key_is_refused(void **state UNUSED)
{
	static const char *const names[] = { "rsa2048.pkcs8.pem", "p256.sec1.pem" };
	struct pkey *k = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct bytes pem = key_file(names[i]);
		for (size_t len = 0; len < pem.len - 1; len++)
			assert_false(pkey_from_pem(bytes_of(pem.p, len), &k, NULL));
	}
}

static void public_keys(void **state UNUSED)
{
	static const struct {
		const char *private_name, *public_name;
	} keys[] = {
		{ "rsa2048.pkcs8.pem", "rsa2048.public.pem" },
		{ "rsa2048.pkcs1.pem", "rsa2048.public-pkcs1.pem" },
		{ "p256.sec1.pem", "p256.public.pem" },
		{ "p256.pkcs8.pem", "p256.public.pem" },
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		AUTO_PKEY struct pkey *k = load(keys[i].private_name);
		AUTO_PKEY struct pkey *pub = NULL;
		AUTO_BUF struct buf a = BUF_INIT(4096);
		AUTO_BUF struct buf b = BUF_INIT(4096);
		EXPECT_OK(
			pkey_public_from_pem(key_file(keys[i].public_name), &pub, &err));
		assert_false(pkey_is_private(pub));
		EXPECT_OK(pkey_public_pem(k, &a, &err));
		EXPECT_OK(pkey_public_pem(pub, &b, &err));
		assert_string_equal(buf_str(&a), buf_str(&b));
		if (i != 1)
			assert_string_equal(
				buf_str(&a),
				(const char *)key_file(keys[i].public_name).p);
	}
	struct pkey *k = NULL;
	EXPECT_FAIL(
		ERR_CONFIG,
		pkey_public_from_pem(key_file("p256.public-compressed.pem"), &k, &err));
	EXPECT_FAIL(ERR_MISSING, pkey_public_from_pem(key_file("p384.pem"), &k, &err));
}

static void generated_keys_survive_pem(void **state UNUSED)
{
	AUTO_PKEY struct pkey *one = NULL;
	AUTO_PKEY struct pkey *two = NULL;
	AUTO_BUF struct buf pem = BUF_INIT(4096);
	AUTO_BUF struct buf sig = BUF_INIT(1024);
	EXPECT_OK(pkey_generate_p256(&one, &err));
	EXPECT_OK(pkey_to_pem(one, &pem, &err));
	EXPECT_OK(pkey_from_pem(bytes_of(pem.data, pem.len), &two, &err));
	EXPECT_OK(pkey_sign(two, DIGEST_SHA256, bytes_of_str("x"), &sig, &err));
	EXPECT_OK(pkey_verify(one, DIGEST_SHA256, bytes_of_str("x"),
			      bytes_of(sig.data, sig.len), &err));
}

static void a_key_is_written_as_openssl_does(void **state UNUSED)
{
	static const char *const names[] = { "p256.sec1.pem", "p384.pem" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_PKEY struct pkey *k = load(names[i]);
		AUTO_BUF struct buf pem = BUF_INIT(4096);
		EXPECT_OK(pkey_to_pem(k, &pem, &err));
		assert_string_equal(buf_str(&pem), (const char *)key_file(names[i]).p);
	}
	AUTO_PKEY struct pkey *rsa = load("rsa2048.pkcs8.pem");
	AUTO_BUF struct buf pem = BUF_INIT(4096);
	EXPECT_FAIL(ERR_BUG, pkey_to_pem(rsa, &pem, &err));
}

static const struct {
	const char *key, *signature;
	enum digest_alg alg;
	bool deterministic;
} signatures[] = {
	{ "rsa2048.pkcs8.pem", "rs.abc.sha256.hex", DIGEST_SHA256, true },
	{ "rsa2048.pkcs8.pem", "rs.abc.sha384.hex", DIGEST_SHA384, true },
	{ "rsa2048.pkcs8.pem", "rs.abc.sha512.hex", DIGEST_SHA512, true },
	{ "p256.sec1.pem", "es.abc.sha256.hex", DIGEST_SHA256, false },
	{ "p384.pem", "es384.abc.sha384.hex", DIGEST_SHA384, false },
};

static void signatures_of_openssl_verify(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		AUTO_PKEY struct pkey *k = load(signatures[i].key);
		enum digest_alg alg = signatures[i].alg;
		struct bytes sig = hex_file(signatures[i].signature);
		EXPECT_OK(pkey_verify(k, alg, bytes_of_str("abc"), sig, &err));
		EXPECT_FAIL(ERR_DENIED,
			    pkey_verify(k, alg, bytes_of_str("abd"), sig, &err));
		EXPECT_FAIL(ERR_DENIED, pkey_verify(k, alg, BYTES_NONE, sig, &err));
		alg = alg == DIGEST_SHA256 ? DIGEST_SHA512 : DIGEST_SHA256;
		EXPECT_FAIL(ERR_DENIED,
			    pkey_verify(k, alg, bytes_of_str("abc"), sig, &err));
	}
}

static void own_signatures_verify(void **state UNUSED)
{
	AUTO_FREE unsigned char *large = mem_alloc(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		AUTO_PKEY struct pkey *k = load(signatures[i].key);
		enum digest_alg alg = signatures[i].alg;
		AUTO_BUF struct buf sig = BUF_INIT(1024);
		EXPECT_OK(pkey_sign(k, alg, bytes_of_str("abc"), &sig, &err));
		if (signatures[i].deterministic) {
			struct bytes want = hex_file(signatures[i].signature);
			assert_int_equal(sig.len, want.len);
			assert_memory_equal(sig.data, want.p, want.len);
		}
		EXPECT_OK(pkey_verify(k, alg, bytes_of_str("abc"),
				      bytes_of(sig.data, sig.len), &err));
		buf_reset(&sig);
		EXPECT_OK(pkey_sign(k, alg, bytes_of(large, 1 << 20), &sig, &err));
		EXPECT_OK(pkey_verify(k, alg, bytes_of(large, 1 << 20),
				      bytes_of(sig.data, sig.len), &err));
		AUTO_BUF struct buf small = BUF_INIT(8);
		EXPECT_FAIL(ERR_LIMIT, pkey_sign(k, alg, BYTES_NONE, &small, &err));
	}
}

static void damaged_signatures_are_refused(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		AUTO_PKEY struct pkey *k = load(signatures[i].key);
		enum digest_alg alg = signatures[i].alg;
		struct bytes abc = bytes_of_str("abc"),
			     sig = hex_file(signatures[i].signature);
		unsigned char s[1024] = { 0 };
		memcpy(s, sig.p, sig.len);
		for (size_t b = 0; b < sig.len; b += 5) {
			s[b] ^= 1;
			EXPECT_FAIL(ERR_DENIED,
				    pkey_verify(k, alg, abc, bytes_of(s, sig.len), &err));
			s[b] ^= 1;
		}
		for (size_t len = 0; len < sig.len; len++)
			EXPECT_FAIL(ERR_DENIED,
				    pkey_verify(k, alg, abc, bytes_of(s, len), &err));
		EXPECT_FAIL(ERR_DENIED,
			    pkey_verify(k, alg, abc, bytes_of(s, sig.len + 1), &err));
	}
	AUTO_PKEY struct pkey *rsa = load("rsa2048.pkcs8.pem");
	EXPECT_FAIL(ERR_DENIED, pkey_verify(rsa, DIGEST_SHA256, bytes_of_str("abc"),
					    hex_file("rs.bad-pss.hex"), &err));
	AUTO_PKEY struct pkey *other = load("rsa3072.pem");
	EXPECT_FAIL(ERR_DENIED, pkey_verify(other, DIGEST_SHA256, bytes_of_str("abc"),
					    hex_file("rs.abc.sha256.hex"), &err));
}

static void oaep_of_plain_arithmetic_opens(void **state UNUSED)
{
	unsigned char eleven[32], longest[190];
	memset(eleven, 0x11, sizeof(eleven));
	for (unsigned char i = 0; i < sizeof(longest); i++)
		longest[i] = i;
	const struct {
		const char *file, *label;
		struct bytes want;
	} good[] = {
		{ "oaep.label.hex", "default/db", BYTES_OF(eleven) },
		{ "oaep.empty.hex", "", BYTES_NONE },
		{ "oaep.longest.hex", "x", BYTES_OF(longest) },
	};
	AUTO_PKEY struct pkey *k = load("rsa2048.pkcs8.pem");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO_BUF struct buf out = BUF_INIT(1024);
		EXPECT_OK(pkey_oaep_decrypt(k, bytes_of_str(good[i].label),
					    hex_file(good[i].file), &out, &err));
		assert_int_equal(out.len, good[i].want.len);
		assert_memory_equal(buf_str(&out), good[i].want.p, out.len);
		EXPECT_FAIL(ERR_DENIED,
			    pkey_oaep_decrypt(k, bytes_of_str("default/dc"),
					      hex_file(good[i].file), &out, &err));
	}
}

// One text for whatever is wrong: no oracle (RFC 8017 section 7.1.2, note).
static void oaep_fails_with_one_error(void **state UNUSED)
{
	static const char *const files[] = {
		"oaep.bad-first-byte.hex", "oaep.bad-no-separator.hex",
		"oaep.bad-padding.hex",    "oaep.bad-label-hash.hex",
		"oaep.bad-modulus.hex",    "oaep.bad-zero.hex",
		"rs.abc.sha256.hex",
	};
	AUTO_PKEY struct pkey *k = load("rsa2048.pkcs8.pem");
	AUTO_BUF struct buf out = BUF_INIT(1024);
	char text[ERR_TEXT_MAX] = "";
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		EXPECT_FAIL(
			ERR_DENIED,
			pkey_oaep_decrypt(k, BYTES_NONE, hex_file(files[i]), &out, &err));
		assert_int_equal(out.len, 0);
		if (i > 0)
			assert_string_equal(text, err.text);
		memcpy(text, err.text, sizeof(text));
	}
	struct bytes good = hex_file("oaep.empty.hex");
	for (size_t len = 0; len < good.len; len += 15)
		EXPECT_FAIL(ERR_DENIED,
			    pkey_oaep_decrypt(k, BYTES_NONE, bytes_of(good.p, len), &out,
					      &err));
	assert_string_equal(text, err.text);
	AUTO_PKEY struct pkey *other = load("rsa3072.pem");
	EXPECT_FAIL(ERR_DENIED, pkey_oaep_decrypt(other, BYTES_NONE, good, &out, &err));
	assert_string_equal(text, err.text);
}

static void oaep_there_and_back(void **state UNUSED)
{
	static const char *const names[] = { "rsa2048.pkcs8.pem", "rsa3072.pem" };
	unsigned char m[512] = { 1, 2, 3 };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_PKEY struct pkey *k = load(names[i]);
		AUTO_PKEY struct pkey *pub = NULL;
		AUTO_BUF struct buf der = BUF_INIT(4096);
		EXPECT_OK(pkey_public_der(k, &der, &err));
		EXPECT_OK(pkey_public_from_der(bytes_of(der.data, der.len), &pub, &err));
		size_t max = pkey_bits(k) / 8 - 66;
		for (size_t len = 0; len <= max + 1; len += len < max ? max / 2 : 1) {
			AUTO_BUF struct buf sealed = BUF_INIT(1024);
			AUTO_BUF struct buf out = BUF_INIT(1024);
			struct bytes label = bytes_of_str(len % 2 ? "ns/name" : "");
			if (len > max) {
				EXPECT_FAIL(ERR_LIMIT, pkey_oaep_encrypt(pub, label,
									 bytes_of(m, len),
									 &sealed, &err));
				break;
			}
			EXPECT_OK(pkey_oaep_encrypt(pub, label, bytes_of(m, len), &sealed,
						    &err));
			EXPECT_OK(pkey_oaep_decrypt(
				k, label, bytes_of(sealed.data, sealed.len), &out, &err));
			assert_int_equal(out.len, len);
			assert_memory_equal(buf_str(&out), m, len);
			EXPECT_FAIL(ERR_CONFIG,
				    pkey_oaep_decrypt(pub, label,
						      bytes_of(sealed.data, sealed.len),
						      &out, &err));
		}
	}
	AUTO_PKEY struct pkey *ec = load("p256.sec1.pem");
	AUTO_BUF struct buf out = BUF_INIT(1024);
	EXPECT_FAIL(ERR_CONFIG,
		    pkey_oaep_encrypt(ec, BYTES_NONE, BYTES_NONE, &out, &err));
	EXPECT_FAIL(ERR_CONFIG,
		    pkey_oaep_decrypt(ec, BYTES_NONE, BYTES_NONE, &out, &err));
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(&err))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_private_keys),
		cmocka_unit_test(refused_private_keys),
		cmocka_unit_test(a_cut_key_is_refused),
		cmocka_unit_test(public_keys),
		cmocka_unit_test(generated_keys_survive_pem),
		cmocka_unit_test(a_key_is_written_as_openssl_does),
		cmocka_unit_test(signatures_of_openssl_verify),
		cmocka_unit_test(own_signatures_verify),
		cmocka_unit_test(damaged_signatures_are_refused),
		cmocka_unit_test(oaep_of_plain_arithmetic_opens),
		cmocka_unit_test(oaep_fails_with_one_error),
		cmocka_unit_test(oaep_there_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
