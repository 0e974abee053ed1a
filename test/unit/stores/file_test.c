// SPDX-License-Identifier: Apache-2.0
// The store "file" on a real folder: files, folders, Kubernetes' version link, links that
// lead away, changes, absence.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/file_read.h"
#include "stores/store.h"
#include "test/support/expect.h"

enum { ROUNDS = 400, ROUND_MS = 10 };

struct fixture {
	char dir[128];
	struct loop *loop;
	struct conf_store conf;
	struct store *store;
	const struct store_ops *ops;
	unsigned changes;
	char changed[128];
	// the last answer
	bool answered;
	json_t *body;
	char version[FILE_VERSION_MAX];
	struct err error;
};

static struct fixture f;

static void on_change(void *ctx, const char *path)
{
	(void)ctx;
	f.changes++;
	snprintf(f.changed, sizeof(f.changed), "%s", path ? path : "(null)");
}

static int setup(void **state UNUSED)
{
	const char *tmp = getenv("TMPDIR");
	memset(&f, 0, sizeof(f));
	snprintf(f.dir, sizeof(f.dir), "%.90s/file.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f.dir) || !loop_new(&f.loop, &err))
		return -1;
	f.conf.options = json_pack("{s:s}", "path", f.dir);
	f.ops = store_find("file");
	struct store_env env = { .loop = f.loop, .conf = &f.conf, .changed = on_change };
	return f.ops->open(&env, &f.store, &err) ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
	f.ops->close(f.store);
	loop_free(f.loop);
	json_decref(f.conf.options);
	json_decref(f.body);
	return file_remove_tree(AT_FDCWD, f.dir, NULL) ? 0 : -1;
}

// --- helpers ------------------------------------------------------------------------------

static char *at(const char *name)
{
	return mem_printf("%s/%s", f.dir, name);
}

static void put(const char *name, const char *text, size_t len)
{
	AUTO_FREE char *path = at(name);
	struct file_attr attr = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	EXPECT_OK(file_make_parents(path, &err));
	EXPECT_OK(file_replace(path, text, len, attr, &err));
}

static void link_to(const char *target, const char *name)
{
	AUTO_FREE char *path = at(name);
	AUTO_FREE char *fresh = at(".new-link");
	assert_int_equal(symlink(target, fresh), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e)
{
	(void)ctx;
	f.answered = true;
	json_decref(f.body);
	f.body = a ? json_incref(a->body) : NULL;
	err_clear(&f.error);
	if (e)
		f.error = *e;
	if (a) {
		assert_int_equal(a->life, LIFE_WATCH);
		snprintf(f.version, sizeof(f.version), "%s", a->version);
	}
}

static void turn(void)
{
	EXPECT_OK(loop_once(f.loop, ROUND_MS, &err));
}

static void ask(enum store_verb verb, const char *path)
{
	f.answered = false;
	f.ops->fetch(f.store, &(struct store_ask){ .verb = verb, .path = path },
		     on_answer, NULL);
	assert_false(f.answered); // never from inside the call
	for (int i = 0; i < ROUNDS && !f.answered; i++)
		turn();
	assert_true(f.answered);
}

static void expect_json(const json_t *j, const char *want)
{
	AUTO_BUF struct buf b = BUF_INIT(100000);
	if (!j)
		fail_msg("no answer: %s", f.error.text);
	EXPECT_OK(json_write(j, &b, &err));
	assert_string_equal(buf_str(&b), want);
}

static void expect_data(const char *path, const char *want)
{
	ask(STORE_READ, path);
	expect_json(json_object_get(f.body, "data"), want);
}

static void expect_error(const char *path, enum err_kind kind, int cause,
			 const char *says)
{
	ask(STORE_READ, path);
	assert_null(f.body);
	if (f.error.kind != kind || !strstr(f.error.text, says))
		fail_msg("%s: %s", err_kind_name(f.error.kind), f.error.text);
	if (cause)
		assert_int_equal(f.error.cause, cause);
}

static void expect_change(const char *path)
{
	for (int i = 0; i < ROUNDS && !f.changes; i++)
		turn();
	assert_true(f.changes > 0);
	assert_string_equal(f.changed, path);
	f.changes = 0;
}

// --- tests --------------------------------------------------------------------------------

static void files_and_folders(void **state UNUSED)
{
	put("user", "u\n", 2);
	put("tls/crt", "C", 1);
	put("tls/key", "K", 1);
	put(".hidden", "x", 1);
	put("bin", "\xff\0", 2);
	put("empty", "", 0);
	put("app.json", "{\"n\": 1.50}", 11);
	expect_data("user", "{\"value\":\"u\\n\"}");
	expect_data("/tls/crt", "{\"value\":\"C\"}");
	expect_data("tls", "{\"crt\":\"C\",\"key\":\"K\"}");
	expect_data("tls/", "{\"crt\":\"C\",\"key\":\"K\"}");
	expect_data("bin", "{\"encoding\":\"base64\",\"value\":\"/wA=\"}");
	expect_data("empty", "{\"value\":\"\"}");
	expect_data("app.json", "{\"n\":1.50}");
	expect_data("", "{\"app.json\":\"{\\\"n\\\": 1.50}\",\"bin.base64\":\"/wA=\","
			"\"empty\":\"\",\"user\":\"u\\n\"}");
	ask(STORE_LIST, "");
	expect_json(f.body, "[\"app.json\",\"bin\",\"empty\",\"tls/\",\"user\"]");
	ask(STORE_LIST, "tls");
	expect_json(f.body, "[\"crt\",\"key\"]");
}

static void refusals(void **state UNUSED)
{
	put("dir/a", "A", 1);
	expect_error("none", ERR_MISSING, 404, "there is no 'none'");
	expect_error("dir/a/b", ERR_MISSING, 404, "there is no");
	static const char *const bad[] = {
		"..",       "../x",    "dir/../dir", "dir//a",
		"..data/x", "dir/\nx", "dir/./a",    "dir/..x"
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_error(bad[i], ERR_CONFIG, 0, "path");
	link_to("/etc/passwd", "out");
	link_to("../../../../../../../../etc/passwd", "out-too");
	link_to("/proc/self/environ", "magic");
	expect_error("out", ERR_DENIED, 0, "leads out");
	expect_error("out-too", ERR_DENIED, 0, "leads out");
	expect_error("magic", ERR_DENIED, 0, "leads out");
	AUTO_FREE char *fifo = at("fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_error("fifo", ERR_DENIED, 0, "no regular file");
	ask(STORE_WRITE, "x");
	assert_int_equal(f.error.kind, ERR_CONFIG);
}

static void links_inside_are_followed(void **state UNUSED)
{
	put("dir/a", "A", 1);
	link_to("dir/a", "b");
	expect_data("b", "{\"value\":\"A\"}");
	link_to("circle", "circle");
	expect_error("circle", ERR_DENIED, 0, "leads out");
	AUTO_FREE char *path = at("circle");
	unlink(path);
	link_to("nowhere", "dangling");
	ask(STORE_READ, "");
	expect_json(json_object_get(f.body, "data"), "{\"b\":\"A\"}");
}

static void sizes(void **state UNUSED)
{
	AUTO_FREE char *big = mem_alloc(FILE_SIZE_MAX + 1);
	memset(big, 'a', FILE_SIZE_MAX + 1);
	put("big", big, FILE_SIZE_MAX + 1);
	expect_error("big", ERR_LIMIT, 0, "longer than");
	put("big", big, FILE_SIZE_MAX);
	ask(STORE_READ, "big");
	assert_non_null(f.body);
	put("more", "x", 1);
	expect_error("", ERR_LIMIT, 0, "bytes in the folder");
}

// As the kubelet publishes: a new folder, a new link, one rename.
static void publish(const char *version, const char *user, const char *password)
{
	AUTO_FREE char *u = mem_printf("%s/user", version);
	AUTO_FREE char *p = mem_printf("%s/password", version);
	put(u, user, strlen(user));
	put(p, password, strlen(password));
	link_to(version, "..data");
}

static void kubernetes_versions(void **state UNUSED)
{
	publish("..2026_1", "u1", "p1");
	link_to("..data/user", "user");
	link_to("..data/password", "password");
	expect_data("", "{\"password\":\"p1\",\"user\":\"u1\"}");
	expect_data("user", "{\"value\":\"u1\"}");
	char first[FILE_VERSION_MAX];
	snprintf(first, sizeof(first), "%s", f.version);
	ask(STORE_READ, "user");
	assert_string_equal(f.version, first);
	ask(STORE_LIST, "");
	expect_json(f.body, "[\"password\",\"user\"]");
	publish("..2026_2", "u2", "p2");
	for (int i = 0; i < ROUNDS && f.changes < 2; i++)
		turn();
	assert_true(f.changes >= 2); // the folder and the file
	expect_data("", "{\"password\":\"p2\",\"user\":\"u2\"}");
	expect_data("user", "{\"value\":\"u2\"}");
	assert_string_not_equal(f.version, first);
}

static void changes_and_absence(void **state UNUSED)
{
	expect_error("user", ERR_MISSING, 404, "there is no");
	put("user", "u", 1);
	expect_change("user");
	expect_data("user", "{\"value\":\"u\"}");
	AUTO_FREE char *path = at("user");
	unlink(path);
	expect_change("user");
	expect_error("user", ERR_MISSING, STORE_GONE, "there is no");
	put("user", "v", 1);
	expect_change("user");
	expect_data("user", "{\"value\":\"v\"}");
}

// A folder that is not mounted (any more) says nothing about what was in it.
static void folder_away(void **state UNUSED)
{
	put("user", "u", 1);
	expect_data("user", "{\"value\":\"u\"}");
	AUTO_FREE char *away = mem_printf("%s.away", f.dir);
	assert_int_equal(rename(f.dir, away), 0);
	ask(STORE_READ, "user");
	assert_int_equal(f.error.kind, ERR_MISSING);
	assert_int_not_equal(f.error.cause, STORE_GONE);
	assert_int_equal(rename(away, f.dir), 0);
	expect_data("user", "{\"value\":\"u\"}");
}

static void closed_by_a_callback(void *ctx, const struct store_answer *a,
				 const struct err *e)
{
	(void)a;
	(void)e;
	unsigned *n = ctx;
	if ((*n)++ == 0) {
		f.ops->close(f.store);
		f.store = NULL;
	}
}

static void close_from_a_callback(void **state UNUSED)
{
	unsigned n = 0;
	struct store_ask a = { .verb = STORE_READ, .path = "x" };
	struct store_env env = { .loop = f.loop, .conf = &f.conf };
	for (int i = 0; i < 3; i++)
		f.ops->fetch(f.store, &a, closed_by_a_callback, &n);
	for (int i = 0; i < 5; i++)
		turn();
	assert_int_equal(n, 1);
	EXPECT_OK(f.ops->open(&env, &f.store, &err));
	f.ops->fetch(f.store, &a, closed_by_a_callback, &n); // dropped by the close
}

static void configuration(void **state UNUSED)
{
	struct conf_store conf = { .options = json_pack("{s:s}", "path", "relative") };
	struct store_env env = { .loop = f.loop, .conf = &conf };
	struct store *s = NULL;
	EXPECT_FAIL(ERR_CONFIG, f.ops->open(&env, &s, &err));
	json_decref(conf.options);
	conf.options = json_object();
	EXPECT_FAIL(ERR_CONFIG, f.ops->open(&env, &s, &err));
	json_decref(conf.options);
}

// Kernels before 5.6 do not have openat2(). From here on this process has none either.
static int forget_openat2(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return -1;
	return setup(state);
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(&err))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_and_folders, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(links_inside_are_followed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(kubernetes_versions, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_and_absence, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_away, setup, teardown),
		cmocka_unit_test_setup_teardown(close_from_a_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(configuration, setup, teardown),
		{ "files_and_folders, old kernel", files_and_folders, forget_openat2,
		  teardown, NULL },
		{ "refusals, old kernel", refusals, setup, teardown, NULL },
		{ "kubernetes_versions, old kernel", kubernetes_versions, setup, teardown,
		  NULL },
		{ "links_inside_are_followed, old kernel", links_inside_are_followed,
		  setup, teardown, NULL },
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
