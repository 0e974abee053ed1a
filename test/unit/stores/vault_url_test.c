// SPDX-License-Identifier: Apache-2.0
// Addresses, paths, escapes and KV version 2 paths of the vault store.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "stores/vault_url.h"
#include "test/support/expect.h"

static const struct {
	const char *text, *base, *unix_socket; // base NULL: refused
} addresses[] = {
	{ NULL, "https://127.0.0.1:8200", NULL },
	{ "", "https://127.0.0.1:8200", NULL },
	{ "https://vault.example:8200", "https://vault.example:8200", NULL },
	{ "https://vault.example/", "https://vault.example", NULL },
	{ "https://[::1]:8200", "https://[::1]:8200", NULL },
	{ "http://proxy/vault//", "http://proxy/vault", NULL },
	{ "unix:///run/bao.sock", "http://localhost", "/run/bao.sock" },
	{ "unix://", NULL, NULL },
	{ "unix:///", NULL, NULL },
	{ "unix://relative", NULL, NULL },
	{ "127.0.0.1:8200", NULL, NULL },
	{ "ftp://host", NULL, NULL },
	{ "https://", NULL, NULL },
	{ "https://:8200", NULL, NULL },
	{ "https://user:pass@host", NULL, NULL },
	{ "https://host?x=y", NULL, NULL },
	{ "https://host/#f", NULL, NULL },
	{ "https://ho st", NULL, NULL },
	{ "https://host\r\nX: y", NULL, NULL },
};

static void addresses_are_read(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct vault_addr a = { .base = NULL };
		if (!addresses[i].base) {
			EXPECT_FAIL(ERR_CONFIG,
				    vault_addr_parse(addresses[i].text, &a, &err));
			assert_null(a.base);
			assert_null(strstr(err.text, "pass@"));
			continue;
		}
		EXPECT_OK(vault_addr_parse(addresses[i].text, &a, &err));
		assert_string_equal(a.base, addresses[i].base);
		if (addresses[i].unix_socket)
			assert_string_equal(a.unix_socket, addresses[i].unix_socket);
		else
			assert_null(a.unix_socket);
		vault_addr_release(&a);
	}
}

static const struct {
	const char *text, *path, *query; // path NULL: refused
} paths[] = {
	{ "kv/app", "kv/app", "" },
	{ "/kv/app/", "kv/app", "" },
	{ "kv/my%20app", "kv/my app", "" },
	{ "kv/a b", "kv/a b", "" },
	{ "kv/a#b", "kv/a#b", "" },
	{ "kv/a%3Fb", "kv/a?b", "" },
	{ "kv/app?version=3", "kv/app", "version=3" },
	{ "kv/app?version=3&x=a%2fb", "kv/app", "version=3&x=a%2Fb" },
	{ "kv/app?a", "kv/app", "a=" },
	{ "kv/app?", "kv/app", "" },
	{ "kv/gr\303\274n", "kv/gr\303\274n", "" },
	{ "", NULL, NULL },
	{ "/", NULL, NULL },
	{ "?version=1", NULL, NULL },
	{ "kv//app", NULL, NULL },
	{ "kv/./app", NULL, NULL },
	{ "kv/../sys/seal", NULL, NULL },
	{ "kv/%2e%2e/sys/seal", NULL, NULL },
	{ "kv/..%2fsys", NULL, NULL },
	{ "..", NULL, NULL },
	{ "kv/100%", NULL, NULL },
	{ "kv/%zz", NULL, NULL },
	{ "kv/a%00b", NULL, NULL },
	{ "kv/a\nb", NULL, NULL },
	{ "kv/%ff", NULL, NULL },
	{ "kv/app?=3", NULL, NULL },
	{ "kv/app?version=%", NULL, NULL },
};

static void paths_are_read(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct vault_path p = { .path = NULL };
		if (!paths[i].path) {
			EXPECT_FAIL(ERR_CONFIG,
				    vault_path_parse(paths[i].text, &p, &err));
			assert_null(p.path);
			continue;
		}
		EXPECT_OK(vault_path_parse(paths[i].text, &p, &err));
		assert_string_equal(p.path, paths[i].path);
		assert_string_equal(p.query, paths[i].query);
		vault_path_release(&p);
	}
}

static void long_paths_are_refused(void **state UNUSED)
{
	AUTO_FREE char *text = mem_alloc(VAULT_PATH_MAX + 2);
	memset(text, 'a', VAULT_PATH_MAX + 1);
	struct vault_path p = { .path = NULL };
	EXPECT_FAIL(ERR_CONFIG, vault_path_parse(text, &p, &err));
	text[VAULT_PATH_MAX] = '\0';
	EXPECT_OK(vault_path_parse(text, &p, &err));
	vault_path_release(&p);
}

static const struct {
	const char *path, *mount, *part, *want;
} kv2[] = {
	{ "kv/app", "kv/", "data", "kv/data/app" },
	{ "k", "kv/", "data", "k" },
	{ "kvx/app", "kv/", "data", "kvx/app" },
	{ "kv", "kv/", "data", "kv/data" },
	{ "kv/data/app", "kv/", "data", "kv/data/app" },
	{ "kv/data", "kv/", "data", "kv/data/data" },
	{ "kv/metadata/app", "kv/", "data", "kv/metadata/app" },
	{ "kv/subkeys/app", "kv/", "data", "kv/subkeys/app" },
	{ "kv/database", "kv/", "data", "kv/data/database" },
	{ "team/kv/app/x", "team/kv/", "data", "team/kv/data/app/x" },
	{ "kv", "kv/", "metadata", "kv/metadata" },
	{ "kv/app", "kv/", "metadata", "kv/metadata/app" },
	{ "kv/data/app", "kv/", "metadata", "kv/metadata/app" },
	{ "kv/metadata/app", "kv/", "metadata", "kv/metadata/app" },
};

static void kv2_paths(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(kv2); i++) {
		AUTO_FREE char *got =
			vault_path_kv2(kv2[i].path, kv2[i].mount, kv2[i].part);
		assert_string_equal(got, kv2[i].want);
	}
}

static void below_a_mount(void **state UNUSED)
{
	assert_true(vault_path_below("kv", "kv/"));
	assert_true(vault_path_below("kv/app", "kv/"));
	assert_false(vault_path_below("kv2/app", "kv/"));
	assert_false(vault_path_below("k", "kv/"));
	assert_false(vault_path_below("kv", ""));
	assert_false(vault_path_below("kv", "/"));
}

static void urls(void **state UNUSED)
{
	struct vault_addr a = { .base = NULL };
	AUTO_BUF struct buf b = BUF_INIT(VAULT_URL_MAX);
	EXPECT_OK(vault_addr_parse("https://host:8200/x", &a, &err));
	EXPECT_OK(vault_url(&a, "kv/data/my app/a?b#c%", "version=3", &b, &err));
	assert_string_equal(
		buf_str(&b),
		"https://host:8200/x/v1/kv/data/my%20app/a%3Fb%23c%25?version=3");
	buf_reset(&b);
	EXPECT_OK(vault_url(&a, "kv/a:b=c@d,e;f$g&h+i", NULL, &b, &err));
	assert_string_equal(buf_str(&b), "https://host:8200/x/v1/kv/a:b=c@d,e;f$g&h+i");
	b.max = 40;
	buf_reset(&b);
	EXPECT_FAIL(ERR_LIMIT,
		    vault_url(&a, "kv/long/enough/to/be/too/long", "", &b, &err));
	vault_addr_release(&a);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(paths_are_read),
		cmocka_unit_test(long_paths_are_refused),
		cmocka_unit_test(kv2_paths),
		cmocka_unit_test(below_a_mount),
		cmocka_unit_test(urls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
