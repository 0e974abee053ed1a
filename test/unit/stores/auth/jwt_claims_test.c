// SPDX-License-Identifier: Apache-2.0
// What is told of a refused token, and of what is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "stores/auth/jwt_claims.h"

static const struct {
	const char *claims, *says;
} cases[] = {
	{ "{\"aud\":\"vault\",\"sub\":\"system:serviceaccount:prod:app\",\"exp\":"
	  "1795237330}",
	  "the token is for 'vault', of 'system:serviceaccount:prod:app', and ends at "
	  "2026-11-21T05:02:10.000Z" },
	{ "{\"aud\":[\"a\",\"b\",\"c\",\"d\"],\"exp\":1}",
	  "the token is for 'a', 'b', 'c', and ended at 1970-01-01T00:00:01.000Z" },
	{ "{\"aud\":[],\"sub\":7,\"exp\":\"x\"}", "the token is" },
	{ "{\"aud\":\"new\\nline\",\"sub\":\"s\",\"exp\":-1}", "the token is, of 's'" },
	{ "{\"exp\":9223372036854775807}", "the token is" },
	{ "{\"exp\":1795237330.5}", "the token is" },
	{ "[]", "" },
	{ "nonsense", "" },
};

static void claims_are_described(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_BUF struct buf token = BUF_INIT(10000);
		AUTO_BUF struct buf text = BUF_INIT(10000);
		buf_puts(&token, "e30.");
		codec_b64_encode(cases[i].claims, strlen(cases[i].claims),
				 B64_URL | B64_NOPAD, &token);
		buf_puts(&token, ".c2ln");
		jwt_describe(buf_str(&token), INT64_C(1795237329000), &text);
		assert_string_equal(buf_str(&text), cases[i].says);
	}
}

static void other_texts_say_nothing(void **state UNUSED)
{
	static const char *const texts[] = { "",       ".",       "..",      "a.b",
					     "a.!!.c", "s.token", "a.e30=.c" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_BUF struct buf text = BUF_INIT(10000);
		jwt_describe(texts[i], 0, &text);
		assert_string_equal(buf_str(&text), "");
	}
	AUTO_BUF struct buf text = BUF_INIT(10000);
	jwt_describe(NULL, 0, &text);
	assert_int_equal(text.len, 0);
}

static void long_names_are_cut(void **state UNUSED)
{
	AUTO_BUF struct buf token = BUF_INIT(10000);
	AUTO_BUF struct buf claims = BUF_INIT(10000);
	AUTO_BUF struct buf text = BUF_INIT(10000);
	buf_puts(&claims, "{\"aud\":\"");
	for (int i = 0; i < 500; i++)
		buf_putc(&claims, 'a');
	buf_puts(&claims, "\"}");
	buf_puts(&token, "e30.");
	codec_b64_encode(claims.data, claims.len, B64_URL | B64_NOPAD, &token);
	jwt_describe(buf_str(&token), 0, &text);
	assert_in_range(text.len, 80, 120);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_are_described),
		cmocka_unit_test(other_texts_say_nothing),
		cmocka_unit_test(long_names_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
