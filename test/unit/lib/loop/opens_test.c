// SPDX-License-Identifier: Apache-2.0
// Opens against the real kernel: what read receipts stand on.
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

#include "lib/base/file.h"
#include "lib/loop/loop.h"

enum { FILES = 200 };

static struct loop *l;
static struct err e;
static char root[64];
static unsigned opens, lost;
static char names[256];

static int setup(void **state)
{
	(void)state;
	err_clear(&e);
	opens = lost = 0;
	names[0] = '\0';
	snprintf(root, sizeof(root), "/tmp/opens.XXXXXX");
	return mkdtemp(root) && chdir(root) == 0 && loop_new(&l, &e) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(l);
	return chdir("/") == 0 && file_remove_tree(AT_FDCWD, root, &e) ? 0 : -1;
}

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, path, strlen(path)), (ssize_t)strlen(path));
	close(fd);
}

static void read_it(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
}

static void on_open(void *ctx, const char *name)
{
	unsigned *own = ctx;
	if (own)
		++*own;
	if (!name) {
		lost++;
		return;
	}
	opens++;
	if (strlen(names) + strlen(name) + 2 < sizeof(names)) {
		strcat(names, name);
		strcat(names, " ");
	}
}

static struct loop_opens *add(const char *path, bool once, unsigned *own)
{
	struct loop_opens *h = NULL;
	if (!loop_opens_add(l, path, once, on_open, own, &h, &e))
		fail_msg("%s", e.text);
	return h;
}

// Events are in the queue when the system call that caused them has returned.
static void drain(void)
{
	for (int i = 0; i < 200; i++)
		assert_true(loop_once(l, 0, &e));
}

static void test_folder(void **state)
{
	(void)state;
	mkdir("d", 0755);
	mkdir("d/sub", 0755);
	put("d/a");
	put("d/b");
	put("d/sub/c");
	struct loop_opens *h = add("d", false, NULL);
	struct stat st;
	assert_int_equal(stat("d/a", &st), 0); // is no open
	read_it("d/a");
	read_it("d/b");
	read_it("d/a");
	drain();
	assert_string_equal(names, "a b a ");
	read_it("d"); // folders do not count, nor what lies deeper
	read_it("d/sub");
	read_it("d/sub/c");
	int fd = open("d/a", O_PATH | O_CLOEXEC); // reads nothing
	close(fd);
	drain();
	assert_int_equal(opens, 3);
	loop_opens_remove(h);
	read_it("d/a");
	drain();
	assert_int_equal(opens, 3);
}

static void test_file_once(void **state)
{
	(void)state;
	put("f");
	struct loop_opens *h = add("f", true, NULL);
	drain();
	assert_int_equal(opens, 0);
	for (unsigned i = 0; i < 50; i++)
		read_it("f");
	drain();
	assert_int_equal(opens, 1);
	assert_string_equal(names, " ");
	read_it("f");
	assert_true(loop_once(l, 0, &e));
	assert_int_equal(opens, 1);
	loop_opens_remove(h);
}

// After its event a one-shot watch is gone from the kernel: a busy reader wakes nobody.
static unsigned kernel_watches(void)
{
	unsigned n = 0;
	for (int fd = 3; fd < 64; fd++) {
		char path[64], line[256];
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		FILE *f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			n += strncmp(line, "inotify ", 8) == 0;
		if (f)
			fclose(f);
	}
	return n;
}

static void test_many_once(void **state)
{
	(void)state;
	static struct loop_opens *h[FILES];
	static unsigned own[FILES];
	char path[32];
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "f%u", i);
		put(path);
		own[i] = 0;
		h[i] = add(path, true, &own[i]);
	}
	assert_int_equal(kernel_watches(), FILES);
	for (unsigned i = 0; i < FILES; i += 2) {
		snprintf(path, sizeof(path), "f%u", i);
		read_it(path);
		read_it(path);
	}
	assert_int_equal(kernel_watches(), FILES / 2);
	drain();
	for (unsigned i = 0; i < FILES; i++) {
		assert_int_equal(own[i], i % 2 == 0);
		loop_opens_remove(h[i]);
	}
	assert_int_equal(kernel_watches(), 0);
}

// Several users of one inode: one-shot, lasting, and a content watch.
static void on_change(void *ctx, const char *path)
{
	(void)path;
	++*(unsigned *)ctx;
}

static void test_shared_inode(void **state)
{
	(void)state;
	put("f");
	unsigned a = 0, b = 0, c = 0, changes = 0;
	struct loop_opens *ha = add("f", true, &a), *hb = add("f", false, &b), *hc;
	struct loop_watch *w;
	read_it("f");
	drain();
	assert_int_equal(a, 1);
	assert_int_equal(b, 1);
	assert_true(loop_watch_add(l, "f", on_change, &changes, &w, &e));
	hc = add("f", true, &c);
	read_it("f");
	drain();
	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	assert_int_equal(c, 1);
	loop_opens_remove(hb);
	loop_opens_remove(ha);
	put("f");
	for (int i = 0; i < 100 && changes == 0; i++)
		assert_true(loop_once(l, 1000, &e));
	assert_int_equal(changes, 1);
	assert_int_equal(c, 1);
	loop_watch_remove(w);
	loop_opens_remove(hc);
}

// A link names its target's inode; what the link names later is not asked.
static void test_link(void **state)
{
	(void)state;
	put("one");
	put("two");
	assert_int_equal(symlink("one", "l"), 0);
	struct loop_opens *h = add("l", false, NULL);
	struct loop_watch *w;
	unsigned changes = 0;
	assert_true(loop_watch_add(l, "one", on_change, &changes, &w, &e)); // same inode
	read_it("one");
	drain();
	assert_int_equal(opens, 1);
	assert_int_equal(symlink("two", "l2"), 0);
	assert_int_equal(rename("l2", "l"), 0);
	read_it("two");
	drain();
	assert_int_equal(opens, 1);
	loop_watch_remove(w);
	loop_opens_remove(h);
}

static void test_removed_file(void **state)
{
	(void)state;
	put("f");
	struct loop_opens *h = add("f", true, NULL);
	unlink("f");
	put("f"); // another inode
	read_it("f");
	drain();
	assert_int_equal(opens, 0);
	loop_opens_remove(h);
}

static struct loop_opens *pair[2];
static void remove_pair(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	opens++;
	loop_opens_remove(pair[0]);
	loop_opens_remove(pair[1]);
	pair[0] = pair[1] = NULL;
}

static void test_remove_in_callback(void **state)
{
	(void)state;
	put("f");
	put("g");
	for (unsigned i = 0; i < 2; i++)
		assert_true(
			loop_opens_add(l, "f", false, remove_pair, NULL, &pair[i], &e));
	struct loop_opens *other = add("g", false, NULL);
	read_it("f");
	read_it("f");
	drain();
	assert_int_equal(opens, 1);
	read_it("g");
	drain();
	assert_int_equal(opens, 2);
	loop_opens_remove(other);
}

// The kernel's queue overflows: lasting watches are told that they may have missed some;
// a one-shot watch still knows for certain.
static void test_overflow(void **state)
{
	(void)state;
	unsigned folder = 0, read_one = 0, unread = 0, replaced = 0;
	mkdir("d", 0755);
	put("d/a");
	put("d/b");
	put("read");
	put("unread");
	put("replaced");
	struct loop_opens *h[] = { add("d", false, &folder), add("read", true, &read_one),
				   add("unread", true, &unread),
				   add("replaced", true, &replaced) };
	for (unsigned i = 0; i < 9000; i++) {
		read_it("d/a");
		read_it("d/b");
	}
	read_it("read");
	unlink("replaced");
	put("replaced");
	for (int i = 0; i < 2000 && lost == 0; i++)
		assert_true(loop_once(l, 0, &e));
	drain();
	assert_int_equal(lost, 2); // the folder, and the one whose file is another now
	assert_int_equal(read_one, 1);
	assert_int_equal(unread, 0);
	assert_int_equal(replaced, 1);
	read_it("unread"); // its watch is still set
	drain();
	assert_int_equal(unread, 1);
	for (unsigned i = 0; i < 4; i++)
		loop_opens_remove(h[i]);
}

static void test_errors(void **state)
{
	(void)state;
	struct loop_opens *h = NULL;
	assert_false(loop_opens_add(l, "none", true, on_open, NULL, &h, &e));
	assert_int_equal(e.kind, ERR_MISSING);
	err_clear(&e);
	put("f");
	struct rlimit was, low;
	getrlimit(RLIMIT_NOFILE, &was);
	int next = dup(0);
	close(next);
	low = was;
	low.rlim_cur = (rlim_t)next;
	setrlimit(RLIMIT_NOFILE, &low);
	bool ok = loop_opens_add(l, "f", true, on_open, NULL, &h, &e);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_false(ok);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_null(h);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_folder),    CASE(test_file_once),
		CASE(test_many_once), CASE(test_shared_inode),
		CASE(test_link),      CASE(test_removed_file),
		CASE(test_overflow),  CASE(test_remove_in_callback),
		CASE(test_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
