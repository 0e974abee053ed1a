// SPDX-License-Identifier: Apache-2.0
// What the store "sealed" refuses: scopes, moved lines, signatures, older files.
#include "test/unit/stores/sealed_fixture.h"

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

int main(void)
{
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	const struct CMUnitTest tests[] = {
		TEST(test_scopes),     TEST(test_moved_lines),    TEST(test_signatures),
		TEST(test_high_water), TEST(test_min_generation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
