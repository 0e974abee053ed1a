// SPDX-License-Identifier: Apache-2.0
// Encrypted sinks: the reader opens what was sealed, and nobody else does.
#include "agent/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/digest.h"

struct reader {
	unsigned char own[X25519_LEN], public_[X25519_LEN];
};

static struct reader reader_new(void)
{
	struct reader r;
	struct err e = ERR_INIT;
	assert_true(x25519_generate(r.own, &e) && x25519_public(r.own, r.public_, &e));
	return r;
}

static void member(const json_t *j, const char *key, struct buf *to)
{
	const char *b64 = json_string_value(json_object_get(j, key));
	struct err e = ERR_INIT;
	assert_non_null(b64);
	assert_true(codec_b64_decode(b64, strlen(b64), B64_STD, to, &e));
}

static bool opens(const struct reader *r, const struct buf *line, bool derived,
		  const char *aad, const char *want)
{
	AUTO_JSON json_t *j = NULL;
	AUTO_BUF struct buf theirs = BUF_INIT(X25519_LEN),
			    nonce = BUF_INIT(AEAD_NONCE_LEN);
	AUTO_BUF struct buf sealed = BUF_INIT(4096), plain = BUF_INIT(4096);
	unsigned char key[X25519_LEN], out[X25519_LEN];
	struct err e = ERR_INIT;
	assert_true(json_parse(buf_str(line), line->len, 8192, JSON_PLAIN, &j, &e));
	member(j, "curve25519_public_key", &theirs);
	member(j, "nonce", &nonce);
	member(j, "encrypted_payload", &sealed);
	const unsigned char *peer = (const unsigned char *)buf_str(&theirs);
	assert_true(x25519_shared(r->own, peer, key, &e));
	bool low = memcmp(peer, r->public_, X25519_LEN) < 0;
	struct hkdf in = { .secret = BYTES_OF(key),
			   .salt = bytes_of(low ? peer : r->public_, X25519_LEN),
			   .info = bytes_of(low ? r->public_ : peer, X25519_LEN) };
	assert_true(hkdf_sha256(&in, out, sizeof(out), &e));
	struct aead a = { .alg = AEAD_AES_256_GCM,
			  .key = derived ? out : key,
			  .nonce = (const unsigned char *)buf_str(&nonce),
			  .aad = bytes_of_str(aad) };
	return aead_open(&a, bytes_of(buf_str(&sealed), sealed.len), &plain, &e) &&
	       strcmp(buf_str(&plain), want) == 0;
}

// Several key pairs, so that either public key is the lower one.
static void test_seal(void **state)
{
	(void)state;
	for (int i = 0; i < 16; i++) {
		struct reader r = reader_new(), other = reader_new();
		struct envelope how = { r.public_, i % 2,
					bytes_of_str(i & 2 ? "aad" : "") };
		AUTO_BUF struct buf line = BUF_INIT(4096);
		struct err e = ERR_INIT;
		assert_true(envelope_seal(&how, bytes_of_str("s.token"), &line, &e));
		assert_int_equal(line.data[line.len - 1], '\n');
		const char *aad = i & 2 ? "aad" : "";
		assert_true(opens(&r, &line, i % 2, aad, "s.token"));
		assert_false(opens(&r, &line, !(i % 2), aad, "s.token"));
		assert_false(opens(&r, &line, i % 2, "bad", "s.token"));
		assert_false(opens(&other, &line, i % 2, aad, "s.token"));
	}
}

static void test_small_order(void **state)
{
	(void)state;
	static const unsigned char zero[X25519_LEN];
	struct envelope how = { .reader = zero };
	AUTO_BUF struct buf line = BUF_INIT(4096);
	struct err e = ERR_INIT;
	assert_false(envelope_seal(&how, bytes_of_str("x"), &line, &e));
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(line.len, 0);
}

static void test_too_long(void **state)
{
	(void)state;
	struct reader r = reader_new();
	struct envelope how = { .reader = r.public_ };
	AUTO_BUF struct buf line = BUF_INIT(60);
	struct err e = ERR_INIT;
	assert_false(envelope_seal(&how, bytes_of_str("s.token"), &line, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_key(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says; // NULL = good
	} rows[] = {
		{ "{\"curve25519_public_key\":"
		  "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}",
		  NULL },
		{ "{\"curve25519_public_key\":"
		  "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIA==\"}",
		  "32 bytes" },
		{ "{\"curve25519_public_key\":\"AAEC\"}", "32 bytes" },
		{ "{\"curve25519_public_key\":\"?\"}", "32 bytes" },
		{ "{}", "32 bytes" },
		{ "{\"curve25519_public_key\":[]}", "curve25519_public_key" },
		{ "[]", "" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char key[X25519_LEN] = { 0 };
		struct err e = ERR_INIT;
		bool ok = envelope_key(rows[i].text, strlen(rows[i].text), key, &e);
		assert_int_equal(ok, !rows[i].says);
		if (ok)
			assert_int_equal(key[31], 31);
		else
			assert_non_null(strstr(e.text, rows[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_small_order),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
