// SPDX-License-Identifier: Apache-2.0
// dotenv files: what is taken, and what is refused with its line.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/seal_import.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static void test_good(void **state)
{
	(void)state;
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "{}" },
		{ "# c\n\n  \r\n", "{}" },
		{ "A=1", "{\"A\":\"1\"}" },
		{ "export A=1\r\nB.c-d = two words # c\n",
		  "{\"A\":\"1\",\"B.c-d\":\"two words\"}" },
		{ "A='$x `y` \\n #'", "{\"A\":\"$x `y` \\\\n #\"}" },
		{ "A=\"a\\nb\\t\\\"\\\\\\$\"# c", "{\"A\":\"a\\nb\\t\\\"\\\\$\"}" },
		{ "A='x\ny'\nB=\n", "{\"A\":\"x\\ny\",\"B\":\"\"}" },
		{ "A=a#b\nB=#c\n", "{\"A\":\"a#b\",\"B\":\"\"}" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_JSON json_t *j = NULL;
		AUTO_BUF struct buf text = BUF_INIT(1000);
		struct err e = ERR_INIT;
		if (!seal_dotenv_parse(str_of(cases[i].text), "f", &j, &e))
			fail_msg("%s", e.text);
		assert_true(json_write(j, &text, &e));
		assert_string_equal(text.data, cases[i].json);
	}
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "A", "line 1: not of the form" },
		{ "\n1A=x", "line 2: not of the form" },
		{ "A=1\nA=2", "line 2: a key that is there" },
		{ "A='x\n\n", "line 3: a quote that is not closed" },
		{ "A=\"$x\"", "a variable" },
		{ "A=`x`", "inside a bare value" },
		{ "A='x'y", "text behind" },
		{ "A=\"\\q\"", "an escape other" },
		{ "A=\"\\", "an escape other" },
		{ "A=\xff", "not UTF-8" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *j = NULL;
		struct err e = ERR_INIT;
		assert_false(seal_dotenv_parse(str_of(cases[i].text), "f", &j, &e));
		if (!strstr(e.text, cases[i].why))
			fail_msg("'%s' is not in '%s'", cases[i].why, e.text);
	}
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good),
					    cmocka_unit_test(test_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
