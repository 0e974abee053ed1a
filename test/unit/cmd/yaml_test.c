// SPDX-License-Identifier: Apache-2.0
// What manifests say in YAML, as JSON values.
#include "cmd/yaml_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "test/support/expect.h"

static const struct {
	const char *yaml, *json; // NULL: refused
} cases[] = {
	{ "a: 1\nb: [x, 0x10, 1.5, ~, yes]\n", "{'a':1,'b':['x',16,1.5,null,true]}" },
	// what is written beside a merge wins, wherever the merge stands
	{ "base: &b {x: 1, y: 2}\no: {<<: *b, x: 3}\n",
	  "{'base':{'x':1,'y':2},'o':{'x':3,'y':2}}" },
	{ "base: &b {x: 1, y: 2}\no: {x: 3, <<: *b}\n",
	  "{'base':{'x':1,'y':2},'o':{'x':3,'y':2}}" },
	{ "a: &a {x: 1}\nb: &b {x: 2, y: 2}\no: {<<: [*a, *b], y: 3}\n",
	  "{'a':{'x':1},'b':{'x':2,'y':2},'o':{'x':1,'y':3}}" },
	{ "o: {'<<': 1, <<: {a: 2}}\n", "{'o':{'<<':1,'a':2}}" },
	{ "o: {<<: 1}\n", NULL },
	// a tag makes a text, as quotes do
	{ "a: !!str 5\nb: &n 5\nc: [!!str yes, 6, *n, \"7\"]\nd: é\n",
	  "{'a':'5','b':5,'c':['yes',6,5,'7'],'d':'é'}" },
	{ "{a: 1, a: 2}\n", NULL },
	// integers of 64 bits, with and without a sign
	{ "[9223372036854775807, -9223372036854775808]\n",
	  "[9223372036854775807,-9223372036854775808]" },
	{ "[9223372036854775808, 18446744073709551615]\n",
	  "[9.223372036854775808e18,1.8446744073709551615e19]" },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_JSON json_t *docs = NULL;
		AUTO_JSON json_t *want = NULL;
		AUTO_FREE char *text = mem_strdup(cases[i].json ? cases[i].json : "");
		struct err e = ERR_INIT;
		bool ok = yaml_read("f", cases[i].yaml, strlen(cases[i].yaml), &docs, &e);
		for (char *c = text; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		assert_int_equal(ok, cases[i].json != NULL);
		if (!ok)
			continue;
		EXPECT_OK(json_parse(text, strlen(text), 4096, JSON_PLAIN, &want, &err));
		if (!json_equal(json_array_get(docs, 0), want))
			fail_msg("%s", cases[i].yaml);
	}
}

// An annotation that is written twice is named.
static void test_twice(void **state)
{
	static const char text[] = "metadata:\n  annotations:\n"
				   "    ampoule.dev/secret-db: a\n"
				   "    ampoule.dev/secret-db: b\n";
	AUTO_JSON json_t *docs = NULL;
	struct err e = ERR_INIT;
	(void)state;
	assert_false(yaml_read("f", text, strlen(text), &docs, &e));
	assert_string_equal(e.text,
			    "f:4: the key 'ampoule.dev/secret-db' stands here for "
			    "the second time; keep one of them");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_values),
					    cmocka_unit_test(test_twice) };
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
