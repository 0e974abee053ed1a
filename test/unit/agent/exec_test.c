// SPDX-License-Identifier: Apache-2.0
// Environments of commands, and what a sidecar and a wrapper say to each other.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/exec_env.h"
#include "agent/exec_frame.h"

static const char *value_of(const struct exec_env *env, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->list[i], name, n) == 0 && env->list[i][n] == '=')
			return env->list[i] + n + 1;
	return NULL;
}

static void test_inherits_all_but_ours(void **state)
{
	(void)state;
	AUTO_ENV struct exec_env env = { 0 };
	static const char *const ours[] = { "AMPOULE_CONFIG", "AMPOULE_X",
					    "VAULT_TOKEN",    "BAO_TOKEN",
					    "BAO_CONFIG",     "VAULT_CONFIG",
					    "VAULT_SECRET_ID" };
	static const char *const kept[] = { "VAULT_ADDR", "VAULT_TOKENS",
					    "MY_VAULT_TOKEN" };
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		setenv(ours[i], "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		setenv(kept[i], "y", 1);
	exec_env_inherit(&env);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		assert_null(value_of(&env, ours[i]));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		assert_string_equal(value_of(&env, kept[i]), "y");
	assert_null(env.list[env.n]);
}

static void test_a_variable_replaces(void **state)
{
	(void)state;
	AUTO_ENV struct exec_env env = { 0 };
	assert_true(exec_env_set(&env, "A", "1", 1, NULL));
	assert_true(exec_env_set(&env, "AB", "2", 1, NULL));
	assert_true(exec_env_set(&env, "A", "x=y\n", 4, NULL));
	assert_true(exec_env_put(&env, "AB=", NULL));
	assert_int_equal(env.n, 2);
	assert_string_equal(value_of(&env, "A"), "x=y\n");
	assert_string_equal(value_of(&env, "AB"), "");
}

static void test_the_kernels_limits(void **state)
{
	(void)state;
	AUTO_ENV struct exec_env env = { 0 };
	struct err e = ERR_INIT;
	size_t most = 131072 - strlen("BIG=") - 1;
	char *value = calloc(1, most + 2);
	memset(value, 'v', most + 1);
	assert_true(exec_env_set(&env, "BIG", value, most, &e));
	assert_false(exec_env_set(&env, "BIG", value, most + 1, &e));
	assert_non_null(strstr(e.text, "'BIG' is 131073 bytes"));
	err_clear(&e);
	assert_false(exec_env_set(&env, "NUL", "a\0b", 3, &e));
	assert_non_null(strstr(e.text, "'NUL' holds a NUL byte"));
	assert_null(strstr(e.text, "vvv"));
	free(value);
	assert_false(exec_env_put(&env, "=x", NULL));
	assert_false(exec_env_put(&env, "x", NULL));
}

static void test_frames_in_pieces(void **state)
{
	(void)state;
	static const char text[] =
		"wait not yet\nenv stay 10 500 8\nA=1\0B=2\0signal 12\n";
	size_t len = sizeof(text) - 1, at = 0;
	static const enum exec_frame_kind kinds[] = { FRAME_WAIT, FRAME_ENV,
						      FRAME_SIGNAL };
	struct exec_frame f;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t have = 0;
		do
			assert_true(exec_frame_read(text + at, have, &f, NULL));
		while (f.kind == FRAME_PART && at + have++ < len);
		assert_int_equal(f.kind, kinds[i]);
		assert_int_equal(f.taken, have); // as soon as it is whole
		if (f.kind == FRAME_WAIT)
			assert_memory_equal(f.bytes, "not yet", f.len);
		if (f.kind == FRAME_ENV) {
			const char *a = exec_frame_pair(&f, NULL);
			assert_true(f.stay && f.signo == 10 && f.stop_ms == 500);
			assert_string_equal(a, "A=1");
			assert_string_equal(exec_frame_pair(&f, a), "B=2");
			assert_null(exec_frame_pair(&f, exec_frame_pair(&f, a)));
		}
		at += f.taken;
	}
	assert_int_equal(at, len);
	assert_int_equal(f.signo, 12);
}

static void test_wrong_frames(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"hello\n",
		"\n",
		"env\n",
		"env run 1 1 0\n",
		"env stay 0 1 0\n",
		"env stay 65 1 0\n",
		"env stay 1 -1 0\n",
		"env stay 1 1 8388609\n",
		"env stay 1 1 0 1\n",
		"env stay 1 1 1\nA",
		"signal x\n",
		"signal 0\n",
		"signal 1 1\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct exec_frame f;
		struct err e = ERR_INIT;
		assert_false(exec_frame_read(wrong[i], strlen(wrong[i]), &f, &e));
		assert_int_equal(e.kind, ERR_BUG);
	}
}

static void test_a_reason_is_one_line(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(8192);
	char text[4096];
	struct exec_frame f = { .kind = FRAME_NO, .bytes = text, .len = sizeof(text) },
			  got;
	memset(text, 'x', sizeof(text));
	text[3] = '\n';
	exec_frame_write(&b, &f);
	assert_true(exec_frame_read(b.data, b.len, &got, NULL));
	assert_int_equal(got.kind, FRAME_NO);
	assert_int_equal(got.taken, b.len);
	assert_memory_equal(got.bytes, "xxx xxx", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inherits_all_but_ours),
		cmocka_unit_test(test_a_variable_replaces),
		cmocka_unit_test(test_the_kernels_limits),
		cmocka_unit_test(test_frames_in_pieces),
		cmocka_unit_test(test_wrong_frames),
		cmocka_unit_test(test_a_reason_is_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
