// SPDX-License-Identifier: Apache-2.0
// The sealed file's text: lines in and out, order, damage, doubles, comments; and the update
// on disk that meets another writer.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/sealed_update.h"
#include "stores/sealed_word.h"

#define HEAD "ampoule-sealed v1\n"
#define R1 "recipient age1are0klms4zcjt9t4f8err96ugqk9vlkylhppvplna4hx4az7tu3qmmhuph\n"
#define REST " put * 2026-11-21T05:00:00Z x QUJD\n"

static void parse(const char *text, struct sealed_file *f)
{
	struct err e = ERR_INIT;
	if (!sealed_file_parse(str_of(text), "f", f, &e))
		fail_msg("%s", e.text);
}

static void test_lines(void **state)
{
	(void)state;
	static const struct {
		const char *text, *damage; // NULL: good
	} cases[] = {
		{ "entry a 1 put * 2026-11-21T05:00:00Z x QUJD", NULL },
		{ "entry a/b-c.d@e 999999999999999 rollback:5 ns/sa.b "
		  "2026-11-21T05:00:00Z %40 QQ",
		  NULL },
		{ "entry a 1 remove ns 2026-11-21T05:00:00Z x QUJD", NULL },
		{ "entry", "before the path" },
		{ "entry  1", "0 bytes" },
		{ "entry a", "before the version" },
		{ "entry a 0 put * 2026-11-21T05:00:00Z x QUJD", "no number from 1" },
		{ "entry a 01 put * 2026-11-21T05:00:00Z x QUJD", "no number from 1" },
		{ "entry a 1000000000000001 put * 2026-11-21T05:00:00Z x Q",
		  "no number from 1" },
		{ "entry a 1 get * 2026-11-21T05:00:00Z x QUJD", "action" },
		{ "entry a 1 rollback:1 * 2026-11-21T05:00:00Z x QUJD", "not older" },
		{ "entry a 2 rollback:0 * 2026-11-21T05:00:00Z x QUJD",
		  "no number from 1" },
		{ "entry a 1 put NS 2026-11-21T05:00:00Z x QUJD", "scope" },
		{ "entry a 1 put ns/ 2026-11-21T05:00:00Z x QUJD", "scope" },
		{ "entry a 1 put */sa 2026-11-21T05:00:00Z x QUJD", "scope" },
		{ "entry a 1 put * 2026-11-21 x QUJD", "time" },
		{ "entry a 1 put * 2026-11-21T05:00:00Z <x> QUJD", "author" },
		{ "entry a 1 put * 2026-11-21T05:00:00Z x", "before the sealed value" },
		{ "entry a 1 put * 2026-11-21T05:00:00Z x QUJD ", "blank" },
		{ "entry a 1 put * 2026-11-21T05:00:00Z x QUJD sig", "signature" },
		{ "entry ../a 1 put * 2026-11-21T05:00:00Z x QUJD", "'..'" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_SEALED_LINE struct sealed_line l;
		sealed_line_parse(str_of(cases[i].text), 1, &l);
		if (!cases[i].damage != !l.damage ||
		    (l.damage && !strstr(l.damage, cases[i].damage)))
			fail_msg("'%s': %s", cases[i].text, l.damage ? l.damage : "good");
	}
}

static void test_canonical_text(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ HEAD, HEAD "\n" },
		{ HEAD "\r\n\r\n# note\r\n" R1, HEAD "# note\n" R1 "\n" },
		{ HEAD "entry b 1" REST R1 "entry a 10" REST "entry a 9" REST,
		  HEAD R1 "\nentry a 9" REST "entry a 10" REST "entry b 1" REST },
		// An equal line counts once, damage stays behind its line.
		{ HEAD "entry b 1" REST "what\nentry a 1" REST "entry b 1" REST,
		  HEAD "\nentry a 1" REST "entry b 1" REST "what\n" },
		{ HEAD R1 R1, HEAD R1 "\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_SEALED_FILE struct sealed_file f = { 0 };
		AUTO_BUF struct buf text = BUF_INIT(1 << 16);
		parse(cases[i].from, &f);
		assert_true(sealed_file_write(&f, &text, NULL));
		assert_string_equal(buf_str(&text), cases[i].to);
	}
}

static void test_whole_files(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "\n", "ampoule-sealed v2\n", " " HEAD,
					   "x" HEAD };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sealed_file f;
		struct err e = ERR_INIT;
		assert_false(sealed_file_parse(str_of(bad[i]), "f", &f, &e));
		assert_int_equal(e.kind, ERR_CONFIG);
	}
}

static void test_doubles(void **state)
{
	(void)state;
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	struct err e = ERR_INIT;
	parse(HEAD "entry a 1" REST "entry a 2" REST "<<<<<<< x\nentry a 2 put * "
		   "2026-11-21T05:00:00Z x OTHER\nentry b 1" REST,
	      &f);
	assert_int_equal(f.conflict, 4);
	assert_false(sealed_line_check(&f, sealed_file_find(&f, "a", 0), &e));
	assert_non_null(strstr(e.text, "lines 3 and 5 are both version 2 of 'a'"));
	assert_null(sealed_file_find(&f, "a", 1)->damage);
	assert_null(sealed_file_find(&f, "b", 0)->damage);
	assert_null(sealed_file_find(&f, "c", 0));
	assert_int_equal(sealed_file_generation(&f, NULL, NULL), 1 + 1);
}

static void test_damaged_names_keep_their_version(void **state)
{
	(void)state;
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	parse(HEAD "entry a 1" REST "entry a 7 nonsense\n", &f);
	const struct sealed_line *l = sealed_file_find(&f, "a", 0);
	assert_non_null(l->damage);
	assert_int_equal(l->entry.version, 7);
}

static void test_adding_keeps_the_order(void **state)
{
	(void)state;
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);
	static const char *const lines[] = { "entry b 2", "entry a 1", "entry c 1",
					     "entry b 10", "entry b 1" };
	parse(HEAD "entry b 3" REST "damage\n", &f);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct sealed_line l;
		AUTO_FREE char *line =
			mem_printf("%s put * 2026-11-21T05:00:00Z x QUJD", lines[i]);
		sealed_line_parse(str_of(line), 0, &l);
		sealed_file_add(&f, &l);
	}
	assert_true(sealed_file_write(&f, &text, NULL));
	assert_string_equal(buf_str(&text), HEAD
			    "\nentry a 1" REST "entry b 1" REST "entry b 2" REST
			    "entry b 3" REST "damage\nentry b 10" REST "entry c 1" REST);
}

static void test_authors(void **state)
{
	(void)state;
	AUTO_BUF struct buf a = BUF_INIT(1000), shown = BUF_INIT(1000);
	sealed_author_escape("Ada <a@b.c> \xc3\xa9\n", &a);
	assert_string_equal(a.data, "Ada%20%3Ca@b.c%3E%20%C3%A9%0A");
	assert_true(sealed_author_ok(str_of(a.data), NULL));
	sealed_author_show(a.data, &shown);
	assert_string_equal(shown.data, "Ada <a@b.c> \xc3\xa9?");
	buf_reset(&a);
	char name[1000];
	memset(name, '%', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	sealed_author_escape(name, &a);
	assert_true(a.len <= SEALED_AUTHOR_MAX && a.len % 3 == 0);
}

// --- an update which meets a change by somebody without our lock (Git, an editor)

struct meeting {
	const char *path;
	unsigned calls;
};

static void write_text(const char *path, const char *text)
{
	struct file_attr attr = { 0644, (uid_t)-1, (gid_t)-1 };
	assert_true(file_replace(path, text, strlen(text), attr, NULL));
}

static bool add_line(void *ctx, struct sealed_file *f, struct err *e)
{
	(void)e;
	struct meeting *m = ctx;
	if (m->calls++ == 0)
		write_text(m->path, HEAD "\nentry theirs 1" REST);
	struct sealed_line l;
	sealed_line_parse(str_of("entry ours 1 put * 2026-11-21T05:00:00Z x QUJD"), 0,
			  &l);
	sealed_file_add(f, &l);
	return true;
}

static void test_update_compares(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	AUTO_FREE char *dir = mem_printf("%s/update.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	AUTO_FREE char *path = mem_printf("%s/f", dir);
	AUTO_FREE char *leftover = mem_printf("%s/.f.tmp12345678", dir);
	struct meeting m = { .path = path };
	struct sealed_update u = { path, false, add_line, &m };
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);
	size_t size = 0;
	assert_false(sealed_update(&u, &size, &e));
	assert_int_equal(e.kind, ERR_MISSING);
	write_text(leftover, "half");
	write_text(path, HEAD);
	m.calls = 0;
	assert_true(sealed_update(&u, &size, NULL));
	assert_int_equal(m.calls, 2);
	assert_true(file_read(path, &text, NULL));
	assert_string_equal(text.data, HEAD "\nentry ours 1" REST "entry theirs 1" REST);
	assert_int_equal(size, text.len);
	assert_int_not_equal(access(leftover, F_OK), 0);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_canonical_text),
		cmocka_unit_test(test_whole_files),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_damaged_names_keep_their_version),
		cmocka_unit_test(test_adding_keeps_the_order),
		cmocka_unit_test(test_authors),
		cmocka_unit_test(test_update_compares),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
