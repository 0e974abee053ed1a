// SPDX-License-Identifier: Apache-2.0
// The credential's state machine over a scripted store and a clock that the test moves, where
// source_test.c cannot reach it: a credential file that changes.
#include "agent/login.h"

#include "test/unit/agent/source_env.h"

static struct conf_store conf = {
	.name = "s",
	.type = "fake",
	.auth = { .method = "jwt", .min_backoff_ms = 1000, .max_backoff_ms = 300000 },
};
static struct login *login;
static bool ready;

static void on_changed(void *ctx, bool now, const struct err *e)
{
	(void)ctx;
	(void)e;
	ready = now;
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	ready = false;
	clock_fake_set(START_MS, 0);
	log_set_fd(-1);
	if (!loop_new(&loop, NULL))
		return -1;
	login = login_new(&(struct login_setup){
		.loop = loop, .ops = &fake_ops, .conf = &conf, .changed = on_changed });
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	login_free(login);
	loop_free(loop);
	clock_fake_release();
	return 0;
}

// The request that waits, which must be of that kind.
static struct pending take(int what)
{
	assert_int_equal(fake.n, 1);
	assert_int_equal(fake.pending[0].what, what);
	fake.n = 0;
	return fake.pending[0];
}

static void grant(int what, int64_t ttl_ms)
{
	struct pending p = take(what);
	p.login(p.ctx, &(struct store_token){ .ttl_ms = ttl_ms, .renewable = true },
		NULL);
}

static void refuse(int what, enum err_kind kind)
{
	struct pending p = take(what);
	struct err e = ERR_INIT;
	err_set(&e, kind, 0, "scripted");
	p.login(p.ctx, NULL, &e);
}

static void start_with_token(int64_t ttl_ms)
{
	login_start(login);
	grant(P_LOGIN, ttl_ms);
	assert_true(ready);
}

static void test_a_credential_that_is_refused_does_not_cost_the_token(void **state)
{
	(void)state;
	unsigned renewed = 0;
	start_with_token(60000);
	login_refresh(login); // with a wrong file
	for (int s = 0; s < 600; s++) {
		advance(1000);
		if (!fake.n)
			continue;
		if (fake.pending[0].what == P_RENEW_LOGIN) {
			grant(P_RENEW_LOGIN, 60000);
			renewed++;
		} else {
			refuse(P_LOGIN, ERR_DENIED);
		}
		assert_true(login_ready(login));
		assert_true(login_left_ms(login) > 10000);
	}
	assert_in_range(renewed, 14, 18); // at two thirds each time
	assert_in_range(fake.logins, 8, 40);
	while (!fake.n || fake.pending[0].what != P_LOGIN) { // mended: all is as before
		if (fake.n)
			grant(P_RENEW_LOGIN, 60000);
		advance(1000);
	}
	grant(P_LOGIN, 3600000);
	advance(600000);
	assert_int_equal(fake.n, 0);
}

static void test_a_new_credential_is_used_soon(void **state)
{
	(void)state;
	start_with_token(3600000);
	login_refresh(login);
	advance(200);
	grant(P_LOGIN, 3600000);
	int64_t left;
	assert_true(login_replaced(login, &left));
	assert_in_range(left, 3590000, 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(test_a_credential_that_is_refused_does_not_cost_the_token),
		T(test_a_new_credential_is_used_soon),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
