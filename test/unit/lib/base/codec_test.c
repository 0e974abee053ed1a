// SPDX-License-Identifier: Apache-2.0
// Base64, hex and URL escapes: RFC 4648 section 10, and what strict decoders refuse.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "test/support/expect.h"

static const struct {
	unsigned flags;
	const char *plain, *text;
} base64[] = {
	{ B64_STD, "", "" },
	{ B64_STD, "f", "Zg==" },
	{ B64_STD, "fo", "Zm8=" },
	{ B64_STD, "foo", "Zm9v" },
	{ B64_STD, "foob", "Zm9vYg==" },
	{ B64_STD, "fooba", "Zm9vYmE=" },
	{ B64_STD, "foobar", "Zm9vYmFy" },
	{ B64_STD, "\xfb\xff\xbf", "+/+/" },
	{ B64_URL, "\xfb\xff\xbf", "-_-_" },
	{ B64_URL, "f", "Zg==" },
	{ B64_URL | B64_NOPAD, "f", "Zg" },
	{ B64_URL | B64_NOPAD, "fo", "Zm8" },
	{ B64_STD | B64_NOPAD, "foo", "Zm9v" },
};

static void base64_there_and_back(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(base64); i++) {
		AUTO_BUF struct buf b = BUF_INIT(100);
		assert_true(codec_b64_encode(base64[i].plain, strlen(base64[i].plain),
					     base64[i].flags, &b));
		assert_string_equal(buf_str(&b), base64[i].text);
		buf_reset(&b);
		EXPECT_OK(codec_b64_decode(base64[i].text, strlen(base64[i].text),
					   base64[i].flags, &b, &err));
		assert_string_equal(buf_str(&b), base64[i].plain);
	}
}

static const struct {
	unsigned flags;
	const char *text;
} not_base64[] = {
	{ B64_STD, "Z" },          { B64_STD, "Zg" },
	{ B64_STD, "Zg=" },        { B64_STD, "Zg===" },
	{ B64_STD, "Zm9v=" },      { B64_STD, "Zm9v====" },
	{ B64_STD, "=" },          { B64_STD, "====" },
	{ B64_STD, "Z===" },       { B64_STD, "Zg==Zg==" },
	{ B64_STD, "Zg=g" },       { B64_STD, "Zm9 v" },
	{ B64_STD, "Zm9v\n" },     { B64_STD, "-_-_" },
	{ B64_URL, "+/+/" },       { B64_STD, "Zh==" },
	{ B64_STD, "Zm9=" },       { B64_URL | B64_NOPAD, "Zh" },
	{ B64_NOPAD, "Zg==" },     { B64_NOPAD, "Z" },
	{ B64_NOPAD, "Zm9vZ" },    { B64_STD, "Zm9v\xc3\xa4" },
	{ B64_NEWLINES, "Zm 9v" }, { B64_STD, "Zm9v@aaa" },
	{ B64_STD, "Zm9v[aaa" },   { B64_STD, "Zm9v`aaa" },
	{ B64_STD, "Zm9v{aaa" },   { B64_STD, "Zm9v:aaa" },
};

static void base64_refusals(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(not_base64); i++) {
		AUTO_BUF struct buf b = BUF_INIT(100);
		buf_puts(&b, "kept");
		EXPECT_FAIL(ERR_CONFIG, codec_b64_decode(not_base64[i].text,
							 strlen(not_base64[i].text),
							 not_base64[i].flags, &b, &err));
		assert_string_equal(buf_str(&b), "kept");
	}
}

static void base64_newlines(void **state UNUSED)
{
	static const char text[] = "Z\nm9\r\nvYg\n=\n=\n";
	AUTO_BUF struct buf b = BUF_INIT(100);
	EXPECT_OK(codec_b64_decode(text, strlen(text), B64_NEWLINES, &b, &err));
	assert_string_equal(buf_str(&b), "foob");
}

static void base64_limits(void **state UNUSED)
{
	AUTO_BUF struct buf b = BUF_INIT(5);
	assert_false(codec_b64_encode("foob", 4, B64_STD, &b));
	EXPECT_FAIL(ERR_LIMIT, codec_b64_decode("Zm9vYmFy", 8, B64_STD, &b, &err));
	assert_int_equal(b.len, 0);
	EXPECT_OK(codec_b64_decode("Zm9vYmE=", 8, B64_STD, &b, &err));
}

// Every byte value, at every place of a group, against a mebibyte of data.
static void base64_of_a_mebibyte(void **state UNUSED)
{
	const size_t len = (1 << 20) + 1;
	AUTO_FREE unsigned char *p = mem_alloc(len);
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(i * 167 + i / 256);
	AUTO_BUF struct buf text = BUF_INIT(len * 2);
	AUTO_BUF struct buf back = BUF_INIT(len);
	assert_true(codec_b64_encode(p, len, B64_URL, &text));
	EXPECT_OK(codec_b64_decode(text.data, text.len, B64_URL, &back, &err));
	assert_int_equal(back.len, len);
	assert_memory_equal(back.data, p, len);
}

static void hex(void **state UNUSED)
{
	unsigned char all[256];
	for (unsigned i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	AUTO_BUF struct buf b = BUF_INIT(512);
	AUTO_BUF struct buf back = BUF_INIT(512);
	assert_true(codec_hex_encode(all, sizeof(all), &b));
	assert_memory_equal(b.data, "000102030405060708090a0b0c0d0e0f10", 34);
	assert_memory_equal(b.data + 508, "feff", 4);
	EXPECT_OK(codec_hex_decode(b.data, b.len, &back, &err));
	assert_memory_equal(back.data, all, sizeof(all));
	buf_reset(&back);
	EXPECT_OK(codec_hex_decode("AbCD", 4, &back, &err));
	assert_memory_equal(back.data, "\xab\xcd", 2);
	static const char *const bad[] = { "a",  "abc", "0g", "g0", "0x",      " 0",
					   "0/", "0:",  "@0", "`0", "\xb0\x30" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_FAIL(ERR_CONFIG,
			    codec_hex_decode(bad[i], strlen(bad[i]), &back, &err));
		assert_int_equal(back.len, 2);
	}
	AUTO_BUF struct buf small = BUF_INIT(3);
	assert_false(codec_hex_encode("ab", 2, &small));
	EXPECT_FAIL(ERR_LIMIT, codec_hex_decode("aabbccdd", 8, &small, &err));
}

static void url(void **state UNUSED)
{
	static const struct {
		const char *plain, *keep, *text;
	} cases[] = {
		{ "azAZ09-._~", "", "azAZ09-._~" },
		{ "a b/c?d=\xc3\xa4&", "", "a%20b%2Fc%3Fd%3D%C3%A4%26" },
		{ "kv/data/a b", "/", "kv/data/a%20b" },
		{ "%+", "", "%25%2B" },
		{ "", "", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_BUF struct buf b = BUF_INIT(100);
		AUTO_BUF struct buf back = BUF_INIT(100);
		assert_true(codec_url_escape(cases[i].plain, strlen(cases[i].plain),
					     cases[i].keep, &b));
		assert_string_equal(buf_str(&b), cases[i].text);
		EXPECT_OK(codec_url_unescape(b.data, b.len, &back, &err));
		assert_string_equal(buf_str(&back), cases[i].plain);
	}
	AUTO_BUF struct buf b = BUF_INIT(100);
	assert_true(
		codec_url_escape("\0", 1, "/", &b)); // NUL ends no list of kept letters
	assert_string_equal(buf_str(&b), "%00");
}

static void url_refusals(void **state UNUSED)
{
	static const char *const bad[] = { "%", "%2", "a%", "%zz", "%2g", "%g2", "%%41" };
	AUTO_BUF struct buf b = BUF_INIT(4);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXPECT_FAIL(ERR_CONFIG,
			    codec_url_unescape(bad[i], strlen(bad[i]), &b, &err));
		assert_int_equal(b.len, 0);
	}
	EXPECT_FAIL(ERR_LIMIT, codec_url_unescape("abcde", 5, &b, &err));
	assert_int_equal(b.len, 0);
	assert_false(codec_url_escape("a b", 3, "", &b));
	assert_int_equal(b.len, 0);
	EXPECT_OK(codec_url_unescape("a+b", 3, &b, &err)); // '+' is no blank in a path
	assert_string_equal(buf_str(&b), "a+b");
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_there_and_back),
		cmocka_unit_test(base64_refusals),
		cmocka_unit_test(base64_newlines),
		cmocka_unit_test(base64_limits),
		cmocka_unit_test(base64_of_a_mebibyte),
		cmocka_unit_test(hex),
		cmocka_unit_test(url),
		cmocka_unit_test(url_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
