// SPDX-License-Identifier: Apache-2.0
// What the tests of content watches share: a folder of their own, a loop, a watch that
// notes what it has seen, and waits that end with the event.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/auto.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/loop/loop.h"
#include "test/support/clock_fake.h"

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

UNUSED static void wait_calls(unsigned n)
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

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
