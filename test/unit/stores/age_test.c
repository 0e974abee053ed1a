// SPDX-License-Identifier: Apache-2.0
// age v1: our own messages, messages of the age program (made by `age -r`), and damage.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/age.h"
#include "stores/age_bech32.h"
#include "stores/age_header.h"

static const char key_text[] =
	"# created: 2026-11-21T05:00:00Z\n"
	"AGE-SECRET-KEY-1NREKL9A9V3PDCAYRD833ESWHKDHPXRNALPT99P5V865NWKAFFFVSNLZF2H\n";

static struct age_keyring *ring_of(const char *text)
{
	struct age_keyring *ring = age_keyring_new();
	struct err e = ERR_INIT;
	if (!age_keyring_parse(ring, str_of(text), "test", &e))
		fail_msg("%s", e.text);
	return ring;
}

static void test_bech32(void **state)
{
	(void)state;
	unsigned char key[32], back[32];
	for (unsigned i = 0; i < 32; i++)
		key[i] = (unsigned char)(i * 37 + 5);
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(200);
	assert_true(bech32_write("age", key, &text));
	assert_int_equal(text.len, 62);
	assert_true(bech32_read((struct str){ text.data, text.len }, "age", back, &e));
	assert_memory_equal(key, back, 32);
	for (size_t i = 0; i < text.len; i++) {
		char old = text.data[i];
		text.data[i] = old == 'q' ? 'p' : 'q';
		err_clear(&e);
		assert_false(bech32_read((struct str){ text.data, text.len }, "age", back,
					 &e));
		text.data[i] = old;
	}
	assert_false(bech32_read(str_of("age1"), "age", back, NULL));
	text.data[10] = (char)(text.data[10] - 32); // mixed case
	assert_false(bech32_read((struct str){ text.data, text.len }, "age", back, NULL));
}

static void test_known_key(void **state)
{
	(void)state;
	AUTO_AGE_KEYRING struct age_keyring *ring = ring_of(key_text);
	assert_int_equal(ring->n, 1);
	AUTO_BUF struct buf text = BUF_INIT(200);
	assert_true(age_recipient_write(&ring->ids[0].recipient, &text));
	assert_string_equal(
		text.data,
		"age1are0klms4zcjt9t4f8err96ugqk9vlkylhppvplna4hx4az7tu3qmmhuph");
}

static void test_key_files(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "AGE-SECRET-KEY-1QQ\n", "key file 'f' line 1: not a key of the form" },
		{ "# x\n\nage1xyz\n", "key file 'f' line 3: " },
		{ "AGE-SECRET-KEY-"
		  "1NREKL9A9V3PDCAYRD833ESWHKDHPXRNALPT99P5V865NWKAFFFVSNLZF2G",
		  "checksum" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO_AGE_KEYRING struct age_keyring *ring = age_keyring_new();
		struct err e = ERR_INIT;
		assert_false(age_keyring_parse(ring, str_of(bad[i].text), "f", &e));
		assert_non_null(strstr(e.text, bad[i].why));
	}
}

static void round_trip(size_t len)
{
	AUTO_AGE_KEYRING struct age_keyring *ring = age_keyring_new();
	AUTO_BUF struct buf text = BUF_INIT(1000), sealed = BUF_INIT(1 << 20);
	AUTO_BUF struct buf plain = BUF_INIT(1 << 20);
	struct age_recipient to[3];
	struct err e = ERR_INIT;
	for (size_t i = 0; i < 3; i++)
		assert_true(age_keygen("now", &text, &to[i], &e));
	assert_true(
		age_keyring_parse(ring, (struct str){ text.data, text.len }, "k", &e));
	AUTO_FREE unsigned char *bytes = mem_alloc(len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)(i * 7);
	assert_true(
		age_seal((struct age_to){ to, 3 }, bytes_of(bytes, len), &sealed, &e));
	for (size_t i = 0; i < 3; i++) { // each key opens alone
		struct age_keyring one = { .n = 1 };
		one.ids[0] = ring->ids[i];
		buf_reset(&plain);
		assert_true(
			age_open(&one, bytes_of(sealed.data, sealed.len), &plain, &e));
		assert_int_equal(plain.len, len);
		assert_memory_equal(buf_str(&plain), bytes, len);
	}
}

static void test_round_trips(void **state)
{
	(void)state;
	static const size_t lens[] = { 0, 1, 65535, 65536, 65537, 131072, 200000 };
	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		round_trip(lens[i]);
}

// Every bit of a message counts, and every cut.
static void test_damage(void **state)
{
	(void)state;
	AUTO_AGE_KEYRING struct age_keyring *ring = ring_of(key_text);
	AUTO_BUF struct buf sealed = BUF_INIT(4096), plain = BUF_INIT(4096);
	struct err e = ERR_INIT;
	struct age_to to = { &ring->ids[0].recipient, 1 };
	assert_true(age_seal(to, bytes_of_str("a secret"), &sealed, &e));
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		assert_false(
			age_open(ring, bytes_of(sealed.data, sealed.len), &plain, NULL));
		sealed.data[i] ^= 1;
		assert_false(age_open(ring, bytes_of(sealed.data, i), &plain, NULL));
	}
	assert_int_equal(plain.len, 0);
	buf_putc(&sealed, 'x');
	assert_false(age_open(ring, bytes_of(sealed.data, sealed.len), &plain, NULL));
}

static void test_other_key(void **state)
{
	(void)state;
	AUTO_AGE_KEYRING struct age_keyring *ring = ring_of(key_text);
	AUTO_BUF struct buf text = BUF_INIT(1000), sealed = BUF_INIT(4096),
			    plain = BUF_INIT(99);
	struct age_recipient other;
	struct err e = ERR_INIT;
	assert_true(age_keygen("now", &text, &other, &e));
	assert_true(
		age_seal((struct age_to){ &other, 1 }, bytes_of_str("x"), &sealed, &e));
	assert_false(age_open(ring, bytes_of(sealed.data, sealed.len), &plain, &e));
	assert_int_equal(e.kind, ERR_DENIED);
}

static void test_headers(void **state)
{
	(void)state;
	static const char share[] = "TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc";
	static const char body[] = "EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U";
	static const char mac[] = "--- Vn+54jqiiUCE+WZcEVY3f1sqHjlu/z1LCQ/T7Xm7qI0\n";
	static const struct {
		const char *form;
		bool ok;
	} cases[] = {
		{ "age-encryption.org/v1\n-> X25519 %s\n%s\n%s", true },
		{ "age-encryption.org/v2\n-> X25519 %s\n%s\n%s", false },
		{ "age-encryption.org/v1\n-> X25519 %s\n%s=\n%s", false },
		{ "age-encryption.org/v1\n-> X25519 %s x\n%s\n%s", false },
		{ "age-encryption.org/v1\n->  X25519 %s\n%s\n%s", false },
		{ "age-encryption.org/v1\r\n-> X25519 %s\n%s\n%s", false },
		{ "age-encryption.org/v1\n-> grease a b\n\n-> X25519 %s\n%s\n%s", true },
		{ "age-encryption.org/v1\n-> grease a b\nQUJD\n-> X25519 %s\n%s\n%s",
		  true },
		{ "age-encryption.org/v1\n-> grease \n\n-> X25519 %s\n%s\n%s", false },
		{ "age-encryption.org/v1\n-> X25519 %s\n%s\n\n%s", false },
	};
	AUTO_FREE struct age_header *h = mem_alloc(sizeof(*h));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_BUF struct buf text = BUF_INIT(4096);
		const char *p = cases[i].form;
		const char *const parts[] = { share, body, mac };
		for (size_t part = 0; *p; p++) {
			if (p[0] == '%' && p[1] == 's') {
				buf_puts(&text, parts[part++]);
				p++;
			} else {
				buf_putc(&text, *p);
			}
		}
		struct err e = ERR_INIT;
		bool ok = age_header_parse(bytes_of(text.data, text.len), h, &e);
		if (ok != cases[i].ok)
			fail_msg("case %zu: %s", i, ok ? "accepted" : e.text);
	}
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bech32),    cmocka_unit_test(test_known_key),
		cmocka_unit_test(test_key_files), cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_damage),    cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
