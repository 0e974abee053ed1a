// SPDX-License-Identifier: Apache-2.0
// Content watches against the real kernel: what editors and people do to a path. Every
// wait is bounded, and ends with the event.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/lib/loop/watch_env.h"

static void test_write_in_place(void **state)
{
	(void)state;
	put("f", "one");
	struct loop_watch *w = watch("f");
	assert_false(loop_watch_polls(w));
	wait_quiet(0);
	put("f", "two"); // the same size, perhaps within one tick of the file's clock
	wait_content("two");
	wait_quiet(1);
	must(chmod("f", 0600));
	wait_calls(2);
	loop_watch_remove(w);
}

static void test_rename_over(void **state)
{
	(void)state;
	put("f", "one");
	struct loop_watch *w = watch("f");
	for (unsigned i = 0; i < 5; i++) {
		char text[16];
		snprintf(text, sizeof(text), "v%u", i);
		put_renamed("f", text);
		wait_content(text);
	}
	loop_watch_remove(w);
}

// vim's way: move the old file away, write a new one under the name, remove the old.
static void test_editor_backup(void **state)
{
	(void)state;
	put("f", "one");
	struct loop_watch *w = watch("f");
	must(rename("f", "f~"));
	put("f", "two");
	must(unlink("f~"));
	wait_content("two");
	put("f", "three"); // and the new inode is watched
	wait_content("three");
	loop_watch_remove(w);
}

static void test_gone_and_back(void **state)
{
	(void)state;
	put("f", "one");
	struct loop_watch *w = watch("f");
	must(unlink("f"));
	wait_content("-");
	put("f", "two");
	wait_content("two");
	must(rename("f", "g"));
	wait_content("-");
	must(rename("g", "f"));
	wait_content("two");
	loop_watch_remove(w);
}

// The parents do not exist yet, appear one by one, move away and come back as others.
static void test_missing_parents(void **state)
{
	(void)state;
	struct loop_watch *w = watch("a/b/c/f");
	assert_false(loop_watch_polls(w));
	must(mkdir("a", 0755));
	must(mkdir("a/b", 0755));
	wait_quiet(0); // nothing there yet
	must(mkdir("a/b/c", 0755));
	put("a/b/c/f", "one");
	wait_content("one");
	must(rename("a", "z"));
	wait_content("-");
	must(mkdir("a", 0755));
	must(rename("z/b", "a/b"));
	wait_content("one");
	put("a/b/c/f", "two");
	wait_content("two");
	loop_watch_remove(w);
}

// A folder that somebody stands in does not tell of its removal: it must not matter.
static void test_held_folder(void **state)
{
	(void)state;
	must(mkdir("d", 0755));
	put("d/f", "one");
	int held = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(held >= 0);
	struct loop_watch *w = watch("d/f");
	must(unlink("d/f"));
	wait_content("-");
	must(rmdir("d"));
	must(mkdir("d", 0755));
	put("d/f", "two");
	wait_content("two");
	loop_watch_remove(w);
	close(held);
}

static void test_links(void **state)
{
	(void)state;
	put("one", "1");
	put("two", "2");
	must(symlink("one", "to"));
	must(symlink("to", "f"));
	struct loop_watch *w = watch("f");
	must(symlink("two", "to.new"));
	must(rename("to.new", "to"));
	wait_content("2");
	put("one", "1"); // no longer ours
	wait_quiet(1);
	must(unlink("to")); // dangling
	wait_content("-");
	must(symlink("one", "to"));
	wait_content("1");
	must(unlink("f")); // a loop of links
	must(symlink("f", "f"));
	wait_content("-");
	must(unlink("f"));
	put("f", "3");
	wait_content("3");
	loop_watch_remove(w);
}

static void test_folder(void **state)
{
	(void)state;
	must(mkdir("d", 0755));
	struct loop_watch *w = watch("d");
	put("d/a", "1");
	wait_calls(1);
	wait_quiet(1); // coalesced
	put("d/a", "2");
	wait_calls(2);
	must(rename("d/a", "d/b"));
	wait_calls(3);
	must(unlink("d/b"));
	wait_calls(4);
	int held = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(rmdir("d")); // empty and held: only its parent tells
	wait_calls(5);
	must(mkdir("d", 0755));
	wait_calls(6);
	put("d/c", "3");
	wait_calls(7);
	close(held);
	loop_watch_remove(w);
}

// Two watches of one inode, and of folder and file, do not disturb each other.
static void test_shared(void **state)
{
	(void)state;
	must(mkdir("d", 0755));
	put("d/f", "one");
	struct loop_watch *a = watch("d/f"), *b = watch("./d/f"), *c = watch("d");
	put("d/f", "two");
	wait_calls(3);
	loop_watch_remove(a);
	put("d/f", "three");
	wait_calls(5);
	loop_watch_remove(c);
	put("d/f", "four");
	wait_calls(6);
	wait_quiet(6);
	loop_watch_remove(b);
	put("d/f", "five");
	wait_quiet(6);
}

// Reading wakes nobody; nor does a stranger in the same folder.
static void test_noise(void **state)
{
	(void)state;
	put("f", "one");
	struct loop_watch *w = watch("f");
	assert_true(loop_once(l, 0, &e));
	char c;
	for (unsigned i = 0; i < 100; i++) {
		FILE *f = fopen("f", "r");
		assert_int_equal(fread(&c, 1, 1, f), 1);
		fclose(f);
		put("g", "x");
		must(unlink("g"));
	}
	clock_fake_set(1, 1);
	assert_int_equal(loop_next_timer_ms(l), INT64_MAX);
	assert_true(loop_once(l, 0, &e));
	assert_int_equal(loop_next_timer_ms(l), INT64_MAX); // no dust to settle
	loop_watch_remove(w);
}

static struct loop_watch *own;
static void remove_self(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	calls++;
	loop_watch_remove(own);
}

static void test_remove_in_callback(void **state)
{
	(void)state;
	put("f", "one");
	assert_true(loop_watch_add(l, "f", remove_self, NULL, &own, &e));
	put("f", "two");
	wait_calls(1);
	put("f", "three");
	wait_quiet(1);
}

static void test_bad_paths(void **state)
{
	(void)state;
	struct loop_watch *w = NULL;
	char longest[5000];
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(loop_watch_add(l, "", on_change, NULL, &w, &e));
	err_clear(&e);
	assert_false(loop_watch_add(l, "//", on_change, NULL, &w, &e));
	err_clear(&e);
	assert_false(loop_watch_add(l, longest, on_change, NULL, &w, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	longest[300] = '\0'; // a name that is too long: missing for ever
	w = watch(longest);
	loop_watch_remove(w);
	put("f", "x");
	w = watch("f/under"); // a file where a folder is wanted
	must(unlink("f"));
	must(mkdir("f", 0755));
	put("f/under", "y");
	wait_content("y");
	loop_watch_remove(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_write_in_place),
		CASE(test_rename_over),
		CASE(test_editor_backup),
		CASE(test_gone_and_back),
		CASE(test_missing_parents),
		CASE(test_held_folder),
		CASE(test_links),
		CASE(test_folder),
		CASE(test_shared),
		CASE(test_noise),
		CASE(test_remove_in_callback),
		CASE(test_bad_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
