// SPDX-License-Identifier: Apache-2.0
// The store "sealed" through its store_ops: answers, changes, options.
#include "test/unit/stores/sealed_fixture.h"

static void test_values(void **state)
{
	struct fixture *f = *state;
	put(f, (struct put){ "text", "hunter2", .version = 1 });
	put(f, (struct put){ "object", "{\"b\":1.10,\"a\":\"x\"}", .version = 1 });
	put(f, (struct put){ "list", "[1]", .version = 1 });
	put(f, (struct put){ "broken", "{\"b\":", .version = 1 });
	put(f, (struct put){ "bytes", "\xff\xfe", .version = 1 });
	put(f, (struct put){ "none", "", .version = 1 });
	write_file(f);
	expect(f, "text", "{\"value\":\"hunter2\"}", "1");
	expect(f, "object", "{\"a\":\"x\",\"b\":1.10}", "1");
	expect(f, "list", "{\"value\":\"[1]\"}", "1");
	expect(f, "broken", "{\"value\":\"{\\\"b\\\":\"}", "1");
	expect(f, "bytes", "{\"encoding\":\"base64\",\"value\":\"//4=\"}", "1");
	expect(f, "none", "{\"value\":\"\"}", "1");
	expect_error(f, "absent", ERR_MISSING, "has no entry 'absent'");
	expect_error(f, "text/../x", ERR_CONFIG, "'.' or '..'");
	expect_error(f, "text?v=1", ERR_CONFIG, "only '?version=N'");
	expect_error(f, "text?version=9", ERR_MISSING, "no version 9");
}

static void test_versions(void **state)
{
	struct fixture *f = *state;
	put(f, (struct put){ "db", "one", .version = 1 });
	put(f, (struct put){ "db", "two", .version = 2 });
	put(f,
	    (struct put){ "db", .version = 10, .action = SEALED_ROLLBACK, .source = 1 });
	write_file(f);
	expect(f, "db", "{\"value\":\"one\"}", "10");
	expect(f, "db?version=2", "{\"value\":\"two\"}", "2");
	put(f, (struct put){ "db", .version = 11, .action = SEALED_REMOVE });
	write_file(f);
	expect_error(f, "db", ERR_MISSING, "removed in version 11");
	expect_error(f, "db?version=2", ERR_MISSING, "removed in version 11");
	struct reply r;
	ask(f, STORE_READ, "db", &r);
	assert_int_equal(r.err.cause, STORE_GONE);
	put(f,
	    (struct put){ "db", .version = 12, .action = SEALED_ROLLBACK, .source = 2 });
	write_file(f);
	expect(f, "db", "{\"value\":\"two\"}", "12");
}

static void test_damage_hurts_only_its_entry(void **state)
{
	struct fixture *f = *state;
	put(f, (struct put){ "a", "1", .version = 1 });
	put(f, (struct put){ "b", "1", .version = 1 });
	put(f, (struct put){ "b", "2", .version = 2 });
	put(f, (struct put){ "c", "1", .version = 1 });
	write_file(f);
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	check(file_read(f->file_path, &text, &e), &e);
	char *line = strstr(text.data, "entry b 2 put * ");
	memcpy(line + strlen("entry b 2 put * "), "yesterday", 9);
	buf_puts(&text, "<<<<<<< HEAD\nnonsense\n");
	check(file_replace(f->file_path, text.data, text.len,
			   (struct file_attr){ 0644, (uid_t)-1, (gid_t)-1 }, &e),
	      &e);
	expect(f, "a", "{\"value\":\"1\"}", "1");
	expect_error(f, "b", ERR_CONFIG, "line 6 is damaged: the time");
	expect_error(f, "b?version=1", ERR_CONFIG,
		     "line 6 is damaged"); // is it a removal?
	expect(f, "c", "{\"value\":\"1\"}", "1");
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = { "a",        "d/x", "d/y",
					     "d/z/deep", "d-e", "e/gone" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		put(f, (struct put){ paths[i], "1", .version = 1 });
	put(f, (struct put){ "e/gone", .version = 2, .action = SEALED_REMOVE });
	write_file(f);
	static const char *const cases[][2] = { { "", "[\"a\",\"d-e\",\"d/\"]" },
						{ "d/", "[\"x\",\"y\",\"z/\"]" },
						{ "d", "[\"x\",\"y\",\"z/\"]" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reply r;
		struct err e = ERR_INIT;
		AUTO_BUF struct buf text = BUF_INIT(1000);
		ask(f, STORE_LIST, cases[i][0], &r);
		assert_non_null(r.body);
		check(json_write(r.body, &text, &e), &e);
		assert_string_equal(buf_str(&text), cases[i][1]);
		json_decref(r.body);
	}
	struct reply r;
	ask(f, STORE_LIST, "e", &r);
	assert_int_equal(r.err.kind, ERR_MISSING);
	assert_int_equal(r.err.cause, 0);
	ask(f, STORE_WRITE, "a", &r);
	assert_int_equal(r.err.kind, ERR_CONFIG);
}

// A ConfigMap volume: the file is a link through ..data, which is swapped.
static void test_watch_through_data_swap(void **state)
{
	struct fixture *f = *state;
	char cmd[1024];
	put(f, (struct put){ "db", "1", .version = 1 });
	write_file(f);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && mkdir v1 && mv s.sealed v1/ && ln -s v1 ..data && ln -s "
		 "..data/s.sealed s.sealed",
		 f->dir);
	assert_int_equal(system(cmd), 0);
	expect(f, "db", "{\"value\":\"1\"}", "1");
	assert_int_equal(f->changes, 0);
	put(f, (struct put){ "db", "2", .version = 2 });
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	AUTO_FREE char *v2 = mem_printf("%s/v2", f->dir),
		       *file = mem_printf("%s/s.sealed", v2);
	check(sealed_file_write(&f->file, &text, &e), &e);
	assert_int_equal(mkdir(v2, 0700), 0);
	check(file_replace(file, text.data, text.len,
			   (struct file_attr){ 0644, (uid_t)-1, (gid_t)-1 }, &e),
	      &e);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && ln -s v2 ..tmp && mv -T ..tmp ..data && rm -r v1", f->dir);
	assert_int_equal(system(cmd), 0);
	for (unsigned i = 0; i < 40 && f->changes == 0; i++)
		check(loop_once(f->loop, 100, &e), &e);
	assert_true(f->changes > 0);
	expect(f, "db", "{\"value\":\"2\"}", "2");
}

static void test_missing_file_is_waited_for(void **state)
{
	struct fixture *f = *state;
	expect_error(f, "db", ERR_RETRY, "s.sealed");
	put(f, (struct put){ "db", "1", .version = 1 });
	write_file(f);
	struct err e = ERR_INIT;
	for (unsigned i = 0; i < 40 && f->changes == 0; i++)
		check(loop_once(f->loop, 100, &e), &e);
	assert_true(f->changes > 0);
	expect(f, "db", "{\"value\":\"1\"}", "1");
}

static void test_key_files(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	put(f, (struct put){ "db", "1", .version = 1 });
	write_file(f);
	AUTO_FREE char *other = mem_printf("%s/other", f->dir);
	AUTO_BUF struct buf key = BUF_INIT(1000);
	struct age_recipient r;
	check(age_keygen("now", &key, &r, &e), &e);
	check(file_replace(other, key.data, key.len,
			   (struct file_attr){ 0600, (uid_t)-1, (gid_t)-1 }, &e),
	      &e);
	json_object_set_new(f->conf.options, "key_file",
			    json_pack("[s,s]", other, f->key_path));
	expect(f, "db", "{\"value\":\"1\"}", "1");
	assert_int_equal(chmod(other, 0644), 0);
	expect_error(f, "db", ERR_CONFIG, "chmod 600");
	assert_int_equal(chmod(other, 0600), 0);
	store_sealed.close(f->store);
	f->store = NULL;
	json_object_set_new(f->conf.options, "key_file", json_string(other));
	expect_error(f, "db", ERR_DENIED, "none of which is this key");
}

static void close_inside(void *ctx, const struct store_answer *a, const struct err *e)
{
	(void)a;
	(void)e;
	struct fixture *f = ctx;
	f->changes++;
	store_sealed.close(f->store);
	f->store = NULL;
}

// Closing from a callback ends the round; the asks behind it are not answered.
static void test_close_while_answering(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	put(f, (struct put){ "db", "1", .version = 1 });
	write_file(f);
	open_store(f);
	struct store_ask a = { .verb = STORE_READ, .path = "db" };
	for (unsigned i = 0; i < 3; i++)
		store_sealed.fetch(f->store, &a, close_inside, f);
	for (unsigned i = 0; i < 3; i++)
		check(loop_once(f->loop, 0, &e), &e);
	assert_int_equal(f->changes, 1);
}

static void test_options(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *json, *why;
	} cases[] = {
		{ "{\"key_file\":\"k\"}", "'file' is missing" },
		{ "{\"file\":\"f\"}", "'key_file' is missing" },
		{ "{\"file\":\"f\",\"key_file\":[1]}", "list of paths" },
		{ "{\"file\":\"f\",\"key_file\":\"k\",\"writers\":[]}", "empty list" },
		{ "{\"file\":\"f\",\"key_file\":\"k\",\"writers\":[\"x\"]}",
		  "element 1" },
		{ "{\"file\":\"f\",\"key_file\":\"k\",\"writers\":\"x\"}", "writers" },
		{ "{\"file\":\"f\",\"key_file\":\"k\",\"min_generaton\":3}",
		  "did you mean 'min_generation'?" },
		{ "{\"file\":\"f\",\"key_file\":\"k\",\"min_generation\":-1}",
		  "negative" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		struct store *s = NULL;
		struct conf_store conf = { .name = "sealed" };
		conf.options = json_loads(cases[i].json, 0, NULL);
		struct store_env env = { f->loop, &conf, on_changed, f };
		assert_false(store_sealed.open(&env, &s, &e));
		json_decref(conf.options);
		if (!strstr(e.text, cases[i].why))
			fail_msg("'%s' is not in '%s'", cases[i].why, e.text);
	}
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	const struct CMUnitTest tests[] = {
		TEST(test_values),
		TEST(test_versions),
		TEST(test_damage_hurts_only_its_entry),
		TEST(test_lists),
		TEST(test_watch_through_data_swap),
		TEST(test_missing_file_is_waited_for),
		TEST(test_key_files),
		TEST(test_close_while_answering),
		TEST(test_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
