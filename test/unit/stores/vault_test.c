// SPDX-License-Identifier: Apache-2.0
// The vault store over a scripted HTTP client (linked in place of lib/http): the order of
// requests, one question for all, doubts about mounts, the end from within a callback. What
// real servers answer is in test/system/.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"
#include "lib/http/client.h"
#include "stores/store.h"
#include "test/support/clock_fake.h"
#include "test/support/expect.h"

// --- the scripted client ------------------------------------------------------------------

enum { CALLS_MAX = 32 };

struct http_call {
	char *line;  // "GET kv/data/app"
	char *token; // X-Vault-Token, or NULL
	char *body;
	http_done_fn *done;
	void *ctx;
	bool open;
};

static struct http_call calls[CALLS_MAX];
static size_t n_calls, n_clients, n_cancelled;
static bool refuse_to_send;

struct http_client {
	char unused;
};

bool http_client_new(struct loop *l, const struct http_client_opts *opts,
		     struct http_client **ret, struct err *e)
{
	(void)l;
	(void)opts;
	(void)e;
	n_clients++;
	*ret = mem_alloc(sizeof(**ret));
	return true;
}

void http_client_free(struct http_client *c)
{
	if (c)
		n_clients--;
	mem_free(c);
}

void http_client_drop_idle(struct http_client *c)
{
	(void)c;
}

bool http_send(struct http_client *c, const struct http_request *req, http_done_fn *done,
	       void *ctx, struct http_call **ret_call, struct err *e)
{
	(void)c;
	if (refuse_to_send)
		return err_set(e, ERR_LIMIT, 0, "refused");
	assert_true(n_calls < CALLS_MAX);
	struct http_call *call = &calls[n_calls++];
	const char *path = strstr(req->url, "/v1/");
	assert_non_null(path);
	call->line = mem_printf("%s %s", req->method, path + 4);
	call->body = req->body ? mem_strndup(req->body, req->body_len) : NULL;
	call->token = NULL;
	for (size_t i = 0; i < req->n_headers; i++)
		if (strcmp(req->headers[i].name, "X-Vault-Token") == 0)
			call->token = mem_strdup(req->headers[i].value);
	call->done = done;
	call->ctx = ctx;
	call->open = true;
	if (ret_call)
		*ret_call = call;
	return true;
}

void http_cancel(struct http_call *call)
{
	assert_true(call->open);
	call->open = false;
	n_cancelled++;
}

const char *http_response_header(const struct http_response *r, const char *name)
{
	(void)r;
	(void)name;
	return NULL;
}

const char *http_version(void)
{
	return "scripted";
}

// Answers the first open call, which must be this one.
static void answer(const char *line, int status, const char *body)
{
	size_t i = 0;
	while (i < n_calls && !calls[i].open)
		i++;
	if (i == n_calls)
		fail_msg("nothing is asked; wanted: %s", line);
	assert_string_equal(calls[i].line, line);
	AUTO_BUF struct buf b = BUF_INIT(100000);
	buf_puts(&b, body);
	struct http_response r = { .status = status, .body = &b, .content_type = "" };
	calls[i].open = false;
	calls[i].done(calls[i].ctx, &r, NULL);
}

static void nothing_is_asked(void)
{
	for (size_t i = 0; i < n_calls; i++)
		if (calls[i].open)
			fail_msg("asked: %s", calls[i].line);
}

static void forget_calls(void)
{
	for (size_t i = 0; i < n_calls; i++) {
		mem_free(calls[i].line);
		mem_free(calls[i].token);
		mem_free(calls[i].body);
	}
	n_calls = 0;
}

// --- the store under test -----------------------------------------------------------------

#define MOUNT "GET sys/internal/ui/mounts/kv/app"
#define IS_KV2                                                                           \
	"{\"data\":{\"path\":\"kv/\",\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}"
#define IS_KV1                                                                           \
	"{\"data\":{\"path\":\"kv/\",\"type\":\"kv\",\"options\":{\"version\":\"1\"}}}"
#define KV2                                                                              \
	"{\"data\":{\"data\":{\"a\":\"b\"},\"metadata\":{\"version\":3,\"destroyed\":"   \
	"false}}}"

struct seen {
	unsigned n;
	enum err_kind kind;
	int cause;
	char version[32];
};

static struct {
	struct loop *loop;
	struct conf_store conf;
	const struct store_ops *ops;
	struct store *store;
	char token_file[128];
	bool close_in_callback;
} f;

static void close_store(void)
{
	if (f.store)
		f.ops->close(TAKE(f.store));
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct seen *s = ctx;
	s->n++;
	s->kind = e ? e->kind : ERR_NONE;
	s->cause = e ? e->cause : 0;
	snprintf(s->version, sizeof(s->version), "%s", a ? a->version : "");
	if (f.close_in_callback)
		close_store();
}

static void on_login(void *ctx, const struct store_token *t, const struct err *e)
{
	struct seen *s = ctx;
	(void)t;
	s->n++;
	s->kind = e ? e->kind : ERR_NONE;
	if (f.close_in_callback)
		close_store();
}

static void turn(void)
{
	EXPECT_OK(loop_once(f.loop, 0, &err));
}

static void get(const char *path, struct seen *s)
{
	unsigned before = s->n;
	f.ops->fetch(f.store, &(struct store_ask){ .verb = STORE_READ, .path = path },
		     on_answer, s);
	assert_int_equal(s->n, before);
}

static void log_in(void)
{
	struct seen s = { .n = 0 };
	f.ops->login(f.store, on_login, &s);
	answer("GET auth/token/lookup-self", 200,
	       "{\"data\":{\"ttl\":60,\"renewable\":true}}");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.kind, ERR_NONE);
}

static int setup(void **state UNUSED)
{
	const char *tmp = getenv("TMPDIR");
	memset(&f, 0, sizeof(f));
	refuse_to_send = false;
	n_cancelled = 0;
	clock_fake_set(1000, 1795237329000);
	snprintf(f.token_file, sizeof(f.token_file), "%.90s/vault-test-token",
		 tmp ? tmp : "/tmp");
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	if (!file_replace(f.token_file, "t.1", 3, attr, &err) || !loop_new(&f.loop, &err))
		return -1;
	f.conf.auth.method = "token_file";
	f.conf.auth.config = json_pack("{s:s}", "token_file_path", f.token_file);
	f.ops = store_find("vault");
	struct store_env env = { .loop = f.loop, .conf = &f.conf };
	return f.ops->open(&env, &f.store, &err) ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
	close_store();
	loop_free(f.loop);
	json_decref(f.conf.auth.config);
	unlink(f.token_file);
	forget_calls();
	clock_fake_release();
	return n_clients ? -1 : 0;
}

// --- tests --------------------------------------------------------------------------------

static void a_read_asks_for_the_mount_once(void **state UNUSED)
{
	struct seen a = { .n = 0 }, b = a, c = a;
	log_in();
	get("kv/app", &a);
	get("kv/other", &b);
	answer(MOUNT, 200, IS_KV2);
	answer("GET kv/data/app", 200, KV2);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.version, "3");
	answer("GET kv/data/other", 404, "{\"errors\":[]}");
	assert_int_equal(b.kind, ERR_MISSING);
	get("kv/app?version=2", &c);
	answer("GET kv/data/app?version=2", 200, KV2);
	assert_int_equal(c.n, 1);
	nothing_is_asked();
	for (size_t i = 0; i < n_calls; i++)
		assert_string_equal(calls[i].token, "t.1");
}

static void other_mounts_are_asked_for_at_the_same_time(void **state UNUSED)
{
	struct seen a = { .n = 0 }, b = a;
	log_in();
	get("kv/app", &a);
	get("pki/cert/ca", &b);
	answer(MOUNT, 200, IS_KV1);
	answer("GET sys/internal/ui/mounts/pki/cert/ca", 200,
	       "{\"data\":{\"path\":\"pki/\",\"type\":\"pki\"}}");
	answer("GET kv/app", 200, "{\"data\":{}}");
	answer("GET pki/cert/ca", 200, "{\"data\":{}}");
	assert_int_equal(a.n + b.n, 2);
}

static void a_failed_question_fails_all_once(void **state UNUSED)
{
	struct seen a = { .n = 0 }, b = a;
	log_in();
	get("kv/app", &a);
	get("kv/b", &b);
	answer(MOUNT, 503, "{\"errors\":[\"Vault is sealed\"]}");
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 0); // from the loop
	turn();
	assert_int_equal(b.n, 1);
	assert_int_equal(b.kind, ERR_RETRY);
	assert_int_equal(b.cause, 503);
	nothing_is_asked();
}

static void a_mount_is_doubted_after_a_404(void **state UNUSED)
{
	struct seen a = { .n = 0 };
	log_in();
	get("kv/app", &a);
	answer(MOUNT, 200, IS_KV2);
	answer("GET kv/data/app", 404, "{\"errors\":[]}");
	get("kv/app", &a);
	answer("GET kv/data/app", 404, "{\"errors\":[]}"); // asked a moment ago
	clock_fake_advance(60 * 1000);
	get("kv/app", &a);
	answer("GET kv/data/app", 404, "{\"errors\":[]}");
	get("kv/app", &a);
	answer(MOUNT, 200, IS_KV1);
	answer("GET kv/app", 200, "{\"data\":{\"a\":\"b\"}}");
	assert_int_equal(a.n, 4);
	assert_int_equal(a.kind, ERR_NONE);
}

static void a_mount_that_became_version_2(void **state UNUSED)
{
	static const char warning[] = "{\"data\":null,\"warnings\":[\"Invalid path for a "
				      "versioned K/V secrets engine\"]}";
	struct seen a = { .n = 0 };
	log_in();
	get("kv/app", &a);
	answer(MOUNT, 200, IS_KV1);
	answer("GET kv/app", 404, warning);
	answer(MOUNT, 200, IS_KV2);
	answer("GET kv/data/app", 200, KV2);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.version, "3");
	// A server that says so for ever is asked twice, not for ever.
	get("kv/app", &a);
	answer("GET kv/data/app", 404, warning);
	answer(MOUNT, 200, IS_KV2);
	answer("GET kv/data/app", 404, warning);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.kind, ERR_MISSING);
	nothing_is_asked();
}

static void closing_drops_what_is_under_way(void **state UNUSED)
{
	struct seen a = { .n = 0 };
	log_in();
	get("kv/app", &a);
	get("kv/waits", &a);
	get("kv/..", &a); // fails later
	f.ops->login(f.store, on_login, &a);
	f.ops->check_login(f.store, on_login, &a);
	close_store();
	turn();
	assert_int_equal(a.n, 0);
	assert_int_equal(n_cancelled, 3);
}

static void closing_from_a_callback(void **state UNUSED)
{
	struct seen a = { .n = 0 };
	log_in();
	get("kv/app", &a);
	get("kv/waits", &a);
	get("kv/waits-too", &a);
	f.close_in_callback = true;
	answer(MOUNT, 500, "{\"errors\":[]}"); // fails for three
	turn();
	assert_int_equal(a.n, 1);
	assert_null(f.store);
}

static void closing_from_a_later_callback(void **state UNUSED)
{
	struct seen a = { .n = 0 };
	f.close_in_callback = true;
	get("kv/app", &a); // not logged in
	get("kv/..", &a);
	turn();
	assert_int_equal(a.n, 1);
	assert_null(f.store);
}

static void closing_from_a_login(void **state UNUSED)
{
	struct seen a = { .n = 0 };
	f.close_in_callback = true;
	f.ops->login(f.store, on_login, &a);
	answer("GET auth/token/lookup-self", 403, "{\"errors\":[\"permission denied\"]}");
	assert_int_equal(a.n, 1);
	assert_int_equal(a.kind, ERR_AUTH);
}

static void requests_that_cannot_start(void **state UNUSED)
{
	struct seen a = { .n = 0 };
	log_in();
	refuse_to_send = true;
	get("kv/app", &a);
	f.ops->login(f.store, on_login, &a);
	f.ops->renew_login(f.store, on_login, &a);
	f.ops->revoke(f.store, "lease", on_answer, &a);
	assert_int_equal(a.n, 0);
	turn();
	assert_int_equal(a.n, 4);
	assert_int_equal(a.kind, ERR_LIMIT);
}

static void the_token_file_is_read_at_each_login(void **state UNUSED)
{
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	log_in();
	EXPECT_OK(file_replace(f.token_file, "t.2\n", 4, attr, &err));
	log_in();
	assert_string_equal(calls[0].token, "t.1");
	assert_string_equal(calls[1].token, "t.2");
	assert_string_equal(secret_bytes(f.ops->token(f.store)), "t.2");
	f.ops->logout(f.store, NULL, NULL);
	assert_null(f.ops->token(f.store));
	turn();
	nothing_is_asked(); // it is not ours to revoke
}

static void renewal_keeps_the_token(void **state UNUSED)
{
	struct seen a = { .n = 0 };
	log_in();
	f.ops->renew_login(f.store, on_login, &a);
	answer("PUT auth/token/renew-self", 200,
	       "{\"auth\":{\"client_token\":\"t.1\",\"lease_duration\":120,\"renewable\":"
	       "true}}");
	assert_int_equal(a.n, 1);
	assert_string_equal(secret_bytes(f.ops->token(f.store)), "t.1");
	f.ops->renew_login(f.store, on_login, &a);
	answer("PUT auth/token/renew-self", 200, "{\"auth\":null}");
	assert_int_equal(a.kind, ERR_RETRY);
	assert_string_equal(secret_bytes(f.ops->token(f.store)), "t.1");
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_read_asks_for_the_mount_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			other_mounts_are_asked_for_at_the_same_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_question_fails_all_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_mount_is_doubted_after_a_404, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_mount_that_became_version_2, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closing_drops_what_is_under_way, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closing_from_a_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(closing_from_a_later_callback, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closing_from_a_login, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_that_cannot_start, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_token_file_is_read_at_each_login,
						setup, teardown),
		cmocka_unit_test_setup_teardown(renewal_keeps_the_token, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
