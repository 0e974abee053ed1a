// SPDX-License-Identifier: Apache-2.0
// RFC 6902: the examples of its appendix A, and that a difference applied gives the other
// document.
#include "webhook/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "test/support/expect.h"
#include "webhook/diff.h"

// `want` NULL: refused. Quotes are written as ' here.
static const struct {
	const char *doc, *patch, *want;
} vectors[] = {
	{ "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux'}]",
	  "{'baz':'qux','foo':'bar'}" },
	{ "{'foo':['bar','baz']}", "[{'op':'add','path':'/foo/1','value':'qux'}]",
	  "{'foo':['bar','qux','baz']}" },
	{ "{'baz':'qux','foo':'bar'}", "[{'op':'remove','path':'/baz'}]",
	  "{'foo':'bar'}" },
	{ "{'foo':['bar','qux','baz']}", "[{'op':'remove','path':'/foo/1'}]",
	  "{'foo':['bar','baz']}" },
	{ "{'baz':'qux','foo':'bar'}", "[{'op':'replace','path':'/baz','value':'boo'}]",
	  "{'baz':'boo','foo':'bar'}" },
	{ "{'foo':{'bar':'baz','waldo':'fred'},'qux':{'corge':'grault'}}",
	  "[{'op':'move','from':'/foo/waldo','path':'/qux/thud'}]",
	  "{'foo':{'bar':'baz'},'qux':{'corge':'grault','thud':'fred'}}" },
	{ "{'foo':['all','grass','cows','eat']}",
	  "[{'op':'move','from':'/foo/1','path':'/foo/3'}]",
	  "{'foo':['all','cows','eat','grass']}" },
	{ "{'baz':'qux','foo':['a',2,'c']}",
	  "[{'op':'test','path':'/baz','value':'qux'},{'op':'test','path':'/foo/1',"
	  "'value':2}]",
	  "{'baz':'qux','foo':['a',2,'c']}" },
	{ "{'baz':'qux'}", "[{'op':'test','path':'/baz','value':'bar'}]", NULL },
	{ "{'foo':'bar'}", "[{'op':'add','path':'/child','value':{'grandchild':{}}}]",
	  "{'child':{'grandchild':{}},'foo':'bar'}" },
	{ "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux','xyz':123}]",
	  "{'baz':'qux','foo':'bar'}" },
	{ "{'foo':'bar'}", "[{'op':'add','path':'/baz/bat','value':'qux'}]", NULL },
	{ "{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':10}]",
	  "{'/':9,'~1':10}" },
	{ "{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':'10'}]", NULL },
	{ "{'foo':['bar']}", "[{'op':'add','path':'/foo/-','value':['abc','def']}]",
	  "{'foo':['bar',['abc','def']]}" },
	{ "{'a':1}", "[{'op':'copy','from':'/a','path':'/b'}]", "{'a':1,'b':1}" },
	{ "{'a':1}", "[{'op':'add','path':'','value':[1]}]", "[1]" },
	{ "{'a':[1]}", "[{'op':'add','path':'/a/01','value':1}]", NULL },
	{ "{'a':[1]}", "[{'op':'remove','path':'/a/-'}]", NULL },
	{ "{'a':{}}", "[{'op':'move','from':'/a','path':'/a/b'}]", NULL },
	{ "{'a':1}", "[{'op':'remove','path':''}]", NULL },
	{ "{'a':1}", "[{'op':'spam','path':'/a'}]", NULL },
	{ "{'a':1}", "[{'op':'add','path':'/b'}]", NULL },
	{ "{'a':1}", "[{'op':'add','path':'b','value':1}]", NULL },
	{ "{'a':1}", "[{'op':'add','path':'/~2','value':1}]", NULL },
	{ "{'a':1}", "{}", NULL },
	// all or none
	{ "{'a':1}", "[{'op':'add','path':'/b','value':1},{'op':'remove','path':'/c'}]",
	  NULL },
};

static json_t *parse(const char *text)
{
	AUTO_FREE char *copy = mem_strdup(text);
	json_t *doc = NULL;
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	EXPECT_OK(json_parse(copy, strlen(copy), 1 << 20, JSON_PLAIN, &doc, &err));
	return doc;
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		AUTO_JSON json_t *before = parse(vectors[i].doc);
		AUTO_JSON json_t *doc = json_deep_copy(before);
		AUTO_JSON json_t *patch = parse(vectors[i].patch);
		AUTO_JSON json_t *want = parse(vectors[i].want ? vectors[i].want : "{}");
		err_clear(&err);
		bool ok = patch_apply(patch, &doc, &err);
		if (ok != (vectors[i].want != NULL) ||
		    !json_equal(doc, ok ? want : before))
			fail_msg("vector %zu: %s %s", i, vectors[i].patch, err.text);
	}
}

static const char *const documents[] = {
	"{}",
	"{'a':1}",
	"{'a':{'b':[1,2,3],'c':null},'~/':true}",
	"{'list':[{'name':'a','x':1},{'name':'b'}]}",
	"{'list':[{'name':'z'},{'name':'a','x':2},{'name':'b'},{'name':'c'}]}",
	"{'list':[{'name':'b'}],'a':{'b':[3,2]}}",
	"{'list':[{'mountPath':'/a','name':'v'},{'mountPath':'/b','name':'v'}]}",
	"{'list':[{'mountPath':'/b','name':'v'},{'mountPath':'/c','name':'v'}]}",
	"{'list':[1,1,1]}",
	"{'list':[1,2,1,1]}",
	"{'list':[]}",
	"[1]",
};

static void test_differences_apply(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(documents); i++)
		for (size_t k = 0; k < ARRAY_LEN(documents); k++) {
			AUTO_JSON json_t *from = parse(documents[i]);
			AUTO_JSON json_t *to = parse(documents[k]);
			AUTO_JSON json_t *ops = diff_make(from, to);
			EXPECT_OK(patch_apply(ops, &from, &err));
			if (!json_equal(from, to) || (i == k && json_array_size(ops)))
				fail_msg("%s to %s", documents[i], documents[k]);
		}
}

// An inserted container is one operation, not a rewrite of those behind it.
static void test_an_insertion_is_one_add(void **state)
{
	(void)state;
	AUTO_JSON json_t *from = parse("{'c':[{'name':'a'},{'name':'b'}]}");
	AUTO_JSON json_t *to = parse("{'c':[{'name':'new'},{'name':'a'},{'name':'b'}]}");
	AUTO_JSON json_t *ops = diff_make(from, to);
	AUTO_JSON json_t *want =
		parse("[{'op':'add','path':'/c/0','value':{'name':'new'}}]");
	assert_true(json_equal(ops, want));
}

// Each copy of the whole into itself doubles it.
static void test_copies_of_copies_end(void **state)
{
	(void)state;
	AUTO_JSON json_t *doc = parse("{'name':'agent'}"), *ops = json_array();
	for (int i = 0; i < 64; i++) {
		char path[16];
		snprintf(path, sizeof(path), "/c%d", i);
		json_array_append_new(ops, json_pack("{s:s,s:s,s:s}", "op", "copy",
						     "from", "", "path", path));
	}
	struct err e = { 0 };
	assert_false(patch_apply(ops, &doc, &e));
	assert_non_null(strstr(e.text, "copied values have at most"));
}

static void op(json_t *ops, const char *word, const char *from, const char *path)
{
	json_array_append_new(
		ops, json_pack("{s:s,s:s,s:s}", "op", word, "from", from, "path", path));
}

// Moves alone can build what no parser takes.
static void test_depth_ends(void **state)
{
	(void)state;
	AUTO_JSON json_t *doc = parse("{'a':{}}"), *ops = json_array();
	for (int i = 0; i < 50; i++) { // each time two levels more
		json_array_append_new(ops, json_pack("{s:s,s:s,s:{s:{}}}", "op", "add",
						     "path", "/b", "value", "x"));
		op(ops, "move", "/a", "/b/x/y");
		op(ops, "move", "/b", "/a");
	}
	struct err e = { 0 };
	assert_false(patch_apply(ops, &doc, &e));
	assert_non_null(strstr(e.text, "more than 64 levels"));
	assert_non_null(json_object_get(doc, "a")); // nothing was lost
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_differences_apply),
		cmocka_unit_test(test_an_insertion_is_one_add),
		cmocka_unit_test(test_copies_of_copies_end),
		cmocka_unit_test(test_depth_ends),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
