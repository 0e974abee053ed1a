// SPDX-License-Identifier: Apache-2.0
// A container's folder: what a reader sees at each moment, after faults, after restarts.
#include "agent/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

static char dir[64]; // on a memory file system

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/dev/shm/ampoule-volume-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, dir, NULL) ? 0 : -1;
}

static struct volume *open_volume(int64_t grace_ms)
{
	struct volume_opts opts = { .container = "app",
				    .folder = dir,
				    .mount = "/vault/secrets",
				    .uid = -1,
				    .grace_ms = grace_ms };
	struct volume *v = NULL;
	struct err e = ERR_INIT;
	if (!volume_open(&opts, &v, &e))
		fail_msg("%s", e.text);
	return v;
}

static struct volume_file file(const char *path, const char *text)
{
	return (struct volume_file){
		.path = path,
		.bytes = text,
		.len = strlen(text),
		.attr = { .mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1 }
	};
}

static void put(struct volume *v, const char *path, const char *text)
{
	struct volume_file f = file(path, text);
	struct err e = ERR_INIT;
	if (!volume_put(v, &f, volume_same(v, &f), &e))
		fail_msg("%s", e.text);
}

static void publish(struct volume *v)
{
	struct err e = ERR_INIT;
	if (!volume_publish(v, NULL, NULL, &e))
		fail_msg("%s", e.text);
}

// What an application reads at a path below the folder; NULL when it cannot.
static const char *content(const char *path)
{
	static char text[256];
	char full[320];
	snprintf(full, sizeof(full), "%s/%s", dir, path);
	int fd = open(full, O_RDONLY);
	if (fd < 0)
		return NULL;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static size_t versions(void)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t n = 0;
	while ((entry = readdir(d)))
		n += strncmp(entry->d_name, "..", 2) == 0 && entry->d_name[2] >= '0' &&
		     entry->d_name[2] <= '9';
	closedir(d);
	return n;
}

static void test_files_appear_with_mode(void **state)
{
	struct volume *v = open_volume(10000);
	struct stat st;
	char path[128];
	(void)state;
	put(v, "db", "one");
	put(v, "tls/cert.pem", "CERT");
	assert_null(content("db")); // staged is not seen
	publish(v);
	assert_string_equal(content("db"), "one");
	assert_string_equal(content("tls/cert.pem"), "CERT");
	snprintf(path, sizeof(path), "%s/db", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	volume_free(v);
	assert_string_equal(content("db"), "one"); // the agent's end takes nothing away
}

static void test_removed_file_disappears(void **state)
{
	struct volume *v = open_volume(10000);
	(void)state;
	put(v, "a", "1");
	put(v, "b", "2");
	publish(v);
	assert_true(volume_remove(v, "a"));
	publish(v);
	assert_null(content("a"));
	assert_string_equal(content("b"), "2");
	assert_false(volume_remove(v, "a"));
	volume_free(v);
}

static void test_unchanged_file_keeps_its_inode(void **state)
{
	struct volume *v = open_volume(10000);
	struct stat before, after;
	char path[128];
	(void)state;
	put(v, "a", "1");
	put(v, "b", "2");
	publish(v);
	snprintf(path, sizeof(path), "%s/b", dir);
	stat(path, &before);
	struct volume_file f = file("a", "changed");
	assert_true(volume_put(v, &f, false, NULL));
	publish(v);
	stat(path, &after);
	assert_int_equal(before.st_ino,
			 after.st_ino); // its receipt is still the same one
	assert_string_equal(content("a"), "changed");
	volume_free(v);
}

static void test_old_versions_go_after_grace(void **state)
{
	struct volume *v = open_volume(0);
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct volume_file f = file("a", i % 2 ? "x" : "y");
		assert_true(volume_put(v, &f, false, NULL));
		publish(v);
	}
	assert_int_equal(versions(), 5);
	assert_int_equal(volume_sweep(v), -1);
	assert_int_equal(versions(), 1);
	volume_free(v);
}

static void test_restart_adopts(void **state)
{
	struct volume *v = open_volume(10000);
	char path[128];
	struct stat before, after;
	(void)state;
	put(v, "a", "1");
	put(v, "late", "from a slow store");
	put(v, "stale", "no longer configured");
	publish(v);
	volume_free(v);
	snprintf(path, sizeof(path), "%s/a", dir);
	stat(path, &before);

	v = open_volume(10000);
	volume_adopt(v, "a", NULL);
	volume_adopt(v, "late", NULL);
	put(v, "a", "1"); // equal: taken over as it is
	publish(v);
	stat(path, &after);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_string_equal(content("late"), "from a slow store");
	assert_null(content("stale"));
	volume_free(v);

	size_t n = versions();
	v = open_volume(10000); // nothing changed at all: no new version
	volume_adopt(v, "a", NULL);
	volume_adopt(v, "late", NULL);
	publish(v);
	assert_int_equal(versions(), n);
	volume_free(v);
}

static void test_heals_what_a_kill_left(void **state)
{
	struct volume *v = open_volume(0);
	char path[128];
	(void)state;
	put(v, "a", "1");
	publish(v);
	volume_free(v);
	snprintf(path, sizeof(path), "%s/..999.0", dir); // half-made version
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/..data_tmp", dir);
	assert_int_equal(symlink("..999.0", path), 0);
	snprintf(path, sizeof(path), "%s/a", dir); // the kill came between swap and links
	unlink(path);

	v = open_volume(0);
	volume_adopt(v, "a", NULL);
	publish(v);
	volume_sweep(v);
	assert_string_equal(content("a"), "1");
	assert_int_equal(versions(), 1);
	snprintf(path, sizeof(path), "%s/..data_tmp", dir);
	assert_int_equal(access(path, F_OK), -1);
	volume_free(v);
}

static void test_bad_names_are_refused(void **state)
{
	static const char *const bad[] = { "",     ".",      "..",  "../x", "a/../x",
					   "/x",   "..data", "..x", "a//b", "a/",
					   "a\nb", "a\tb",   "\xff" };
	struct volume *v = open_volume(0);
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct volume_file f = file(bad[i], "x");
		struct err e = ERR_INIT;
		if (volume_put(v, &f, false, &e))
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	char longer[300];
	memset(longer, 'n', 256);
	longer[256] = '\0';
	struct volume_file f = file(longer, "x");
	assert_false(volume_put(v, &f, false, NULL));
	longer[255] = '\0';
	assert_true(volume_put(v, &f, false, NULL));
	publish(v);
	volume_free(v);
}

static void test_file_and_folder_of_one_name(void **state)
{
	struct volume *v = open_volume(0);
	struct volume_file f = file("a/b", "x");
	struct err e = ERR_INIT;
	(void)state;
	put(v, "a", "1");
	assert_false(volume_put(v, &f, false, &e));
	assert_non_null(strstr(e.text, "folder of the other"));
	volume_free(v);
}

static void test_failed_publication_keeps_old_version(void **state)
{
	struct volume *v = open_volume(0);
	struct err e = ERR_INIT;
	char path[128];
	(void)state;
	put(v, "a", "1");
	publish(v);
	struct volume_file f = file("a", "2");
	assert_true(volume_put(v, &f, false, NULL));
	snprintf(path, sizeof(path), "%s/..data_tmp/x", dir); // the swap cannot be made
	path[strlen(path) - 2] = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(volume_publish(v, NULL, NULL, &e));
	assert_non_null(strstr(e.text, "container 'app'"));
	assert_string_equal(content("a"), "1");
	assert_int_equal(versions(), 1);
	rmdir(path);
	publish(v); // what was staged is still there
	assert_string_equal(content("a"), "2");
	volume_free(v);
}

static void test_disk_is_refused(void **state)
{
	struct volume_opts opts = { .container = "app",
				    .folder = "/proc",
				    .mount = "/v" };
	struct volume *v = NULL;
	struct err e = ERR_INIT;
	(void)state;
	assert_false(volume_open(&opts, &v, &e));
	assert_non_null(strstr(e.text, "tmpfs"));
	assert_non_null(strstr(e.text, "allow_disk"));
}

static void test_paths_of_the_application(void **state)
{
	struct volume *v = open_volume(0);
	(void)state;
	assert_string_equal(volume_path_of(v, "/vault/secrets/db"), "db");
	assert_string_equal(volume_path_of(v, "/vault/secrets/a/b"), "a/b");
	assert_null(volume_path_of(v, "/vault/secretsdb"));
	assert_null(volume_path_of(v, "/etc/passwd"));
	assert_null(volume_path_of(v, "/vault/secrets"));
	volume_free(v);
}

// --- rotations with readers ---------------------------------------------------------------

enum { ROTATIONS = 2000, READERS = 4, BODY = 2048, GRACE_MS = 500 };
enum { TORN = -1, MISSING = -2 };
static atomic_bool over;
static atomic_ulong torn, missing, mixed, reads, late;

// A file is BODY bytes of one letter: anything else is torn.
static int read_letter(int at, const char *name)
{
	char text[BODY + 1];
	int fd = openat(at, name, O_RDONLY);
	if (fd < 0)
		return MISSING;
	ssize_t n = read(fd, text, sizeof(text));
	close(fd);
	for (ssize_t i = 1; i < n; i++)
		if (text[i] != text[0])
			n = -1;
	return n == BODY ? text[0] : TORN;
}

// What was read since then. A former version stays for the grace alone: whoever was not let
// run for so long has not seen a fault.
static void count(int64_t since, const int *letters, size_t n)
{
	if (clock_mono_ms() - since >= GRACE_MS) {
		atomic_fetch_add(&late, 1);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		atomic_fetch_add(&torn, letters[i] == TORN);
		atomic_fetch_add(&missing, letters[i] == MISSING);
		atomic_fetch_add(&mixed, letters[i] != letters[0]);
	}
	atomic_fetch_add(&reads, n);
}

static void *reader(void *arg)
{
	char data[128];
	(void)arg;
	snprintf(data, sizeof(data), "%s/..data", dir);
	int folder = open(dir, O_RDONLY | O_DIRECTORY);
	while (!atomic_load(&over)) {
		int64_t since = clock_mono_ms();
		int one = open(data, O_RDONLY | O_DIRECTORY); // one version, whole
		int pair[] = { read_letter(one, "cert"), read_letter(one, "key") };
		close(one);
		count(since, pair, 2);
		since = clock_mono_ms();
		int cert = read_letter(folder, "cert"); // as a plain application does
		count(since, &cert, 1);
	}
	close(folder);
	return NULL;
}

static void test_rotations_under_readers(void **state)
{
	static char letters[26][BODY];
	pthread_t threads[READERS];
	struct volume *v = open_volume(GRACE_MS);
	(void)state;
	for (int i = 0; i < 26; i++)
		memset(letters[i], 'a' + i, BODY);
	for (int i = 0; i < ROTATIONS; i++) {
		struct volume_file f = file("cert", "");
		f.bytes = letters[i % 26];
		f.len = BODY;
		assert_true(volume_put(v, &f, false, NULL));
		f.path = "key";
		assert_true(volume_put(v, &f, false, NULL));
		publish(v);
		volume_sweep(v);
		if (i == 0)
			for (int t = 0; t < READERS; t++)
				pthread_create(&threads[t], NULL, reader, NULL);
	}
	atomic_store(&over, true);
	for (int t = 0; t < READERS; t++)
		pthread_join(threads[t], NULL);
	print_message("%d rotations, %d readers, %lu reads: torn %lu, missing %lu, mixed "
		      "%lu, late "
		      "%lu\n",
		      ROTATIONS, READERS, atomic_load(&reads), atomic_load(&torn),
		      atomic_load(&missing), atomic_load(&mixed), atomic_load(&late));
	assert_true(atomic_load(&reads) > ROTATIONS / 10);
	assert_true(atomic_load(&late) <= READERS * 20);
	assert_int_equal(atomic_load(&torn), 0);
	assert_int_equal(atomic_load(&missing), 0);
	assert_int_equal(atomic_load(&mixed), 0);
	volume_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files_appear_with_mode, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_removed_file_disappears, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_unchanged_file_keeps_its_inode,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_old_versions_go_after_grace, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_restart_adopts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_heals_what_a_kill_left, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_bad_names_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_file_and_folder_of_one_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_failed_publication_keeps_old_version,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_disk_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_paths_of_the_application, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_rotations_under_readers, set_up,
						tear_down),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
