// SPDX-License-Identifier: Apache-2.0
// A store that the test scripts, in place of stores.c's: calls wait until it answers them.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/cache.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "test/support/clock_fake.h"

enum { PENDING_MAX = 64, START_MS = 1000000 };

// --- the scripted store: calls wait until the test answers them -----------------------------

struct pending {
	enum { P_LOGIN, P_RENEW_LOGIN, P_CHECK, P_FETCH, P_RENEW } what;
	store_login_fn *login;
	store_done_fn *done;
	void *ctx;
	char path[64];
};

static struct {
	struct pending pending[PENDING_MAX];
	size_t n;
	unsigned logins, fetches, renewals, revocations, logouts, checks;
} fake;

static void add(struct pending p)
{
	assert_true(fake.n < PENDING_MAX);
	fake.pending[fake.n++] = p;
}

static bool fake_open(const struct store_env *env, struct store **ret, struct err *e)
{
	static int any;
	(void)env;
	(void)e;
	*ret = (struct store *)(void *)&any;
	return true;
}

static void fake_close(struct store *s)
{
	(void)s;
}

static void fake_login(struct store *s, store_login_fn *done, void *ctx)
{
	(void)s;
	fake.logins++;
	add((struct pending){ .what = P_LOGIN, .login = done, .ctx = ctx });
}

static void fake_renew_login(struct store *s, store_login_fn *done, void *ctx)
{
	(void)s;
	add((struct pending){ .what = P_RENEW_LOGIN, .login = done, .ctx = ctx });
}

static void fake_check(struct store *s, store_login_fn *done, void *ctx)
{
	(void)s;
	fake.checks++;
	add((struct pending){ .what = P_CHECK, .login = done, .ctx = ctx });
}

static void fake_logout(struct store *s, store_login_fn *done, void *ctx)
{
	(void)s;
	fake.logouts++;
	done(ctx, &(struct store_token){ 0 }, NULL);
}

static void fake_fetch(struct store *s, const struct store_ask *ask, store_done_fn *done,
		       void *ctx)
{
	struct pending p = { .what = P_FETCH, .done = done, .ctx = ctx };
	(void)s;
	fake.fetches++;
	snprintf(p.path, sizeof(p.path), "%s", ask->path);
	add(p);
}

static void fake_renew(struct store *s, const char *lease_id, int64_t increment_ms,
		       store_done_fn *done, void *ctx)
{
	(void)s;
	(void)lease_id;
	(void)increment_ms;
	fake.renewals++;
	add((struct pending){ .what = P_RENEW, .done = done, .ctx = ctx });
}

static void fake_revoke(struct store *s, const char *lease_id, store_done_fn *done,
			void *ctx)
{
	(void)s;
	(void)lease_id;
	fake.revocations++;
	done(ctx, &(struct store_answer){ .version = "", .lease_id = "" }, NULL);
}

static const struct store_ops fake_ops = {
	.type = "fake",
	.open = fake_open,
	.close = fake_close,
	.login = fake_login,
	.renew_login = fake_renew_login,
	.check_login = fake_check,
	.logout = fake_logout,
	.fetch = fake_fetch,
	.renew = fake_renew,
	.revoke = fake_revoke,
};

// In place of stores/stores.c.
const struct store_ops *store_find(const char *type)
{
	(void)type;
	return &fake_ops;
}

bool store_fault_is_whole(const struct err *e)
{
	return e->cause != 500;
}

const struct store_ops *store_type(size_t i)
{
	return i == 0 ? &fake_ops : NULL;
}

// --- time, which the test moves

static struct loop *loop;

static void advance(int64_t ms)
{
	// In steps, so that timers which arm timers meet their times.
	for (int64_t step; ms > 0; ms -= step) {
		step = ms < 50 ? ms : 50;
		clock_fake_advance(step);
		assert_true(loop_once(loop, 0, NULL));
	}
}
