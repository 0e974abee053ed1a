// SPDX-License-Identifier: Apache-2.0
// The pod's identity out of its service account volume, and what is no such thing.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "stores/sealed_pod.h"

static void write_file(const char *dir, const char *name, const char *text)
{
	AUTO_FREE char *path = mem_printf("%s/%s", dir, name);
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	assert_true(file_replace(path, text, strlen(text), attr, NULL));
}

static void check(const char *dir, const char *namespace_, const char *account)
{
	struct sealed_pod pod;
	sealed_pod_read(dir, &pod);
	assert_int_equal(!pod.namespace_, !namespace_);
	assert_int_equal(!pod.service_account, !account);
	if (namespace_)
		assert_string_equal(pod.namespace_, namespace_);
	if (account)
		assert_string_equal(pod.service_account, account);
	sealed_pod_release(&pod);
}

// A token is header.payload.signature; only the payload's subject counts.
static void test_subjects(void **state)
{
	(void)state;
	static const struct {
		const char *claims, *account;
	} cases[] = {
		{ "{\"sub\":\"system:serviceaccount:shop:web\"}", "web" },
		{ "{\"iss\":\"x\",\"sub\":\"system:serviceaccount:shop:a.b\",\"exp\":1}",
		  "a.b" },
		{ "{\"sub\":\"system:serviceaccount:shop\"}", NULL },
		{ "{\"sub\":\"user\"}", NULL },
		{ "{\"sub\":1}", NULL },
		{ "{}", NULL },
		{ "[1]", NULL },
		{ "{", NULL },
	};
	const char *tmp = getenv("TMPDIR");
	AUTO_FREE char *dir = mem_printf("%s/pod.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	check(dir, NULL, NULL);
	write_file(dir, "namespace", "shop\n");
	check(dir, "shop", NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_BUF struct buf token = BUF_INIT(4096);
		buf_puts(&token, "e30.");
		codec_b64_encode(cases[i].claims, strlen(cases[i].claims),
				 B64_URL | B64_NOPAD, &token);
		buf_puts(&token, ".c2ln");
		write_file(dir, "token", token.data);
		check(dir, "shop", cases[i].account);
	}
	static const char *const no_tokens[] = { "x", "a.b", "a.!!.c", "..", "a\nb" };
	for (size_t i = 0; i < ARRAY_LEN(no_tokens); i++) {
		write_file(dir, "token", no_tokens[i]);
		check(dir, "shop", NULL);
	}
	assert_true(file_remove_tree(AT_FDCWD, dir, NULL));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_subjects) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
