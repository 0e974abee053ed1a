// SPDX-License-Identifier: Apache-2.0
// Content watches against the kubelet's way of writing, thousands of changes, lost
// events, and a kernel without an inotify instance left.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "test/unit/lib/loop/watch_env.h"

enum { SWAPS = 2000 };

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

// As fast as they can be made: the last one is always seen, the calls are few, and
// neither memory nor kernel watches pile up.
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

// No inotify instance to be had: the path is looked at every two seconds, and says so;
// when one is free again it is taken.
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_kubelet),
		CASE(test_many_swaps),
		CASE(test_without_inotify),
		CASE(test_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
