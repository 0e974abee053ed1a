// SPDX-License-Identifier: Apache-2.0
// The store "sealed" through its store_ops: answers, changes, refusals.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/sealed_read.h"
#include "stores/sealed_update.h"
#include "stores/store.h"

extern const struct store_ops store_sealed;

// A folder with a key, a file under construction, and a store on it.
struct fixture {
	char dir[64];
	char *file_path, *key_path, *writer_path;
	struct sealed_file file;
	struct age_recipient recipient;
	struct sealed_signer *signer;
	struct loop *loop;
	struct conf_store conf;
	struct store *store;
	unsigned changes;
};

static void check(bool ok, const struct err *e)
{
	if (!ok)
		fail_msg("%s", e->text);
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err e = ERR_INIT;
	const char *tmp = getenv("TMPDIR");
	snprintf(f->dir, sizeof(f->dir), "%.40s/sealed.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	f->file_path = mem_printf("%s/s.sealed", f->dir);
	f->key_path = mem_printf("%s/key", f->dir);
	f->writer_path = mem_printf("%s/writer", f->dir);
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	AUTO_BUF struct buf key = BUF_INIT(1000), writer = BUF_INIT(1000);
	struct sealed_writer w;
	check(age_keygen("now", &key, &f->recipient, &e), &e);
	check(file_replace(f->key_path, key.data, key.len, attr, &e), &e);
	check(sealed_signer_make("now", &writer, &w, &e), &e);
	check(file_replace(f->writer_path, writer.data, writer.len, attr, &e), &e);
	check(sealed_signer_load(f->writer_path, &f->signer, &e), &e);
	check(loop_new(&f->loop, &e), &e);
	sealed_file_init(&f->file, f->file_path);
	check(sealed_file_add_recipient(&f->file, &f->recipient, NULL, &e), &e);
	f->conf = (struct conf_store){ .name = "sealed", .type = "sealed" };
	f->conf.options =
		json_pack("{s:s, s:s, s:s, s:s}", "file", f->file_path, "key_file",
			  f->key_path, "namespace", "shop", "service_account", "web");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	if (f->store)
		store_sealed.close(f->store);
	loop_free(f->loop);
	json_decref(f->conf.options);
	sealed_file_release(&f->file);
	auto_sealed_signer_(&f->signer);
	struct err e = ERR_INIT;
	bool removed = file_remove_tree(AT_FDCWD, f->dir, &e);
	mem_free(f->file_path);
	mem_free(f->key_path);
	mem_free(f->writer_path);
	mem_free(f);
	return removed ? 0 : -1;
}

// --- writing

struct put {
	const char *path, *value, *scope;
	uint64_t version, source;
	enum sealed_action action;
	bool sign;
};

static void put(struct fixture *f, struct put p)
{
	struct err e = ERR_INIT;
	struct sealed_line line = { 0 };
	struct sealed_entry entry = { .path = (char *)p.path,
				      .version = p.version,
				      .action = p.action,
				      .source = p.source,
				      .scope = (char *)(p.scope ? p.scope : "*"),
				      .time = "2026-11-21T05:00:00Z",
				      .author = (char *)"test" };
	check(sealed_seal(&entry, (struct age_to){ &f->recipient, 1 },
			  bytes_of_str(p.value ? p.value : ""), &line, &e),
	      &e);
	if (p.sign)
		check(sealed_sign(f->signer, &line, &e), &e);
	sealed_file_add(&f->file, &line);
}

static void write_file(struct fixture *f)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	check(sealed_file_write(&f->file, &text, &e), &e);
	check(file_replace(f->file_path, text.data, text.len,
			   (struct file_attr){ 0644, (uid_t)-1, (gid_t)-1 }, &e),
	      &e);
}

// --- asking

struct reply {
	bool done;
	json_t *body;
	char version[24];
	struct err err;
};

static void on_done(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct reply *r = ctx;
	assert_false(r->done);
	assert_true((a == NULL) != (e == NULL));
	r->done = true;
	if (e) {
		r->err = *e;
		return;
	}
	assert_int_equal(a->life, LIFE_WATCH);
	r->body = json_incref(a->body);
	snprintf(r->version, sizeof(r->version), "%s", a->version);
}

static void on_changed(void *ctx, const char *path)
{
	struct fixture *f = ctx;
	assert_null(path);
	f->changes++;
}

static void open_store(struct fixture *f)
{
	struct err e = ERR_INIT;
	struct store_env env = { f->loop, &f->conf, on_changed, f };
	check(store_sealed.open(&env, &f->store, &e), &e);
}

static void ask(struct fixture *f, enum store_verb verb, const char *path,
		struct reply *r)
{
	struct err e = ERR_INIT;
	struct store_ask a = { .verb = verb, .path = path };
	*r = (struct reply){ 0 };
	if (!f->store)
		open_store(f);
	store_sealed.fetch(f->store, &a, on_done, r);
	assert_false(r->done); // never from inside the call
	for (unsigned i = 0; i < 10 && !r->done; i++)
		check(loop_once(f->loop, 0, &e), &e);
	assert_true(r->done);
}

// The answer's data as JSON text, or the error's.
static void expect(struct fixture *f, const char *path, const char *data,
		   const char *version)
{
	struct reply r;
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	ask(f, STORE_READ, path, &r);
	if (!r.body)
		fail_msg("%s: %s", path, r.err.text);
	check(json_write(json_object_get(r.body, "data"), &text, &e), &e);
	assert_string_equal(buf_str(&text), data);
	assert_string_equal(r.version, version);
	json_decref(r.body);
}

static void expect_error(struct fixture *f, const char *path, enum err_kind kind,
			 const char *text)
{
	struct reply r;
	ask(f, STORE_READ, path, &r);
	if (r.body)
		fail_msg("'%s' opens, though it should not", path);
	if (!strstr(r.err.text, text))
		fail_msg("'%s' is not in '%s'", text, r.err.text);
	assert_int_equal(r.err.kind, kind);
}

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

static void test_scopes(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *scope, *why;
	} cases[] = { { "*", NULL },
		      { "shop", NULL },
		      { "shop/web", NULL },
		      { "shop/api", "service account 'api'; this is 'web'" },
		      { "shopping", "namespace 'shopping'; this is namespace 'shop'" },
		      { "sho/web", "namespace 'sho'; this is namespace 'shop'" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[32];
		snprintf(path, sizeof(path), "p%zu", i);
		put(f, (struct put){ path, "v", cases[i].scope, .version = 1 });
	}
	write_file(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[32];
		snprintf(path, sizeof(path), "p%zu", i);
		if (cases[i].why)
			expect_error(f, path, ERR_DENIED, cases[i].why);
		else
			expect(f, path, "{\"value\":\"v\"}", "1");
	}
}

// Each edit of the clear words of a good line makes it refuse to open.
static void test_moved_lines(void **state)
{
	struct fixture *f = *state;
	static const char *const edits[][2] = {
		{ "entry db 1 put shop ", "entry dc 1 put shop " },
		{ "entry db 1 put shop ", "entry db 2 put shop " },
		{ "entry db 1 put shop ", "entry db 1 remove shop " },
		{ "entry db 1 put shop ", "entry db 1 put * " },
		{ "entry db 1 put shop ", "entry db 1 put shop/web " },
		{ "05:00:00Z", "05:00:01Z" },
		{ " test ", " eve " },
	};
	put(f, (struct put){ "db", "v", "shop", .version = 1 });
	AUTO_FREE char *good = mem_strdup(f->file.lines[0].text);
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		const char *at = strstr(good, edits[i][0]);
		assert_non_null(at);
		AUTO_FREE char *bad = mem_printf("%.*s%s%s", (int)(at - good), good,
						 edits[i][1], at + strlen(edits[i][0]));
		sealed_file_remove(&f->file, 0);
		struct sealed_line line;
		sealed_line_parse(str_of(bad), 0, &line);
		assert_null(line.damage);
		const char *path = strcmp(line.entry.path, "dc") == 0 ? "dc" : "db";
		sealed_file_add(&f->file, &line);
		write_file(f);
		expect_error(f, path, ERR_DENIED, "was moved or edited");
	}
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
	expect_error(f, "b?version=1", ERR_CONFIG, "line 6 is damaged"); // is it a removal?
	expect(f, "c", "{\"value\":\"1\"}", "1");
}

static void test_signatures(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf writer = BUF_INIT(200);
	sealed_writer_write(&f->signer->writer, &writer);
	json_object_set_new(f->conf.options, "writers",
			    json_pack("[s]", buf_str(&writer)));
	put(f, (struct put){ "signed", "1", .version = 1, .sign = true });
	put(f, (struct put){ "bare", "1", .version = 1 });
	put(f, (struct put){ "half", "1", .version = 1, .sign = true });
	put(f, (struct put){ "half", .version = 2, .action = SEALED_REMOVE });
	put(f, (struct put){ "back", "1", .version = 1 });
	put(f, (struct put){ "back", .version = 2, .action = SEALED_ROLLBACK, .source = 1,
			     .sign = true });
	write_file(f);
	expect(f, "signed", "{\"value\":\"1\"}", "1");
	expect_error(f, "bare", ERR_DENIED, "no writer's signature");
	expect_error(f, "half", ERR_DENIED,
		     "no writer's signature"); // no removal by anybody
	expect_error(f, "back", ERR_DENIED, "no writer's signature");
	// Another line's signature, and another writer's.
	struct sealed_line *a = &f->file.lines[0];
	for (size_t i = 0; i < f->file.n; i++)
		if (strcmp(f->file.lines[i].entry.path, "bare") == 0)
			a = &f->file.lines[i];
	const struct sealed_line *good = sealed_file_find(&f->file, "signed", 0);
	AUTO_FREE char *stolen = mem_strndup(good->signature.p, good->signature.len);
	struct sealed_line forged;
	sealed_line_sign(a, stolen, &forged);
	sealed_line_release(a);
	*a = forged;
	write_file(f);
	expect_error(f, "bare", ERR_DENIED, "was changed");
}

static void test_high_water(void **state)
{
	struct fixture *f = *state;
	put(f, (struct put){ "db", "1", .version = 1 });
	put(f, (struct put){ "db", "2", .version = 2 });
	put(f, (struct put){ "dc", "1", .version = 1 });
	write_file(f);
	expect(f, "db", "{\"value\":\"2\"}", "2");
	expect(f, "dc", "{\"value\":\"1\"}", "1");
	sealed_file_remove(&f->file, 1);
	write_file(f);
	expect_error(f, "db", ERR_DENIED, "was at version 2 already");
	expect(f, "dc", "{\"value\":\"1\"}", "1");
	sealed_file_remove(&f->file, 0);
	write_file(f);
	expect_error(f, "db", ERR_DENIED, "was at version 2 already");
	put(f, (struct put){ "db", .version = 1, .action = SEALED_REMOVE });
	write_file(f);
	expect_error(f, "db", ERR_DENIED, "was at version 2 already");
	put(f, (struct put){ "db", "3", .version = 3 });
	write_file(f);
	expect(f, "db", "{\"value\":\"3\"}", "3");
}

static void test_min_generation(void **state)
{
	struct fixture *f = *state;
	json_object_set_new(f->conf.options, "min_generation", json_integer(3));
	put(f, (struct put){ "db", "1", .version = 1 });
	put(f, (struct put){ "db", "2", .version = 2 });
	write_file(f);
	expect_error(f, "db", ERR_DENIED, "generation 2, and min_generation demands 3");
	put(f, (struct put){ "dc", "1", .version = 1 });
	write_file(f);
	expect(f, "db", "{\"value\":\"2\"}", "2");
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	const struct CMUnitTest tests[] = {
		TEST(test_values),
		TEST(test_versions),
		TEST(test_scopes),
		TEST(test_moved_lines),
		TEST(test_damage_hurts_only_its_entry),
		TEST(test_signatures),
		TEST(test_high_water),
		TEST(test_min_generation),
		TEST(test_lists),
		TEST(test_watch_through_data_swap),
		TEST(test_missing_file_is_waited_for),
		TEST(test_key_files),
		TEST(test_close_while_answering),
		TEST(test_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
