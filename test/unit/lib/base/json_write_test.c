// SPDX-License-Identifier: Apache-2.0
// Compact JSON with sorted keys: bytes in and out, what is escaped, what a limit does.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

static void check(const char *text, enum json_flags flags, const char *want)
{
	AUTO_JSON json_t *j = NULL;
	AUTO_BUF struct buf out = BUF_INIT(10000);
	struct err e = ERR_INIT;
	if (!json_parse(text, strlen(text), 10000, flags, &j, &e) ||
	    !json_write(j, &out, &e))
		fail_msg("%s: %s", text, e.text);
	assert_string_equal(buf_str(&out), want);
}

static void test_forms(void **state)
{
	(void)state;
	check("{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}", JSON_PLAIN,
	      "{\"a\":{\"c\":{},\"d\":[]},\"b\":1}");
	check("[true, false, null, \"\", -5]", JSON_PLAIN, "[true,false,null,\"\",-5]");
	check("[0.5, 1e3]", JSON_PLAIN, "[0.5,1000]");
	check("{\"\\u0001\\\"\": 1}", JSON_PLAIN, "{\"\\u0001\\\"\":1}");
	check("[1.50, {\"n\": 1e400}]", JSON_KEEP_NUMBERS, "[1.50,{\"n\":1e400}]");
	check("\"\\b\\t\\n\\f\\r\\\"\\\\\\/\\u001f\\u007f\"", JSON_PLAIN,
	      "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u001f\x7f\"");
	check("\"\\u0000\"", JSON_PLAIN, "\"\\u0000\"");
	check("\"\\u00e9\\u2028<>&\"", JSON_PLAIN, "\"\xc3\xa9\xe2\x80\xa8<>&\"");
}

static void test_null(void **state)
{
	(void)state;
	AUTO_BUF struct buf out = BUF_INIT(10);
	assert_true(json_write(NULL, &out, NULL));
	assert_string_equal(buf_str(&out), "null");
}

// What does not fit leaves the buffer as it was.
static void test_limit(void **state)
{
	(void)state;
	AUTO_JSON json_t *j = json_pack("{s:s}", "key", "value");
	for (size_t max = 0; max < 20; max++) {
		AUTO_BUF struct buf out = BUF_INIT(max);
		struct err e = ERR_INIT;
		bool room = buf_puts(&out, "ab");
		bool ok = json_write(j, &out, &e);
		assert_int_equal(ok, max >= 2 + strlen("{\"key\":\"value\"}"));
		if (!ok && room) {
			assert_int_equal(e.kind, ERR_LIMIT);
			assert_string_equal(buf_str(&out), "ab");
		}
	}
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
