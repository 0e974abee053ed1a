// SPDX-License-Identifier: Apache-2.0
// Login, fetching, outages: the agent's side of a store, over a store that the test scripts
// and a clock that the test moves.
#include "agent/source.h"

#include "test/unit/agent/source_env.h"

// --- the test's side ----------------------------------------------------------------------

static struct conf_store conf = {
	.name = "s",
	.type = "fake",
	.auth = { .method = "jwt", .min_backoff_ms = 1000, .max_backoff_ms = 300000 },
};
static struct source *source;
static struct cache *cache;
static unsigned changes;

static void on_entry(void *ctx, struct entry *en)
{
	(void)ctx;
	(void)en;
	changes++;
}

static void on_hint(void *ctx, struct source *s, const char *path)
{
	(void)ctx;
	(void)s;
	(void)path;
}

static void on_login(void *ctx, struct source *s, bool ready)
{
	(void)ctx;
	(void)s;
	(void)ready;
}

static int set_up(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	changes = 0;
	clock_fake_set(START_MS, 0);
	log_set_fd(-1); // audit lines would hide the result
	cache = cache_new();
	struct source_setup setup = { .conf = &conf,
				      .interval_ms = 300000,
				      .entry_changed = on_entry,
				      .hint = on_hint,
				      .login_changed = on_login };
	if (!loop_new(&loop, NULL))
		return -1;
	setup.loop = loop;
	return source_new(&setup, &source, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	source_free(source);
	cache_free(cache);
	loop_free(loop);
	clock_fake_release();
	return 0;
}

static struct pending take(int what)
{
	for (size_t i = 0; i < fake.n; i++)
		if ((int)fake.pending[i].what == what) {
			struct pending p = fake.pending[i];
			memmove(&fake.pending[i], &fake.pending[i + 1],
				(fake.n - i - 1) * sizeof(p));
			fake.n--;
			return p;
		}
	fail_msg("no request of kind %d waits", what);
	return fake.pending[0];
}

static size_t waiting(int what)
{
	size_t n = 0;
	for (size_t i = 0; i < fake.n; i++)
		n += (int)fake.pending[i].what == what;
	return n;
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
	if (p.login)
		p.login(p.ctx, NULL, &e);
	else
		p.done(p.ctx, NULL, &e);
}

static void refuse_with(int cause)
{
	struct pending p = take(P_FETCH);
	struct err e = ERR_INIT;
	err_set(&e, ERR_RETRY, cause, "scripted");
	p.done(p.ctx, NULL, &e);
}

static void answer(const char *value, const char *version)
{
	struct pending p = take(P_FETCH);
	json_t *body = json_pack("{s:{s:s}}", "data", "value", value);
	struct store_answer a = {
		.body = body, .version = version, .life = LIFE_STATIC, .lease_id = ""
	};
	p.done(p.ctx, &a, NULL);
	json_decref(body);
}

static void answer_lease(int what, int64_t lease_ms)
{
	struct pending p = take(what);
	json_t *body = json_pack("{s:{s:s}}", "data", "user", "u");
	struct store_answer a = { .body = body,
				  .version = "",
				  .life = LIFE_LEASE,
				  .lease_id = "lease-1",
				  .lease_ms = lease_ms,
				  .renewable = true };
	p.done(p.ctx, &a, NULL);
	json_decref(body);
}

static struct entry *want(const char *path)
{
	bool is_new;
	struct cache_ask ask = { .source = source, .verb = STORE_READ, .path = path };
	struct entry *en = cache_get(cache, &ask, &is_new);
	if (is_new)
		source_fetch(en);
	return en;
}

// The token is refused; another login succeeds.
static void lose_login(void)
{
	struct entry *en = want("refused");
	advance(6000);
	while (en->error.kind != ERR_AUTH)
		refuse(P_FETCH, ERR_AUTH);
	grant(P_LOGIN, 3600000);
}

static void start_logged_in(void)
{
	source_start(source);
	grant(P_LOGIN, 3600000);
}

// --- tests --------------------------------------------------------------------------------

static void test_fetch_waits_for_login_and_happens_once(void **state)
{
	(void)state;
	struct entry *en = want("a");
	assert_ptr_equal(want("a"), en); // however many templates want it
	assert_int_equal(fake.fetches, 0);
	start_logged_in();
	assert_int_equal(fake.fetches, 1);
	answer("x", "1");
	assert_int_equal(en->state, ENTRY_HELD);
	assert_int_equal(changes, 1);
}

static void test_poll_that_changes_nothing_tells_nobody(void **state)
{
	(void)state;
	want("a");
	start_logged_in();
	answer("x", "1");
	advance(301000);
	answer("x", "1");
	assert_int_equal(changes, 1);
	advance(301000);
	answer("y", "2");
	assert_int_equal(changes, 2);
}

static void test_own_interval_wins(void **state)
{
	(void)state;
	struct entry *en = want("a");
	en->interval_ms = 10000;
	start_logged_in();
	answer("x", "1");
	advance(8000);
	assert_int_equal(fake.fetches, 1);
	advance(2100);
	assert_int_equal(fake.fetches, 2);
}

static void test_failed_login_backs_off_and_recovers(void **state)
{
	(void)state;
	want("a");
	source_start(source);
	for (int i = 0; i < 5; i++) {
		refuse(P_LOGIN, ERR_DENIED);
		assert_non_null(source_error(source));
		assert_int_equal(waiting(P_LOGIN), 0); // not at once
		advance(1000 << i);
		assert_int_equal(waiting(P_LOGIN), 1); // but within 1, 2, 4, 8, 16 s
	}
	grant(P_LOGIN, 3600000);
	assert_null(source_error(source));
	assert_int_equal(fake.fetches, 1);
}

static void test_unreachable_store_is_tried_each_six_seconds(void **state)
{
	(void)state;
	source_start(source);
	unsigned before = 0;
	for (int i = 0; i < 120; i++) {
		if (waiting(P_LOGIN))
			refuse(P_LOGIN, ERR_RETRY);
		if (i == 60)
			before = fake.logins;
		advance(1000);
	}
	// At most ten a minute, and never more than 6 s apart.
	assert_in_range(fake.logins - before, 8, 10);
}

static void test_token_is_renewed_at_two_thirds(void **state)
{
	(void)state;
	source_start(source);
	grant(P_LOGIN, 60000);
	advance(36000);
	assert_int_equal(waiting(P_RENEW_LOGIN), 0);
	advance(4500);
	grant(P_RENEW_LOGIN, 60000);
	advance(36000);
	assert_int_equal(waiting(P_RENEW_LOGIN), 0);
	advance(4500);
	assert_int_equal(waiting(P_RENEW_LOGIN), 1);
	assert_int_equal(fake.logins, 1);
}

static void test_renewals_that_shrink_lead_to_a_new_login(void **state)
{
	(void)state;
	source_start(source);
	grant(P_LOGIN, 60000);
	advance(41000);
	grant(P_RENEW_LOGIN, 20000); // its maximum is near
	advance(18500);
	assert_int_equal(waiting(P_LOGIN), 1);
	want("a");
	assert_int_equal(waiting(P_FETCH), 1); // the old token serves meanwhile
}

static void test_denied_asks_whether_the_token_lives(void **state)
{
	(void)state;
	struct entry *en = want("a");
	start_logged_in();
	advance(6000);
	refuse(P_FETCH, ERR_DENIED);
	assert_int_equal(fake.checks, 1);
	grant(P_CHECK, 3600000); // it does: the right is missing
	assert_int_equal(fake.logins, 1);
	assert_int_equal(en->error.kind, ERR_DENIED);
}

static void test_revoked_token_is_healed_at_once(void **state)
{
	(void)state;
	struct entry *en = want("a");
	start_logged_in();
	answer("x", "1");
	advance(301000);
	refuse(P_FETCH, ERR_DENIED);
	refuse(P_CHECK, ERR_AUTH);
	assert_int_equal(waiting(P_LOGIN), 1); // no wait
	grant(P_LOGIN, 3600000);
	advance(1100);
	answer("y", "2"); // what was refused is asked again within a second
	assert_int_equal(en->error.kind, ERR_NONE);
	assert_int_equal(en->state, ENTRY_HELD);
}

static void
test_token_that_the_store_calls_invalid_is_replaced_without_asking(void **state)
{
	(void)state;
	want("a");
	start_logged_in();
	advance(1000);
	refuse(P_FETCH, ERR_AUTH);
	assert_int_equal(fake.checks, 0);
	assert_int_equal(waiting(P_LOGIN), 1);
	grant(P_LOGIN, 3600000);
	// A token that is dead on arrival does not make a storm of logins.
	for (int i = 0; i < 20; i++) {
		advance(500);
		if (waiting(P_FETCH))
			refuse(P_FETCH, ERR_AUTH);
		if (waiting(P_LOGIN))
			grant(P_LOGIN, 3600000);
	}
	assert_in_range(fake.logins, 3, 14);
}

static void test_outage_is_one_probe_not_one_for_each_secret(void **state)
{
	char path[16];
	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "p%d", i);
		want(path);
	}
	start_logged_in();
	assert_int_equal(fake.fetches, 20);
	while (waiting(P_FETCH))
		refuse(P_FETCH, ERR_RETRY);
	unsigned before = fake.fetches;
	for (int i = 0; i < 60; i++) {
		advance(1000);
		assert_true(waiting(P_FETCH) <= 1);
		if (waiting(P_FETCH))
			refuse(P_FETCH, ERR_RETRY);
	}
	assert_in_range(fake.fetches - before, 20, 35); // the first ones come quickly
	before = fake.fetches;
	for (int i = 0; i < 60; i++) {
		advance(1000);
		if (waiting(P_FETCH))
			refuse(P_FETCH, ERR_RETRY);
	}
	assert_in_range(fake.fetches - before, 8, 10);
	// It is back: everything follows the probe.
	advance(8000);
	answer("x", "1");
	assert_int_equal(waiting(P_FETCH), 19);
	while (waiting(P_FETCH))
		answer("x", "1");
	assert_int_equal(changes, 20);
	assert_null(source_error(source));
}

static void test_one_engine_that_fails_is_no_outage(void **state)
{
	(void)state;
	want("db");
	struct entry *good = want("kv");
	start_logged_in();
	refuse_with(500);
	answer("x", "1");
	assert_int_equal(good->state, ENTRY_HELD);
	assert_null(source_error(source));
	advance(1100);
	assert_int_equal(waiting(P_FETCH), 1); // by its own back-off
}

static void test_engines_that_fail_are_tried_one_at_a_time(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		char path[16];
		snprintf(path, sizeof(path), "db%d", i);
		want(path);
	}
	start_logged_in();
	for (int i = 0; i < 10; i++)
		refuse_with(500);
	unsigned before = 0;
	for (int i = 0; i < 120; i++) {
		advance(1000);
		assert_true(waiting(P_FETCH) <= 1);
		if (waiting(P_FETCH))
			refuse_with(500);
		if (i == 59)
			before = fake.fetches;
	}
	assert_in_range(fake.fetches - before, 8, 10); // a minute
	advance(7000);
	answer("x", "1"); // one is well: so may be all
	assert_int_equal(waiting(P_FETCH), 9);
}

static void test_the_next_of_those_that_fail_has_its_turn(void **state)
{
	(void)state;
	want("db0"), want("db1"), want("db2");
	start_logged_in();
	for (int i = 0; i < 3; i++)
		refuse_with(500);
	bool again[3] = { false };
	for (int s = 0; s < 60; s++) { // each turns out to be missing
		advance(1000);
		if (!waiting(P_FETCH))
			continue;
		again[fake.pending[0].path[2] - '0'] = true;
		refuse(P_FETCH, ERR_MISSING);
	}
	assert_true(again[0] && again[1] && again[2]);
}

static void test_a_limit_on_one_path_is_no_outage(void **state)
{
	(void)state;
	struct entry *limited = want("limited"), *good = want("good");
	start_logged_in();
	struct pending p = take(P_FETCH);
	answer("x", "1");
	struct err e = ERR_INIT;
	err_set(&e, ERR_RETRY, 429, "too many requests");
	e.retry_ms = 20000;
	p.done(p.ctx, NULL, &e);
	assert_null(source_error(source));
	assert_int_equal(limited->error.kind, ERR_RETRY);
	assert_int_equal(good->state, ENTRY_HELD);
	advance(19000);
	assert_int_equal(waiting(P_FETCH), 0); // as it asked
	advance(1100);
	assert_int_equal(waiting(P_FETCH), 1);
}

static void test_probe_makes_no_credential(void **state)
{
	(void)state;
	want("kv");
	start_logged_in();
	answer("x", "1");
	want("db"); // may make one each time it is asked
	refuse(P_FETCH, ERR_RETRY);
	advance(270000);
	for (int i = 0; i < 40; i++) { // the poll of kv is due
		advance(1000);
		if (waiting(P_FETCH) && i < 35)
			refuse(P_FETCH, ERR_RETRY);
	}
	struct pending p = take(P_FETCH);
	assert_string_equal(p.path, "kv");
	assert_int_equal(waiting(P_FETCH), 0);
}

static void test_leases_that_died_with_the_token_are_fetched_anew(void **state)
{
	(void)state;
	struct entry *en = want("db"), *kv = want("kv");
	int64_t left = -1;
	start_logged_in();
	answer_lease(P_FETCH, 3600000);
	answer("x", "1");
	assert_false(source_token_replaced(source, &left));
	advance(10000);
	lose_login(); // what the store refuses leads to another login
	assert_true(source_token_replaced(source, &left));
	assert_int_equal(left, 0);
	assert_false(source_token_replaced(source, &left)); // told once
	unsigned before = fake.fetches;
	entry_token_replaced(en, 0);
	entry_token_replaced(kv, 0);
	assert_int_equal(fake.fetches, before + 1);
	while (waiting(P_FETCH) > 1)
		take(P_FETCH); // "refused" is asked again, too
	assert_string_equal(take(P_FETCH).path, "db");
}

// A store whose leases die at once, or whose answers get lost: no storm of credentials.
static void test_credentials_do_not_pile_up(void **state)
{
	(void)state;
	want("db");
	start_logged_in();
	answer_lease(P_FETCH, 60000);
	unsigned before = fake.fetches;
	for (int i = 0; i < 600; i++) { // a minute
		if (waiting(P_RENEW))
			refuse(P_RENEW, ERR_MISSING);
		if (waiting(P_FETCH))
			answer_lease(P_FETCH, 60000);
		advance(100);
	}
	assert_int_not_equal(fake.fetches, before);
	assert_true(fake.fetches - before <= 2 + 3);
}

static void test_probe_asks_for_the_token_before_a_credential(void **state)
{
	(void)state;
	struct entry *en = want("db");
	start_logged_in();
	answer_lease(P_FETCH, 60000);
	entry_token_replaced(en, 0); // it has ended
	refuse(P_FETCH, ERR_RETRY);
	unsigned before = fake.fetches;
	for (int i = 0; i < 300; i++) {
		if (waiting(P_CHECK))
			refuse(P_CHECK, ERR_RETRY);
		advance(100);
	}
	assert_int_equal(fake.fetches, before);
	while (!waiting(P_CHECK))
		advance(100);
	grant(P_CHECK, 3600000);
	assert_int_equal(waiting(P_FETCH), 1);
}

// The old token lives for a while: so do its leases, and no renewal prolongs them.
static void test_leases_of_a_replaced_token_are_fetched_before_it_ends(void **state)
{
	(void)state;
	struct entry *en = want("db");
	start_logged_in();
	answer_lease(P_FETCH, 3600000);
	entry_token_replaced(en, INT64_MAX);
	assert_int_equal(en->until_ms, clock_mono_ms() + 3600000);
	entry_token_replaced(en, 600000);
	assert_int_equal(en->until_ms, clock_mono_ms() + 600000);
	advance(300000);
	assert_int_equal(waiting(P_FETCH) + waiting(P_RENEW), 0);
	advance(290000);
	assert_int_equal(waiting(P_FETCH), 1);
	answer_lease(P_FETCH,
		     3600000); // got with the new token: not bound to the old one
	assert_int_equal(en->until_ms, clock_mono_ms() + 3600000);
}

static void test_outage_keeps_what_is_held(void **state)
{
	(void)state;
	struct entry *en = want("a");
	start_logged_in();
	answer("x", "1");
	advance(301000);
	refuse(P_FETCH, ERR_RETRY);
	assert_int_equal(en->state, ENTRY_HELD);
	assert_non_null(en->body);
	assert_int_equal(changes, 1);
}

static void test_one_wrong_path_delays_no_other(void **state)
{
	(void)state;
	struct entry *bad = want("bad"), *good = want("good");
	start_logged_in();
	refuse(P_FETCH, ERR_MISSING);
	answer("x", "1");
	assert_int_equal(bad->error.kind, ERR_MISSING);
	assert_int_equal(good->state, ENTRY_HELD);
	advance(1000);
	assert_int_equal(waiting(P_FETCH), 1); // tried again by itself
}

static void gone_answer(void)
{
	struct pending p = take(P_FETCH);
	struct err e = ERR_INIT;
	err_set(&e, ERR_MISSING, STORE_GONE, "deleted");
	p.done(p.ctx, NULL, &e);
}

static void test_gone_needs_a_second_look(void **state)
{
	(void)state;
	struct entry *en = want("a");
	start_logged_in();
	answer("x", "1");
	advance(301000);
	gone_answer();
	assert_int_equal(en->state, ENTRY_HELD);
	advance(1100);
	answer("x", "1"); // a mistake of the store
	assert_int_equal(en->state, ENTRY_HELD);
	advance(301000);
	gone_answer();
	advance(1100);
	gone_answer();
	assert_int_equal(en->state, ENTRY_GONE);
	assert_int_equal(changes, 2);
}

static void test_lease_is_renewed_and_not_minted_anew(void **state)
{
	(void)state;
	struct entry *en = want("db");
	start_logged_in();
	answer_lease(P_FETCH, 60000);
	advance(41000);
	assert_int_equal(fake.renewals, 1);
	answer_lease(P_RENEW, 60000);
	assert_int_equal(changes, 1);
	advance(41000);
	// From now on renewals fail: its end is awaited, and then one credential is minted.
	for (int i = 0; i < 120 && fake.fetches == 1; i++) {
		if (waiting(P_RENEW))
			refuse(P_RENEW, ERR_RETRY);
		advance(500);
	}
	assert_in_range(fake.renewals, 3, 16); // quickly at first
	assert_int_equal(waiting(P_FETCH), 1);
	assert_int_equal(fake.fetches, 2);
	assert_true(clock_mono_ms() >= en->until_ms - 1500); // not before it must
}

static void test_a_renewal_stays_one_although_the_token_was_replaced(void **state)
{
	(void)state;
	struct entry *en = want("db");
	start_logged_in();
	answer_lease(P_FETCH, 60000);
	json_t *held = en->body;
	advance(41000);
	assert_int_equal(waiting(P_RENEW), 1);
	entry_token_replaced(en, 1000000); // while the answer is on its way
	entry_token_replaced(en, 15000);
	answer_lease(P_RENEW, 60000);
	assert_ptr_equal(en->body, held);
	assert_int_equal(changes, 1);
	assert_true(en->until_ms <= clock_mono_ms() + 15000);
}

static void mark_true(void *ctx)
{
	*(bool *)ctx = true;
}

static void test_end_revokes_leases_and_token(void **state)
{
	static bool ended;
	(void)state;
	want("db");
	start_logged_in();
	answer_lease(P_FETCH, 60000);
	ended = false;
	source_end(source, cache, true, mark_true, &ended);
	assert_true(ended);
	assert_int_equal(fake.revocations, 1);
	assert_int_equal(fake.logouts, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(test_fetch_waits_for_login_and_happens_once),
		T(test_poll_that_changes_nothing_tells_nobody),
		T(test_own_interval_wins),
		T(test_failed_login_backs_off_and_recovers),
		T(test_unreachable_store_is_tried_each_six_seconds),
		T(test_token_is_renewed_at_two_thirds),
		T(test_renewals_that_shrink_lead_to_a_new_login),
		T(test_denied_asks_whether_the_token_lives),
		T(test_revoked_token_is_healed_at_once),
		T(test_token_that_the_store_calls_invalid_is_replaced_without_asking),
		T(test_outage_is_one_probe_not_one_for_each_secret),
		T(test_one_engine_that_fails_is_no_outage),
		T(test_engines_that_fail_are_tried_one_at_a_time),
		T(test_the_next_of_those_that_fail_has_its_turn),
		T(test_a_limit_on_one_path_is_no_outage),
		T(test_probe_makes_no_credential),
		T(test_leases_that_died_with_the_token_are_fetched_anew),
		T(test_credentials_do_not_pile_up),
		T(test_probe_asks_for_the_token_before_a_credential),
		T(test_leases_of_a_replaced_token_are_fetched_before_it_ends),
		T(test_outage_keeps_what_is_held),
		T(test_one_wrong_path_delays_no_other),
		T(test_gone_needs_a_second_look),
		T(test_lease_is_renewed_and_not_minted_anew),
		T(test_a_renewal_stays_one_although_the_token_was_replaced),
		T(test_end_revokes_leases_and_token),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
