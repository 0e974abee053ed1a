// SPDX-License-Identifier: Apache-2.0
// Every login method: the keys it wants, the request it makes, the files it reads, keeps in
// memory and removes.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/auth/auth.h"
#include "test/support/expect.h"

static char dir[4096];

static int make_dir(void **state UNUSED)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(dir, sizeof(dir), "%s/auths.XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state UNUSED)
{
	return file_remove_tree(AT_FDCWD, dir, NULL) ? 0 : -1;
}

static void put(const char *name, const char *text)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir, name);
	struct file_attr attr = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	EXPECT_OK(file_replace(path, text, strlen(text), attr, &err));
}

static bool there(const char *name)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

// A method with a configuration in JSON, in which '@' stands for the test's folder.
struct setup {
	struct conf_auth conf;
	const struct auth_method *method;
	struct auth_memory memory;
};

static void set_up(struct setup *s, const char *method, const char *config)
{
	AUTO_BUF struct buf b = BUF_INIT(10000);
	for (const char *p = config; *p; p++)
		*p == '@' ? buf_puts(&b, dir) : buf_putc(&b, *p);
	*s = (struct setup){ .conf = { .method = method }, .method = auth_find(method) };
	assert_non_null(s->method);
	EXPECT_OK(
		json_parse(buf_str(&b), b.len, b.max, JSON_PLAIN, &s->conf.config, &err));
}

static void tear_down(struct setup *s)
{
	json_decref(s->conf.config);
	auth_memory_release(&s->memory);
}

#define AUTO_SETUP AUTO(tear_down)

static bool prepare(struct setup *s, struct auth_request *r)
{
	return s->method->prepare(&s->conf, &s->memory, r, &err);
}

// The request's path and body, as one text.
static void expect_request(struct setup *s, const char *path, const char *body)
{
	AUTO_BUF struct buf b = BUF_INIT(10000);
	AUTO(auth_request_release) struct auth_request r = { .method = NULL };
	EXPECT_OK(prepare(s, &r));
	assert_string_equal(r.path, path);
	EXPECT_OK(json_write(r.body, &b, &err));
	assert_string_equal(buf_str(&b), body);
	assert_string_equal(r.method, "PUT");
	assert_null(r.token);
}

// --- keys ---------------------------------------------------------------------------------

static const struct {
	const char *method, *config, *says; // says NULL: accepted
} checks[] = {
	{ "kubernetes", "{\"role\":\"web\"}", NULL },
	{ "kubernetes", "{}", "needs the key 'role'" },
	{ "kubernetes", "{\"role\":\"\"}", "needs the key 'role'" },
	{ "kubernetes", "{\"role\":5}", "'role' must be a string" },
	{ "kubernetes", "{\"role\":\"web\",\"token_path\":[]}", "'token_path' must be" },
	{ "jwt", "{\"path\":\"@/jwt\"}", NULL },
	{ "jwt", "{\"role\":\"web\"}", "needs the key 'path'" },
	{ "jwt", "{\"path\":\"@/jwt\",\"remove_jwt_after_reading\":\"maybe\"}",
	  "true or false" },
	{ "jwt", "{\"path\":\"@/jwt\",\"remove_jwt_after_reading\":\"false\"}", NULL },
	{ "approle", "{\"role_id_file_path\":\"@/id\"}", NULL },
	{ "approle", "{\"secret_id_file_path\":\"@/id\"}", "'role_id_file_path'" },
	{ "approle",
	  "{\"role_id_file_path\":\"@/id\",\"secret_id_response_wrapping_path\":\"x\"}",
	  "needs secret_id_file_path" },
	{ "token_file", "{\"token_file_path\":\"@/t\"}", NULL },
	{ "token_file", "{}", "'token_file_path'" },
	{ "cert", "{}", NULL },
	{ "cert", "{\"name\":{}}", "'name' must be" },
	{ "userpass", "{\"username\":\"u\",\"password_file_path\":\"@/p\"}", NULL },
	{ "userpass", "{\"username\":\"u/../x\",\"password_file_path\":\"@/p\"}",
	  "must not hold" },
	{ "ldap", "{\"username\":\"u\"}", "'password_file_path'" },
};

static void keys_are_checked(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		AUTO_SETUP struct setup s;
		set_up(&s, checks[i].method, checks[i].config);
		if (!checks[i].says) {
			EXPECT_OK(s.method->check(&s.conf, &err));
			continue;
		}
		EXPECT_FAIL(ERR_CONFIG, s.method->check(&s.conf, &err));
		if (!strstr(err.text, checks[i].says) ||
		    !strstr(err.text, checks[i].method))
			fail_msg("'%s' does not say '%s'", err.text, checks[i].says);
	}
}

static const struct {
	const char *mount, *path; // path NULL: refused
} mount_paths[] = {
	{ NULL, "auth/kubernetes/login" },
	{ "", "auth/kubernetes/login" },
	{ "auth/k8s-east", "auth/k8s-east/login" },
	{ "/auth/k8s-east/", "auth/k8s-east/login" },
	{ "team/auth/k8s", "team/auth/k8s/login" },
	{ "k8s-east", NULL },
	{ "authority/k8s", NULL },
};

static void mount_paths_are_read(void **state UNUSED)
{
	put("jwt", "aa.bb.cc");
	for (size_t i = 0; i < ARRAY_LEN(mount_paths); i++) {
		AUTO_SETUP struct setup s;
		set_up(&s, "kubernetes", "{\"role\":\"web\",\"token_path\":\"@/jwt\"}");
		s.conf.mount_path = mount_paths[i].mount;
		if (!mount_paths[i].path) {
			EXPECT_FAIL(ERR_CONFIG, s.method->check(&s.conf, &err));
			assert_non_null(strstr(err.text, "must begin with auth/"));
			continue;
		}
		EXPECT_OK(s.method->check(&s.conf, &err));
		expect_request(&s, mount_paths[i].path,
			       "{\"jwt\":\"aa.bb.cc\",\"role\":\"web\"}");
	}
}

// --- files --------------------------------------------------------------------------------

static void files_are_read_anew(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	const char *files[4];
	set_up(&s, "kubernetes", "{\"role\":\"web\",\"token_path\":\"@/jwt\"}");
	put("jwt", "first\n");
	expect_request(&s, "auth/kubernetes/login",
		       "{\"jwt\":\"first\",\"role\":\"web\"}");
	put("jwt", "second");
	expect_request(&s, "auth/kubernetes/login",
		       "{\"jwt\":\"second\",\"role\":\"web\"}");
	assert_int_equal(s.method->files(&s.conf, files, 4), 1);
	assert_true(s.method->rotates(&s.conf)); // the kubelet's: no login for each
	assert_null(s.method->used);
}

static void bad_files(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	AUTO(auth_request_release) struct auth_request r = { .method = NULL };
	set_up(&s, "kubernetes", "{\"role\":\"web\",\"token_path\":\"@/bad\"}");
	EXPECT_FAIL(ERR_AUTH, prepare(&s, &r));
	assert_non_null(strstr(err.text, "/bad"));
	static const char *const texts[] = { "", " \n", "two\nlines", "a\rb" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put("bad", texts[i]);
		EXPECT_FAIL(ERR_AUTH, prepare(&s, &r));
	}
	AUTO_FREE char *big = mem_alloc(1 << 20);
	memset(big, 'a', (1 << 20) - 1);
	put("bad", big);
	EXPECT_FAIL(ERR_AUTH, prepare(&s, &r));
	assert_null(strstr(err.text, "aaaa"));
	assert_null(r.body);
}

static void jwt_is_removed_after_use(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	AUTO(auth_request_release) struct auth_request r = { .method = NULL };
	set_up(&s, "jwt", "{\"role\":\"web\",\"path\":\"@/jwt\"}");
	put("jwt", "one");
	expect_request(&s, "auth/jwt/login", "{\"jwt\":\"one\",\"role\":\"web\"}");
	assert_true(there("jwt"));
	s.method->used(&s.conf);
	assert_false(there("jwt"));
	expect_request(&s, "auth/jwt/login", "{\"jwt\":\"one\",\"role\":\"web\"}");
	put("jwt", "two");
	expect_request(&s, "auth/jwt/login", "{\"jwt\":\"two\",\"role\":\"web\"}");
	tear_down(&s);
	set_up(&s, "jwt", "{\"path\":\"@/jwt\",\"remove_jwt_after_reading\":false}");
	expect_request(&s, "auth/jwt/login", "{\"jwt\":\"two\"}");
	s.method->used(&s.conf);
	assert_true(there("jwt"));
	unlinkat(AT_FDCWD, json_string_value(json_object_get(s.conf.config, "path")), 0);
	EXPECT_FAIL(ERR_AUTH, prepare(&s, &r));
}

static void jwt_links(void **state UNUSED)
{
	AUTO_FREE char *link = mem_printf("%s/link", dir);
	AUTO_SETUP struct setup s;
	put("target", "one");
	assert_int_equal(symlink("target", link), 0);
	set_up(&s, "jwt", "{\"path\":\"@/link\",\"remove_jwt_follows_symlinks\":true}");
	s.method->used(&s.conf);
	assert_false(there("target"));
	put("target", "one");
	tear_down(&s);
	set_up(&s, "jwt", "{\"path\":\"@/link\"}");
	s.method->used(&s.conf);
	assert_true(there("target"));
	assert_false(there("link"));
}

static void approle_keeps_ids(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	const char *files[4];
	set_up(&s, "approle",
	       "{\"role_id_file_path\":\"@/id\",\"secret_id_file_path\":\"@/sid\"}");
	put("id", "R");
	put("sid", "S");
	expect_request(&s, "auth/approle/login",
		       "{\"role_id\":\"R\",\"secret_id\":\"S\"}");
	s.method->used(&s.conf);
	assert_true(there("id"));
	assert_false(there("sid"));
	expect_request(&s, "auth/approle/login",
		       "{\"role_id\":\"R\",\"secret_id\":\"S\"}");
	assert_int_equal(s.method->files(&s.conf, files, 4), 2); // a new one may come
	assert_null(s.method->rotates);
	tear_down(&s);
	set_up(&s, "approle", "{\"role_id_file_path\":\"@/id\"}");
	expect_request(&s, "auth/approle/login", "{\"role_id\":\"R\"}");
}

static void approle_wrapped(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	AUTO(auth_request_release) struct auth_request r = { .method = NULL };
	set_up(&s, "approle",
	       "{\"role_id_file_path\":\"@/id\",\"secret_id_file_path\":\"@/wrapped\","
	       "\"secret_id_response_wrapping_path\":\"auth/approle/role/web/secret-id\","
	       "\"remove_secret_id_file_after_reading\":\"false\"}");
	put("id", "R");
	put("wrapped", "W");
	EXPECT_OK(prepare(&s, &r));
	assert_true(r.wrapped_secret_id);
	assert_string_equal(r.wrapped_path, "auth/approle/role/web/secret-id");
	auth_request_release(&r);
	// Opened: the same wrapping token means what came out of it; a new one is opened.
	s.memory.credential = secret_from_str("S");
	s.memory.wrapper = secret_from_str("W");
	EXPECT_OK(prepare(&s, &r));
	assert_false(r.wrapped_secret_id);
	assert_string_equal(json_string_value(json_object_get(r.body, "secret_id")), "S");
	auth_request_release(&r);
	put("wrapped", "W2");
	EXPECT_OK(prepare(&s, &r));
	assert_true(r.wrapped_secret_id);
}

static void token_file(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	AUTO(auth_request_release) struct auth_request r = { .method = NULL };
	const char *files[4];
	set_up(&s, "token_file", "{\"token_file_path\":\"@/t\"}");
	put("t", "s.token\n");
	EXPECT_OK(prepare(&s, &r));
	assert_string_equal(r.method, "GET");
	assert_string_equal(secret_bytes(r.token), "s.token");
	assert_int_equal(s.method->files(&s.conf, files, 4), 1);
	assert_int_equal(s.method->files(&s.conf, files, 0), 0);
}

static void passwords(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	set_up(&s, "ldap", "{\"username\":\"joe\",\"password_file_path\":\"@/p\"}");
	put("p", "pass word");
	expect_request(&s, "auth/ldap/login/joe", "{\"password\":\"pass word\"}");
	s.method->used(&s.conf);
	assert_false(there("p"));
	expect_request(&s, "auth/ldap/login/joe", "{\"password\":\"pass word\"}");
}

static void certificates(void **state UNUSED)
{
	AUTO_SETUP struct setup s;
	struct conf_tls tls = { .ca_file = "/ca", .client_cert = "/agent.pem" };
	set_up(&s, "cert", "{\"name\":\"web\"}");
	expect_request(&s, "auth/cert/login", "{\"name\":\"web\"}");
	s.method->client_cert(&s.conf, &tls);
	assert_string_equal(tls.client_cert, "/agent.pem");
	tear_down(&s);
	set_up(&s, "cert", "{\"client_cert\":\"/login.pem\",\"ca_cert\":\"/login-ca\"}");
	s.method->client_cert(&s.conf, &tls);
	assert_string_equal(tls.client_cert, "/login.pem");
	assert_null(tls.client_key);
	assert_string_equal(tls.ca_file, "/login-ca");
}

static void the_array_is_whole(void **state UNUSED)
{
	for (size_t i = 0; auth_at(i); i++) {
		const struct auth_method *m = auth_at(i);
		assert_ptr_equal(auth_find(m->name), m);
		assert_true(m->help && m->check && m->prepare && m->files);
	}
	assert_null(auth_find("nothing"));
	assert_null(auth_find(NULL));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_checked),
		cmocka_unit_test(mount_paths_are_read),
		cmocka_unit_test(files_are_read_anew),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(jwt_is_removed_after_use),
		cmocka_unit_test(jwt_links),
		cmocka_unit_test(approle_keeps_ids),
		cmocka_unit_test(approle_wrapped),
		cmocka_unit_test(token_file),
		cmocka_unit_test(passwords),
		cmocka_unit_test(certificates),
		cmocka_unit_test(the_array_is_whole),
	};
	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
