// SPDX-License-Identifier: Apache-2.0
// Files in a fresh folder: reading with a cap, creating and replacing with attributes,
// removing trees without following links, and the rules of names.
#include "lib/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/mem.h"

static const struct file_attr usual = { .mode = 0640,
					.uid = (uid_t)-1,
					.gid = (gid_t)-1 };
static char *dir;
static int dirfd_;

static int make_dir(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	dir = mem_printf("%s/file_test.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(022);
	return dirfd_ < 0;
}

static int remove_dir(void **state)
{
	(void)state;
	close(dirfd_);
	bool ok = file_remove_tree(AT_FDCWD, dir, NULL);
	mem_free(dir);
	return !ok;
}

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

static void put(const char *name, const char *text)
{
	AUTO_CLOSE int fd =
		openat(dirfd_, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && file_write_all(fd, text, strlen(text), NULL));
}

static unsigned mode_of(const char *name)
{
	struct stat st;
	assert_int_equal(fstatat(dirfd_, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static size_t entries(void)
{
	AUTO_FREE char *path = in_dir(".");
	DIR *d = opendir(path);
	size_t n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void test_read(void **state)
{
	(void)state;
	AUTO_FREE char *path = in_dir("f");
	put("f", "0123456789");
	for (size_t max = 9; max <= 11; max++) {
		AUTO_BUF struct buf b = BUF_INIT(max);
		struct err e = ERR_INIT;
		bool ok = file_read(path, &b, &e);
		assert_int_equal(ok, max >= 10);
		if (ok)
			assert_string_equal(buf_str(&b), "0123456789");
		else
			assert_int_equal(e.kind, ERR_LIMIT);
	}
	AUTO_BUF struct buf b = BUF_INIT(100);
	buf_puts(&b, "before ");
	assert_true(file_read(path, &b, NULL));
	assert_string_equal(buf_str(&b), "before 0123456789");
	put("f", "");
	buf_reset(&b);
	assert_true(file_read(path, &b, NULL));
	assert_int_equal(b.len, 0);
}

static void test_read_large(void **state)
{
	(void)state;
	AUTO_FREE char *path = in_dir("f");
	AUTO_FREE char *big = mem_alloc(100001);
	memset(big, 'x', 100000);
	put("f", big);
	AUTO_BUF struct buf b = BUF_INIT(100000);
	assert_true(file_read(path, &b, NULL));
	assert_int_equal(b.len, 100000);
	AUTO_BUF struct buf small = BUF_INIT(99999);
	assert_false(file_read(path, &small, NULL));
}

static void test_read_what_is_no_file(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(100);
	struct err e = ERR_INIT;
	AUTO_FREE char *none = in_dir("none");
	assert_false(file_read(none, &b, &e));
	assert_int_equal(e.kind, ERR_MISSING);
	assert_non_null(strstr(e.text, none));
	err_clear(&e);
	AUTO_FREE char *below = in_dir("f/x");
	put("f", "");
	assert_false(file_read(below, &b, &e));
	assert_int_equal(e.kind, ERR_MISSING);
	err_clear(&e);
	assert_false(file_read(dir, &b, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	err_clear(&e);
	assert_false(file_read("/dev/zero", &b, &e));
	assert_non_null(strstr(e.text, "device"));
	err_clear(&e);
	assert_false(file_read("/dev/null", &b, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_false(file_read_fd(-1, &b, NULL));
}

static void test_read_token(void **state)
{
	(void)state;
	static const struct {
		const char *text, *token;
	} cases[] = { { "abc", "abc" },
		      { "abc\n", "abc" },
		      { " \t\r\nabc \n\n", "abc" },
		      { "a b", "a b" },
		      { "", NULL },
		      { " \n", NULL },
		      { "a\nb", NULL },
		      { "a\x7f", NULL },
		      { "a\tb", NULL },
		      { "\xc3\xa9", "\xc3\xa9" } };
	AUTO_FREE char *path = in_dir("t");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_WIPE char *token = NULL;
		struct err e = ERR_INIT;
		put("t", cases[i].text);
		bool ok = file_read_token(path, &token, &e);
		assert_int_equal(ok, cases[i].token != NULL);
		if (ok)
			assert_string_equal(token, cases[i].token);
		else
			assert_null(strstr(e.text, "a\n"));
	}
	AUTO_FREE char *big = mem_alloc(65 * 1024 + 1);
	memset(big, 'x', 65 * 1024);
	put("t", big);
	AUTO_WIPE char *token = NULL;
	struct err e = ERR_INIT;
	assert_false(file_read_token(path, &token, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void test_create(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	umask(077);
	assert_true(file_create_at(dirfd_, "new", "text", 4,
				   (struct file_attr){ 0644, (uid_t)-1, (gid_t)-1 }, &e));
	umask(022);
	assert_int_equal(mode_of("new"), 0644); // not narrowed by the umask
	assert_false(file_create_at(dirfd_, "new", "other", 5, usual, &e));
	assert_int_equal(e.kind, ERR_RETRY);
	assert_int_equal(e.cause, EEXIST);
	assert_int_equal(symlinkat("target", dirfd_, "link"), 0);
	assert_false(file_create_at(dirfd_, "link", "x", 1, usual, NULL));
	assert_int_equal(faccessat(dirfd_, "target", F_OK, 0), -1);
	assert_int_equal(entries(), 2);
	assert_true(file_create_at(dirfd_, "empty", NULL, 0, usual, NULL));
	assert_int_equal(mode_of("empty"), 0640);
}

// An owner that cannot be given leaves nothing behind and names the remedy.
static void test_owner(void **state)
{
	(void)state;
	struct file_attr attr = { .mode = 0600, .uid = 12345, .gid = 12345 };
	struct err e = ERR_INIT;
	bool ok = file_create_at(dirfd_, "f", "x", 1, attr, &e);
	if (ok) { // root
		struct stat st;
		assert_int_equal(fstatat(dirfd_, "f", &st, 0), 0);
		assert_int_equal(st.st_uid, 12345);
		assert_int_equal(st.st_gid, 12345);
		return;
	}
	assert_non_null(strstr(e.text, "fsGroup"));
	assert_int_equal(entries(), 0);
}

static void test_replace(void **state)
{
	(void)state;
	AUTO_FREE char *path = in_dir("f");
	AUTO_BUF struct buf b = BUF_INIT(100);
	struct err e = ERR_INIT;
	assert_true(file_replace(path, "one", 3, usual, &e));
	assert_int_equal(mode_of("f"), 0640);
	AUTO_CLOSE int old = openat(dirfd_, "f", O_RDONLY | O_CLOEXEC);
	assert_true(file_replace(path, "two!", 4,
				 (struct file_attr){ 0400, (uid_t)-1, (gid_t)-1 }, &e));
	assert_int_equal(mode_of("f"), 0400);
	assert_true(file_read(path, &b, NULL));
	assert_string_equal(buf_str(&b), "two!");
	buf_reset(&b);
	assert_true(file_read_fd(old, &b, NULL)); // a reader keeps the whole old file
	assert_string_equal(buf_str(&b), "one");
	assert_true(file_replace(path, "", 0,
				 (struct file_attr){ 0, (uid_t)-1, (gid_t)-1 }, &e));
	assert_int_equal(mode_of("f"), 0);
	assert_int_equal(entries(), 1);
}

static void test_replace_link(void **state)
{
	(void)state;
	AUTO_FREE char *path = in_dir("link");
	AUTO_BUF struct buf b = BUF_INIT(100);
	put("target", "old");
	assert_int_equal(symlinkat("target", dirfd_, "link"), 0);
	assert_true(file_replace(path, "new", 3, usual, NULL));
	AUTO_FREE char *target = in_dir("target");
	assert_true(file_read(target, &b, NULL));
	assert_string_equal(buf_str(&b), "old");
	struct stat st;
	assert_int_equal(fstatat(dirfd_, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void test_replace_fails_cleanly(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	AUTO_FREE char *below = in_dir("none/f");
	assert_false(file_replace(below, "x", 1, usual, &e));
	assert_non_null(strstr(e.text, below));
	err_clear(&e);
	assert_int_equal(mkdirat(dirfd_, "sub", 0755), 0);
	AUTO_FREE char *folder = in_dir("sub");
	assert_false(file_replace(folder, "x", 1, usual, &e)); // a folder in its place
	assert_int_equal(entries(), 1);
}

static void test_long_name(void **state)
{
	(void)state;
	char name[256] = "";
	memset(name, 'n', 255);
	AUTO_FREE char *path = in_dir(name);
	struct err e = ERR_INIT;
	if (!file_replace(path, "x", 1, usual, &e))
		fail_msg("%s", e.text);
	assert_int_equal(mode_of(name), 0640);
	assert_int_equal(entries(), 1);
}

static void test_make_parents(void **state)
{
	(void)state;
	AUTO_FREE char *path = in_dir("a/b//c/file");
	assert_true(file_make_parents(path, NULL));
	assert_true(file_make_parents(path, NULL));
	struct stat st;
	assert_int_equal(fstatat(dirfd_, "a/b/c", &st, 0), 0);
	assert_int_equal(fstatat(dirfd_, "a/b/c/file", &st, 0), -1);
	put("plain", "");
	AUTO_FREE char *below = in_dir("plain/x/y");
	struct err e = ERR_INIT;
	assert_false(file_make_parents(below, &e));
	assert_non_null(strstr(e.text, "plain/x"));
	assert_true(file_make_parents("relative", NULL));
	assert_true(file_make_parents("/", NULL));
	assert_true(file_make_parents("", NULL));
}

static void test_remove_tree(void **state)
{
	(void)state;
	AUTO_FREE char *path = in_dir("t/a/b/c/file");
	assert_true(file_make_parents(path, NULL));
	put("t/a/b/c/file", "x");
	put("t/a/x", "x");
	put("kept", "x");
	assert_int_equal(symlinkat("../kept", dirfd_, "t/link"), 0);
	assert_int_equal(symlinkat("../..", dirfd_, "t/a/up"), 0);
	struct err e = ERR_INIT;
	if (!file_remove_tree(dirfd_, "t", &e))
		fail_msg("%s", e.text);
	assert_int_equal(entries(), 1);
	assert_int_equal(faccessat(dirfd_, "kept", F_OK, 0), 0);
	assert_true(file_remove_tree(dirfd_, "t", &e));
	assert_true(file_remove_tree(dirfd_, "kept", &e));
	assert_int_equal(symlinkat("t", dirfd_, "dangling"), 0);
	assert_true(file_remove_tree(dirfd_, "dangling", &e));
	assert_int_equal(entries(), 0);
}

static void test_remove_deep_tree(void **state)
{
	(void)state;
	AUTO_CLOSE int at = dup(dirfd_);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	struct err e = ERR_INIT;
	assert_false(file_remove_tree(dirfd_, "d", &e));
	assert_int_equal(e.kind, ERR_LIMIT);
	AUTO_FREE char *half = mem_alloc(101);
	for (int i = 0; i < 50; i++)
		memcpy(half + (size_t)i * 2, i == 49 ? "d" : "d/", 2);
	assert_true(file_remove_tree(dirfd_, half, NULL)); // for the teardown
}

static void test_names(void **state)
{
	(void)state;
	char n255[256] = "", n256[257] = "";
	memset(n255, 'x', 255);
	memset(n256, 'x', 256);
	const char *const good[] = { "a",        "a.b", ".hidden", "with blank",
				     "\xc3\xa9", "-",   "a..b",    n255 };
	const char *const bad[] = { "",    ".",    "..",   "..x",  "..data", "a/b", "/a",
				    "a\n", "a\tb", "\x7f", "\xff", "\xc3",   n256 };
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!file_name_ok(good[i], NULL))
			fail_msg("refused '%s'", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;
		if (file_name_ok(bad[i], &e))
			fail_msg("accepted '%s'", bad[i]);
		assert_int_equal(e.kind, ERR_CONFIG);
		for (const char *c = e.text; *c;
		     c++) // nothing that a terminal would obey
			assert_true(*c >= ' ' && *c != 0x7f);
	}
}

static void test_paths(void **state)
{
	(void)state;
	char p4095[4097] = "";
	for (size_t i = 0; i < 4095; i++)
		p4095[i] = i % 100 == 99 ? '/' : 'x';
	const char *const good[] = { "a", "a/b", "a/.b/c.d", p4095 };
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!file_path_ok(good[i], NULL))
			fail_msg("refused '%.20s'", good[i]);
	memcpy(p4095 + 4095, "x", 2);
	const char *const bad[] = { "",     "/",     "/a",     "a/",
				    "a//b", "a/./b", "a/../b", "../a",
				    "a/..", "a/..x", "a\n/b",  "\xff/a",
				    ".",    "..",    p4095,    "a/..data/b" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (file_path_ok(bad[i], NULL))
			fail_msg("accepted '%.20s'", bad[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_read_large),
		TEST(test_read_what_is_no_file),
		TEST(test_read_token),
		TEST(test_create),
		TEST(test_owner),
		TEST(test_replace),
		TEST(test_replace_link),
		TEST(test_replace_fails_cleanly),
		TEST(test_long_name),
		TEST(test_make_parents),
		TEST(test_remove_tree),
		TEST(test_remove_deep_tree),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
