// SPDX-License-Identifier: Apache-2.0
// Which manifests count as Secrets in plaintext.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cmd/check_secrets.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

static const struct {
	const char *name, *text;
	const char *found; // "line name", or NULL
} cases[] = {
	{ "a.yaml",
	  "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {p: eA==}\n",
	  "1 db" },
	{ "b.yml", "kind: ConfigMap\n---\nkind: Secret\nstringData:\n  p: x\n", "3 ?" },
	{ "c.json", "{\"kind\": \"Secret\", \"data\": {\"p\": \"eA==\"}}", "1 ?" },
	{ "sub/d.yaml",
	  "kind: List\nitems:\n- {kind: Secret, metadata: {name: l}, data: {a: b}}\n",
	  "1 l" },
	{ "helm.yaml", "{{ if .x }}\nkind: Secret\ndata:\n  p: eA==\n{{ end }}\n",
	  "1 ?" },
	{ "helm-good.yaml",
	  "{{ if .x }}\nkind: Secret\ndata:\n  p: {{ .y }}\n{{ end }}\n", NULL },
	{ "expression.yaml", "kind: Secret\nstringData: {a: \"{{ .x }}\"}\n", NULL },
	{ "sealed.yaml", "kind: SealedSecret\nspec: {encryptedData: {a: b}}\n", NULL },
	{ "empty.yaml", "kind: Secret\ndata: {}\n", NULL },
	{ "text.txt", "kind: Secret\ndata: {p: eA==}\n", NULL },
	{ ".git/x.yaml", "kind: Secret\ndata: {p: eA==}\n", NULL },
};

struct log {
	char text[2000];
};

static void on_found(void *ctx, const struct secret_finding *f)
{
	struct log *log = ctx;
	size_t n = strlen(log->text);
	snprintf(log->text + n, sizeof(log->text) - n, "%s: %u %s\n", f->file, f->line,
		 f->name);
	assert_non_null(strstr(f->remedy, "ampoule seal "));
}

static void test_tree(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	AUTO_FREE char *dir = mem_printf("%s/check.XXXXXX", tmp ? tmp : "/tmp");
	struct err e = ERR_INIT;
	struct log log = { .text = "" };
	size_t n = 0, want = 0;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", dir, cases[i].name);
		struct file_attr attr = { 0644, (uid_t)-1, (gid_t)-1 };
		assert_true(file_make_parents(path, &e));
		assert_true(file_replace(path, cases[i].text, strlen(cases[i].text), attr,
					 &e));
		want += cases[i].found != NULL;
	}
	assert_true(check_secrets(dir, on_found, &log, &n, &e));
	assert_int_equal(n, want);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *line = mem_printf("%s/%s: %s\n", dir, cases[i].name,
						  cases[i].found ? cases[i].found : "");
		if (cases[i].found && !strstr(log.text, line))
			fail_msg("no %s in %s", line, log.text);
	}
	AUTO_FREE char *one =
		mem_printf("%s/text.txt", dir); // a file that is named is looked at
	assert_true(check_secrets(one, on_found, &log, &n, &e));
	assert_int_equal(n, 1);
	assert_true(file_remove_tree(AT_FDCWD, dir, &e));
	assert_false(check_secrets(dir, on_found, &log, &n, &e));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tree) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
