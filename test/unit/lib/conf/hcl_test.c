// SPDX-License-Identifier: Apache-2.0
// The readers of HCL and JSON: what a text means (as JSON), or where and why it is refused.
// Whole configurations are in test/cases/conf.
#include "lib/conf/hcl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

static bool parse(struct pool *p, const char *text, const struct node **ret,
		  struct err *e)
{
	return hcl_parse(p, "f", text, strlen(text), ret, e);
}

// The text as compact JSON; an error stands for itself.
static char *meaning(const char *text)
{
	AUTO_POOL struct pool p = { 0 };
	struct err e = ERR_INIT;
	const struct node *root;
	if (!parse(&p, text, &root, &e))
		return mem_strdup(e.text);
	AUTO_JSON json_t *j = node_to_json(root);
	AUTO_BUF struct buf b = BUF_INIT(4 << 20);
	assert_true(json_write(j, &b, &e));
	return buf_take(&b, NULL);
}

static const struct {
	const char *text, *want;
} cases[] = {
	// items
	{ "", "{}" },
	{ " \n\t# only a comment", "{}" },
	{ "a = 1", "{\"a\":1}" },
	{ "a=1 b=2\nc=3,d=4", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}" },
	{ "\"quoted key\" = true", "{\"quoted key\":true}" },
	{ "a.b-c_d = false", "{\"a.b-c_d\":false}" },
	{ "a = 1\na = 2", "{\"a\":[1,2]}" },
	{ "a {}", "{\"a\":{}}" },
	{ "a { b = 1 }", "{\"a\":{\"b\":1}}" },
	{ "a = { b = 1, }", "{\"a\":{\"b\":1}}" },
	{ "a \"l\" { b = 1 }", "{\"a\":{\"l\":{\"b\":1}}}" },
	{ "a \"l\" m { b = 1 }", "{\"a\":{\"l\":{\"m\":{\"b\":1}}}}" },
	{ "a \"l\" {}\na \"m\" {}", "{\"a\":[{\"l\":{}},{\"m\":{}}]}" },
	{ "a {}\na {}\na {}", "{\"a\":[{},{},{}]}" },
	{ "a\n{\n}\n", "{\"a\":{}}" },
	{ ", a = 1", "f:1:1: a key is wanted here, not ','" },
	{ "a", "f:1:2: '=' or '{' is wanted here, not the end of the file" },
	{ "a b = 1", "f:1:5: '{' is wanted here, not '='" },
	{ "= 1", "f:1:1: a key is wanted here, not '='" },
	{ "a = ", "f:1:5: a value is wanted here, not the end of the file" },
	{ "a = 1 }", "f:1:7: a key is wanted here, not '}'" },
	{ "a {\n b = 1", "f:2:7: a key or '}' is wanted here, not the end of the file" },
	{ "a = b", "f:1:5: a bare word is no value; put \"quotes\" around text, or write "
		   "true or false" },
	// comments
	{ "/* a */ b = 1 // c = 2\n# d = 3\n", "{\"b\":1}" },
	{ "/**/a=1/***/", "{\"a\":1}" },
	{ "a = 1 /", "f:1:7: an unexpected '/'" },
	{ "\n /* x", "f:2:2: a comment without its end; write */" },
	// lists
	{ "a = []", "{\"a\":[]}" },
	{ "a = [1, \"x\", true, 0x10, [], {b=1},]",
	  "{\"a\":[1,\"x\",true,16,[],{\"b\":1}]}" },
	{ "a = [\n1,\n# c\n2\n]", "{\"a\":[1,2]}" },
	{ "a = [1 2]", "f:1:8: a comma or ']' is wanted here, not a number" },
	{ "a = [,]", "f:1:6: a value is wanted here, not ','" },
	{ "a = [1", "f:1:7: a comma or ']' is wanted here, not the end of the file" },
	// numbers
	{ "a = 0", "{\"a\":0}" },
	{ "a = -0", "{\"a\":0}" },
	{ "a = 0640", "{\"a\":416}" },
	{ "a = 0x1Ff", "{\"a\":511}" },
	{ "a = -0x10", "{\"a\":-16}" },
	{ "a = -12", "{\"a\":-12}" },
	{ "a = 1.5", "{\"a\":1.5}" },
	{ "a = 1e3", "{\"a\":1000}" },
	{ "a = 2.5E-1", "{\"a\":0.25}" },
	{ "a = 9223372036854775807", "{\"a\":9223372036854775807}" },
	{ "a = 0777777777777777777777", "{\"a\":9223372036854775807}" },
	{ "a = 01777777777777777777777", "f:1:5: a number that is out of range" },
	{ "a = 1e999", "f:1:5: a number that is out of range" },
	{ "a = 08", "f:1:6: a number with a leading 0 is octal" },
	{ "a = 0x", "f:1:7: 0x wants hexadecimal digits" },
	{ "a = 1x", "f:1:5: a letter in a number; put \"quotes\" around text" },
	{ "a = 1.2.3", "f:1:5: a number that is out of range" },
	{ "a = -", "f:1:5: an unexpected '-'" },
	// strings
	{ "a = \"\"", "{\"a\":\"\"}" },
	{ "a = \"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"",
	  "{\"a\":\"\\u0007\\b\\f\\n\\r\\t\\u000b\\\\\\\"\"}" },
	{ "a = \"\\u20ac\\U0001F600\\x41\\101\"", "{\"a\":\"\xe2\x82\xac\xf0\x9f\x98\x80"
						  "AA\"}" },
	{ "a = \"\\xe2\\x82\\xac\"", "{\"a\":\"\xe2\x82\xac\"}" },
	{ "a = \"\\xff\"", "f:1:11: escapes in a string make invalid UTF-8" },
	{ "a = \"\\400\"", "f:1:10: an octal escape above \\377" },
	{ "a = \"\\18\"", "f:1:8: an octal escape wants 3 digits" },
	{ "a = \"\\000\"", "f:1:10: a NUL letter in a string" },
	{ "a = \"\\x00\"", "f:1:10: a NUL letter in a string" },
	{ "a = \"\\uD800\"", "f:1:12: an escape that names no Unicode letter" },
	{ "a = \"\\U00110000\"", "f:1:16: an escape that names no Unicode letter" },
	{ "a = \"\\u12\"", "f:1:10: an escape wants 4 hexadecimal digits" },
	{ "a = \"\\'\"",
	  "f:1:6: an unknown escape in a string; write \\\\ for a backslash" },
	{ "a = \"x\ny\"",
	  "f:1:7: a string without its closing quote; write long text as <<EOT" },
	{ "a = \"\\",
	  "f:1:6: an unknown escape in a string; write \\\\ for a backslash" },
	// interpolation is text
	{ "a = \"${x}\"", "{\"a\":\"${x}\"}" },
	{ "a = \"${ f(\"q\") } y\"", "{\"a\":\"${ f(\\\"q\\\") } y\"}" },
	{ "a = \"${ {\n} }\"", "{\"a\":\"${ {\\n} }\"}" },
	{ "a = \"${ \\\" }\"", "{\"a\":\"${ \\\\\\\" }\"}" },
	{ "a = \"$x $ {\"", "{\"a\":\"$x $ {\"}" },
	{ "a = \"${x\"", "f:1:10: a string ends inside of ${" },
	// heredocs
	{ "a = <<E\nE\n", "{\"a\":\"\"}" },
	{ "a = <<E\nx\n\ny\nE\nb = 1", "{\"a\":\"x\\n\\ny\\n\",\"b\":1}" },
	{ "a = <<E\n  x\n  E\n", "{\"a\":\"  x\\n  \"}" },
	{ "a = <<-E\n  x\n    y\n  E\n", "{\"a\":\"x\\n  y\\n\"}" },
	{ "a = <<-E\n  x\n y\n  E\n", "{\"a\":\"  x\\n y\\n\"}" },
	{ "a = <<-E\n  x\n\n  y\n  E\n", "{\"a\":\"  x\\n\\n  y\\n\"}" },
	{ "a = <<-E\nx\nE", "{\"a\":\"x\\n\"}" },
	{ "a = <<E\nEE\nE x\n\"\\n${\nE", "{\"a\":\"EE\\nE x\\n\\\"\\\\n${\\n\"}" },
	{ "a = [<<E\nx\nE\n, <<E\ny\nE\n]", "{\"a\":[\"x\\n\",\"y\\n\"]}" },
	{ "a = <<E\nx",
	  "f:1:5: a heredoc without its end; write E on a line of its own" },
	{ "a = <<E x\nE", "f:1:5: a heredoc begins with <<WORD and a new line" },
	{ "a = <<\nE", "f:1:5: a heredoc begins with <<WORD and a new line" },
	{ "a = <<E", "f:1:5: a heredoc begins with <<WORD and a new line" },
	// letters
	{ "\xef\xbb\xbf"
	  "a = 1",
	  "{\"a\":1}" },
	{ "a = 1\r\nb = <<E\r\nx\r\nE\r\n", "{\"a\":1,\"b\":\"x\\n\"}" },
	{ "\xc3\xa9 = \"\xc3\xa9\"", "{\"\xc3\xa9\":\"\xc3\xa9\"}" },
	{ "a = \"\xc3\xa9\" @", "f:1:9: an unexpected '@'" },
	{ "a = \x01", "f:1:5: an unexpected byte 0x01" },
	{ "a = 1\nb = \"\xc3(\"", "f:2:6: the text is not valid UTF-8" },
	{ "\xff", "f:1:1: the text is not valid UTF-8" },
	// JSON
	{ "{}", "{}" },
	{ " \n[]", "[]" },
	{ "{\"a\": [1, -2.5e1, true, false, null, \"x\", {}]}",
	  "{\"a\":[1,-25,true,false,null,\"x\",{}]}" },
	{ "{\"a\": 1, \"a\": 2}", "{\"a\":[1,2]}" },
	{ "{\"\\u00e9\\ud83d\\ude00\\/\\\"\\n\": \"\"}",
	  "{\"\xc3\xa9\xf0\x9f\x98\x80/\\\"\\n\":\"\"}" },
	{ "{\"a\":1,}", "f:1:8: a key in quotes is wanted here" },
	{ "{,}", "f:1:2: a key in quotes is wanted here" },
	{ "{\"a\" 1}", "f:1:6: ':' is wanted here" },
	{ "{\"a\":}", "f:1:6: a value is wanted here" },
	{ "{\"a\":1", "f:1:7: ',' or '}' is wanted here, not the end of the document" },
	{ "[1,]", "f:1:4: a value is wanted here" },
	{ "[1", "f:1:3: ',' or ']' is wanted here, not the end of the document" },
	{ "[01]",
	  "f:1:2: a number with a leading 0; JSON knows no octal numbers, write a file "
	  "mode as \"0640\"" },
	{ "[-]", "f:1:3: a digit is wanted here" },
	{ "[1.]", "f:1:4: a digit is wanted here" },
	{ "[1e+]", "f:1:5: a digit is wanted here" },
	{ "[1e400]", "f:1:2: a number that is out of range" },
	{ "[truth]", "f:1:2: a value is wanted here" },
	{ "[nul]", "f:1:2: a value is wanted here" },
	{ "[\"a\nb\"]", "f:1:4: a control letter in a string; write \\n for a new line" },
	{ "[\"\\x41\"]", "f:1:3: an unknown escape in a string" },
	{ "[\"\\ud83d\"]", "f:1:9: an escape that names no Unicode letter" },
	{ "[\"\\ud83d\\u0041\"]", "f:1:15: half of a surrogate pair" },
	{ "[\"\\u0000\"]", "f:1:9: a NUL letter in a string" },
	{ "[\"a", "f:1:2: a string without its closing quote" },
	{ "{} x", "f:1:4: more text behind the document's closing '}'" },
	{ "{ // no\n}", "f:1:3: a key in quotes is wanted here" },
};

static void test_cases(void **state)
{
	(void)state;
	int bad = 0;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *got = meaning(cases[i].text);
		if (strcmp(got, cases[i].want) == 0)
			continue;
		bad++;
		printf("--- %s\nwanted %s\ngot    %s\n", cases[i].text, cases[i].want,
		       got);
	}
	assert_int_equal(bad, 0);
}

static void test_places(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"\n  a = 1\n\n    b \"x\" {\n c = [1,\n  2]\n}",
		"{\n  \"a\": 1,\n\n    \"b\": {\n \"c\": [1,\n  2]\n}}",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_POOL struct pool p = { 0 };
		const struct node *root;
		assert_true(parse(&p, texts[i], &root, NULL));
		const struct node *a = node_get(root, "a"), *b = node_get(root, "B");
		const struct node *c = node_get(b, "c");
		assert_int_equal(a->line, 2);
		assert_int_equal(a->column, 3);
		assert_string_equal(a->file, "f");
		assert_int_equal(b->line, 4);
		assert_int_equal(b->column, 5);
		assert_int_equal(c->line, 5);
		assert_int_equal(c->last->line, 6);
		assert_int_equal(c->last->column, 3);
		assert_null(node_get(root, "none"));
		assert_null(node_get(a, "a"));
		assert_ptr_equal(node_place(root, "none"), root);
		assert_ptr_equal(node_place(root, "a"), a);
		struct err e = ERR_INIT;
		assert_false(node_err(c, &e, "bad %d", 7));
		assert_string_equal(e.text, "f:5: c: bad 7");
	}
}

static void test_limits(void **state)
{
	(void)state;
	AUTO_POOL struct pool p = { 0 };
	const struct node *root;
	struct err e = ERR_INIT;
	AUTO_FREE char *big = mem_alloc(HCL_BYTES_MAX + 2);
	memset(big, ' ', HCL_BYTES_MAX + 1);
	assert_true(hcl_parse(&p, "f", big, HCL_BYTES_MAX, &root, &e));
	assert_false(hcl_parse(&p, "f", big, HCL_BYTES_MAX + 1, &root, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_string_equal(e.text, "f: longer than 1048576 bytes");
	err_clear(&e);
	// A list of more values than allowed, on one line, and as many as allowed.
	for (size_t n = HCL_NODES_MAX - 2; n <= HCL_NODES_MAX - 1; n++) {
		AUTO_POOL struct pool q = { 0 };
		memcpy(big, "a=[", 3);
		for (size_t i = 0; i < n; i++)
			memcpy(big + 3 + 2 * i, "1,", 2);
		big[3 + 2 * n] = ']';
		bool ok = hcl_parse(&q, "f", big, 4 + 2 * n, &root, &e);
		assert_int_equal(ok, n == HCL_NODES_MAX - 2);
	}
	assert_int_equal(e.kind, ERR_LIMIT);
	err_clear(&e);
	for (int depth = HCL_DEPTH_MAX; depth <= HCL_DEPTH_MAX + 1; depth++) {
		char text[2 * HCL_DEPTH_MAX + 8] = "a=";
		memset(text + 2, '[', (size_t)depth);
		memset(text + 2 + depth, ']', (size_t)depth);
		assert_int_equal(parse(&p, text, &root, &e), depth == HCL_DEPTH_MAX);
		assert_int_equal(parse(&p, text + 2, &root, NULL),
				 depth == HCL_DEPTH_MAX);
	}
	assert_true(strstr(e.text, "64 levels") != NULL);
}

static bool known(const char *name)
{
	return strcmp(name, "type") == 0 || strcmp(name, "config") == 0;
}

// All spellings of two blocks come out alike.
static void test_blocks(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"s \"a\" { type = 1 }\ns \"b\" {}",
		"s { a { type = 1 } b {} }",
		"s { a { type = 1 } }\ns = [{ b = {} }]",
		"s = [{ a = { type = 1 } }, { b = {} }]",
		"{\"s\": {\"a\": {\"type\": 1}, \"b\": {}}}",
		"{\"s\": [{\"a\": {\"type\": 1}}, {\"b\": [{}]}]}",
		"{\"s\": {\"a\": {\"type\": 1}}, \"s\": {\"b\": {}}, \"t\": 1}",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_POOL struct pool p = { 0 };
		const struct node *root;
		struct node_blocks blocks = { 0 };
		struct err e = ERR_INIT;
		assert_true(parse(&p, texts[i], &root, &e));
		assert_true(node_collect(&p, root, "s", known, &blocks, &e));
		assert_int_equal(blocks.n, 2);
		assert_string_equal(blocks.list[0].label, "a");
		assert_string_equal(blocks.list[1].label, "b");
		assert_non_null(node_get(blocks.list[0].body, "type"));
	}
}

static void test_blocks_without_labels(void **state)
{
	(void)state;
	AUTO_POOL struct pool p = { 0 };
	const struct node *root;
	struct node_blocks blocks = { 0 };
	struct err e = ERR_INIT;
	assert_true(parse(
		&p, "s { config { a = 1 } }\ns { x {} y = 1 }\ns {}\nn = 1\nz = [1]",
		&root, &e));
	assert_true(node_collect(&p, root, "s", known, &blocks, &e));
	assert_int_equal(blocks.n, 3);
	for (size_t i = 0; i < blocks.n; i++)
		assert_null(blocks.list[i].label);
	assert_true(node_collect(&p, root, "none", known, &blocks, &e));
	assert_int_equal(blocks.n, 3);
	assert_false(node_collect(&p, root, "n", known, &blocks, &e));
	assert_string_equal(e.text, "f:4: n: a block is wanted here, not a number");
	err_clear(&e);
	assert_false(node_collect(&p, root, "z", known, &blocks, &e));
	assert_string_equal(e.text, "f:5: z: a block is wanted here, not a number");
}

static void test_pool(void **state)
{
	(void)state;
	AUTO_POOL struct pool p = { 0 };
	size_t n = 0;
	int *list = NULL;
	for (int i = 0; i < 1000; i++) {
		list = pool_append(&p, list, &n, sizeof(*list));
		assert_int_equal(list[i], 0);
		list[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	assert_string_equal(pool_printf(&p, "%s-%d", "x", 5), "x-5");
	assert_null(pool_strdup(&p, NULL));
	assert_string_equal(pool_strndup(&p, "abc", 2), "ab");
	for (size_t size = 0; size < 6000; size += 97) {
		char *a = pool_alloc(&p, size);
		assert_int_equal((uintptr_t)a % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(a[i], 0);
		memset(a, 1, size);
	}
	pool_release(&p);
	pool_release(&p);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_blocks_without_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
