// SPDX-License-Identifier: Apache-2.0
// SealedSecret manifests that kubeseal 0.27.1 made (test/cases/seal/sealedsecrets): scopes,
// several keys, moved items, damage.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/sealedsecret.h"

#define CASES "test/cases/seal/sealedsecrets/"

static struct sealedsecret_keys keys;

static void load_manifest(const char *path, struct manifest *m)
{
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;
	if (!file_read(path, &text, &e) ||
	    !manifest_parse((struct str){ text.data, text.len }, path, m, &e))
		fail_msg("%s", e.text);
}

static int load_keys(const char *path)
{
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;
	sealedsecret_keys_release(&keys);
	if (file_read(path, &text, &e) &&
	    sealedsecret_keys_parse(&keys, (struct str){ text.data, text.len }, path, &e))
		return 0;
	print_error("%s\n", e.text);
	return -1;
}

static int setup(void **state)
{
	(void)state;
	return load_keys(CASES "keys.pem");
}

static int teardown(void **state)
{
	(void)state;
	sealedsecret_keys_release(&keys);
	return 0;
}

static const json_t *doc_named(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(manifest_str(m->docs[i].root, "metadata", "name"), name) == 0)
			return m->docs[i].root;
	fail_msg("no document '%s'", name);
	return NULL;
}

static void expect_all(const json_t *doc)
{
	struct sealedsecret s;
	struct err e = ERR_INIT;
	AUTO_JSON json_t *data = NULL;
	AUTO_BUF struct buf text = BUF_INIT(4096);
	assert_true(sealedsecret_is(doc));
	if (!sealedsecret_read(doc, NULL, &s, &e) ||
	    !sealedsecret_open(&s, &keys, &data, &e))
		fail_msg("%s", e.text);
	assert_true(json_write(data, &text, &e));
	assert_string_equal(
		text.data,
		"{\"blob\":\"/wD+\",\"password\":\"hunter2\",\"user\":\"app\\n\"}");
}

static void test_scopes_and_keys(void **state)
{
	(void)state;
	AUTO_MANIFEST struct manifest m = { 0 }, cluster = { 0 };
	load_manifest(CASES "all.yaml", &m);
	load_manifest(CASES "cluster.json", &cluster);
	assert_int_equal(keys.n, 2);
	assert_int_equal(m.n, 3);
	for (unsigned i = 0; i < 2; i++) {
		expect_all(doc_named(&m, "db"));   // strict, the old key
		expect_all(doc_named(&m, "wide")); // namespace, the new one
		expect_all(doc_named(&m, "api"));
		expect_all(cluster.docs[0].root);
		assert_int_equal(load_keys(CASES "keys.yaml"), 0);
	}
}

static enum err_kind open_as(const json_t *doc, const char *name, const char *namespace_)
{
	struct sealedsecret s;
	struct err e = ERR_INIT;
	AUTO_BUF struct buf value = BUF_INIT(4096);
	AUTO_JSON json_t *moved = json_deep_copy(doc);
	json_t *meta = json_object_get(moved, "metadata");
	json_object_set_new(meta, "name", json_string(name));
	json_object_set_new(meta, "namespace", json_string(namespace_));
	assert_true(sealedsecret_read(moved, NULL, &s, &e));
	bool ok = sealedsecret_open_item(&s, &keys, "password", &value, &e);
	assert_int_equal(ok, e.kind == ERR_NONE);
	return e.kind;
}

static void test_moved(void **state)
{
	(void)state;
	AUTO_MANIFEST struct manifest m = { 0 }, cluster = { 0 };
	load_manifest(CASES "all.yaml", &m);
	load_manifest(CASES "cluster.json", &cluster);
	const json_t *strict = doc_named(&m, "db"), *wide = doc_named(&m, "wide");
	assert_int_equal(open_as(strict, "db", "shop"), ERR_NONE);
	assert_int_equal(open_as(strict, "dc", "shop"), ERR_DENIED);
	assert_int_equal(open_as(strict, "db", "other"), ERR_DENIED);
	assert_int_equal(open_as(wide, "anything", "shop"), ERR_NONE);
	assert_int_equal(open_as(wide, "wide", "other"), ERR_DENIED);
	assert_int_equal(open_as(cluster.docs[0].root, "x", "y"), ERR_NONE);
}

static void test_refusals(void **state)
{
	(void)state;
	static const char *const bad_items[] = { "", "AA", "AAAA", "AgA=", "!!", "AgAB" };
	for (size_t i = 0; i < ARRAY_LEN(bad_items); i++) {
		struct err e = ERR_INIT;
		struct sealedsecret s = { .name = "n", .namespace_ = "ns" };
		AUTO_JSON json_t *items = json_pack("{s:s}", "a", bad_items[i]);
		AUTO_BUF struct buf value = BUF_INIT(100);
		s.items = items;
		assert_false(sealedsecret_open_item(&s, &keys, "a", &value, &e));
		assert_non_null(strstr(e.text, "SealedSecret 'n', item 'a'"));
		assert_int_equal(value.len, 0);
	}
	static const char *const bad_keys[] = { "", "a: b\n",
						"-----BEGIN CERTIFICATE-----\n",
						"data: {tls.key: '!'}\n" };
	for (size_t i = 0; i < ARRAY_LEN(bad_keys); i++) {
		struct err e = ERR_INIT;
		struct sealedsecret_keys k = { 0 };
		assert_false(sealedsecret_keys_parse(&k, str_of(bad_keys[i]), "k", &e));
		assert_true(e.kind != ERR_NONE);
	}
}

static void test_versions(void **state)
{
	(void)state;
	AUTO_MANIFEST struct manifest m = { 0 };
	load_manifest(CASES "all.yaml", &m);
	struct sealedsecret a, b;
	char va[13], vb[13];
	assert_true(sealedsecret_read(doc_named(&m, "db"), NULL, &a, NULL));
	assert_true(sealedsecret_read(doc_named(&m, "wide"), NULL, &b, NULL));
	assert_true(sealedsecret_version(&a, va, NULL) &&
		    sealedsecret_version(&b, vb, NULL));
	assert_int_equal(strlen(va), 12);
	assert_string_not_equal(va, vb);
}

static void test_manifests(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why; // NULL: good
		size_t n;
	} cases[] = {
		{ "", NULL, 0 },
		{ "---\n---\na: 1\n---\n# c\n", NULL, 1 },
		{ "{\"a\": [1, {\"b\": null}]}", NULL, 1 },
		{ "kind: List\nitems: [{a: 1}, {a: 2}]\n", NULL, 2 },
		{ "a: 1\na: 2\n", "line 2: a key is there twice", 0 },
		{ "a: &x 1\nb: *x\n", "line 2: an alias", 0 },
		{ "? [a]\n: 1\n", "a key that is no text", 0 },
		{ "a: [\n", "line 2: ", 0 },
		{ "a: \"\\0\"\n", "UTF-8, or a NUL", 0 },
		{ "a: \xff\n", "line ", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_MANIFEST struct manifest m = { 0 };
		struct err e = ERR_INIT;
		bool ok = manifest_parse(str_of(cases[i].text), "f", &m, &e);
		if (ok != (cases[i].why == NULL))
			fail_msg("case %zu: %s", i, e.text);
		if (ok)
			assert_int_equal(m.n, cases[i].n);
		else if (!strstr(e.text, cases[i].why))
			fail_msg("case %zu: %s", i, e.text);
	}
	AUTO_BUF struct buf deep = BUF_INIT(1000);
	for (unsigned i = 0; i < 100; i++)
		buf_putc(&deep, '[');
	AUTO_MANIFEST struct manifest m = { 0 };
	struct err e = ERR_INIT;
	assert_false(manifest_parse((struct str){ deep.data, deep.len }, "f", &m, &e));
	assert_non_null(strstr(e.text, "nested too deeply"));
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scopes_and_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
		cmocka_unit_test(test_manifests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
