// SPDX-License-Identifier: Apache-2.0
// Content watches against the real kernel: what editors, people and the kubelet do to a
// path. Every wait is bounded, and ends with the event.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/loop/loop.h"
#include "test/support/clock_fake.h"

enum { SWAPS = 2000 };

static struct loop *l;
static struct err e;
static char root[64];
static unsigned calls;
static char last_seen[64]; // content at the last call; "-" when there is none

static int setup(void **state)
{
	(void)state;
	err_clear(&e);
	calls = 0;
	snprintf(root, sizeof(root), "%s/watch.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(root) && chdir(root) == 0 && loop_new(&l, &e) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	clock_fake_release();
	loop_free(l);
	return chdir("/") == 0 && file_remove_tree(AT_FDCWD, root, &e) ? 0 : -1;
}

static void must(int rc)
{
	if (rc != 0)
		fail_msg("%s", strerror(errno));
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	must(fclose(f));
}

static void put_renamed(const char *path, const char *text)
{
	char tmp[128];
	snprintf(tmp, sizeof(tmp), "%s.new", path);
	put(tmp, text);
	must(rename(tmp, path));
}

static void on_change(void *ctx, const char *path)
{
	(void)ctx;
	calls++;
	snprintf(last_seen, sizeof(last_seen), "-");
	FILE *f = fopen(path, "r");
	if (!f)
		return;
	if (!fgets(last_seen, sizeof(last_seen), f))
		last_seen[0] = '\0';
	fclose(f);
}

static struct loop_watch *watch(const char *path)
{
	struct loop_watch *w = NULL;
	assert_true(loop_watch_add(l, path, on_change, NULL, &w, &e));
	return w;
}

// Until the watch has seen this content.
static void wait_content(const char *want)
{
	int64_t end = clock_mono_ms() + 10000;
	while (strcmp(last_seen, want) != 0) {
		assert_true(clock_mono_ms() < end);
		assert_true(loop_once(l, 1000, &e));
	}
}

static void wait_calls(unsigned n)
{
	int64_t end = clock_mono_ms() + 10000;
	while (calls < n) {
		assert_true(clock_mono_ms() < end);
		assert_true(loop_once(l, 1000, &e));
	}
}

// Nothing more comes: longer than the dust, by the loop's own timers.
static void stop_waiting(void *ctx, struct loop_timer *t)
{
	(void)t;
	*(bool *)ctx = true;
}

static void wait_quiet(unsigned want_calls)
{
	bool done = false;
	struct loop_timer t = { 0 };
	loop_timer_in(l, &t, 120, stop_waiting, &done);
	while (!done)
		assert_true(loop_once(l, 1000, &e));
	assert_int_equal(calls, want_calls);
}

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

// The kubelet's AtomicWriter: a new folder with the files, `..data_tmp` renamed over
// `..data`, the user-visible link, the old folder removed.
static void kubelet_write(const char *vol, unsigned version)
{
	char dir[80], file[128], link[80], tmp[80], old[64] = "", text[16];
	snprintf(dir, sizeof(dir), "%s/..2026_%06u", vol, version);
	snprintf(file, sizeof(file), "%s/token", dir);
	snprintf(link, sizeof(link), "%s/..data", vol);
	snprintf(tmp, sizeof(tmp), "%s/..data_tmp", vol);
	snprintf(text, sizeof(text), "v%u", version);
	ssize_t n = readlink(link, old, sizeof(old) - 1);
	must(mkdir(dir, 0755));
	put(file, text);
	must(symlink(strrchr(dir, '/') + 1, tmp));
	must(rename(tmp, link));
	char visible[80], visible_tmp[88];
	snprintf(visible, sizeof(visible), "%s/token", vol);
	snprintf(visible_tmp, sizeof(visible_tmp), "%s/token.tmp", vol);
	if (n <= 0) {
		must(symlink("..data/token", visible));
		return;
	}
	snprintf(file, sizeof(file), "%s/%s", vol, old);
	assert_true(file_remove_tree(AT_FDCWD, file, &e));
}

static void test_kubelet(void **state)
{
	(void)state;
	must(mkdir("vol", 0755));
	kubelet_write("vol", 1);
	struct loop_watch *w = watch("vol/token");
	for (unsigned i = 2; i < 8; i++) {
		char text[16];
		snprintf(text, sizeof(text), "v%u", i);
		kubelet_write("vol", i);
		wait_content(text);
	}
	wait_quiet(6);
	loop_watch_remove(w);
}

// As fast as they can be made: the last one is always seen, the calls are few, and neither
// memory nor kernel watches pile up.
static void test_many_swaps(void **state)
{
	(void)state;
	must(mkdir("vol", 0755));
	kubelet_write("vol", 0);
	struct loop_watch *w = watch("vol/token");
	struct loop_watch *folder = NULL;
	assert_true(loop_watch_add(l, "vol", on_change, NULL, &folder, &e));
	for (unsigned i = 1; i <= SWAPS; i++) {
		kubelet_write("vol", i);
		assert_true(loop_once(l, 0, &e));
	}
	char text[16];
	snprintf(text, sizeof(text), "v%u", SWAPS);
	loop_watch_remove(folder); // (its calls read a folder)
	wait_content(text);
	assert_true(calls < SWAPS);
	char info[64];
	unsigned watches = 0;
	for (int fd = 3; fd < 64; fd++) {
		char line[256];
		snprintf(info, sizeof(info), "/proc/self/fdinfo/%d", fd);
		FILE *f = fopen(info, "r");
		while (f && fgets(line, sizeof(line), f))
			watches += strncmp(line, "inotify ", 8) == 0;
		if (f)
			fclose(f);
	}
	assert_in_range(watches, 1, 8);
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

// No inotify instance to be had: the path is looked at every two seconds, and says so; when
// one is free again it is taken.
static void test_without_inotify(void **state)
{
	(void)state;
	put("f", "one");
	must(mkdir("d", 0755));
	put("d/x", "1");
	struct rlimit was, none;
	getrlimit(RLIMIT_NOFILE, &was);
	int next = dup(0);
	close(next);
	none = was;
	none.rlim_cur = (rlim_t)next;
	clock_fake_set(1000001, 0);
	setrlimit(RLIMIT_NOFILE, &none);
	struct loop_watch *w = watch("f");
	struct loop_watch *folder = watch("d");
	setrlimit(RLIMIT_NOFILE, &was);
	assert_true(loop_watch_polls(w));
	assert_true(loop_watch_polls(folder));
	assert_int_equal(loop_next_timer_ms(l), 1002000);
	put_renamed("f", "longer");
	clock_fake_advance(1999);
	setrlimit(RLIMIT_NOFILE, &none);
	assert_true(loop_once(l, 0, &e));
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(calls, 1);
	assert_true(loop_watch_polls(w));
	assert_int_equal(loop_next_timer_ms(l), 1004000);
	clock_fake_advance(2000);
	assert_true(loop_once(l, 0, &e)); // descriptors again: back to inotify
	assert_false(loop_watch_polls(w));
	assert_false(loop_watch_polls(folder));
	clock_fake_release();
	calls = 0;
	wait_quiet(0);
	put("f", "events");
	wait_content("events");
	loop_watch_remove(folder);
	loop_watch_remove(w);
}

// More events than the kernel keeps: all watches look for themselves.
static void test_overflow(void **state)
{
	(void)state;
	must(mkdir("d", 0755));
	put("f", "one");
	struct loop_watch *w = watch("f"), *noisy = watch("d");
	for (unsigned i = 0; i < 9000; i++) {
		put("d/x", "1");
		must(unlink("d/x"));
	}
	put("f", "two"); // this event is lost
	wait_content("two");
	loop_watch_remove(noisy);
	put("f", "three");
	wait_content("three");
	loop_watch_remove(w);
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

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

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
		CASE(test_kubelet),
		CASE(test_many_swaps),
		CASE(test_folder),
		CASE(test_shared),
		CASE(test_noise),
		CASE(test_remove_in_callback),
		CASE(test_without_inotify),
		CASE(test_overflow),
		CASE(test_bad_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
