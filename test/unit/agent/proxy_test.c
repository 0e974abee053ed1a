// SPDX-License-Identifier: Apache-2.0
// What travels through the proxy, whose token goes along, and what is kept for how long.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/proxy_cache.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"

#define HEAD "GET /v1/db/creds/app?x=1 HTTP/1.1\r\nHost: a\r\n"
#define LEASE "{\"lease_id\":\"db/creds/app/1\",\"lease_duration\":60,\"renewable\":true}"

static struct secret *own;

static void make(const char *head, const char *body, const struct proxy_rule *rule,
		 struct proxy_request *ret)
{
	struct http_incoming in = { .body = body, .body_len = strlen(body) };
	const char *reason = NULL;
	assert_int_equal(http_head_parse(head, strlen(head), &in.head, &reason), 0);
	assert_true(proxy_request_make(&in, rule, ret, NULL));
}

static const char *header(const struct proxy_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

static void the_rule_says_whose_token_goes(void **state)
{
	(void)state;
	static const struct {
		enum proxy_token use;
		const char *theirs;
		bool have;
		const char *goes; // NULL: none
	} cases[] = {
		{ PROXY_TOKEN_CLIENT, "X-Vault-Token: t\r\n", true, "t" },
		{ PROXY_TOKEN_CLIENT, "", true, NULL },
		{ PROXY_TOKEN_AUTO, "X-Vault-Token: t\r\n", true, "t" },
		{ PROXY_TOKEN_AUTO, "", true, "own" },
		{ PROXY_TOKEN_AUTO, "Authorization: Bearer t\r\n", true, NULL },
		{ PROXY_TOKEN_AUTO, "", false, NULL },
		{ PROXY_TOKEN_FORCE, "X-Vault-Token: t\r\n", true, "own" },
		{ PROXY_TOKEN_FORCE, "Authorization: Bearer t\r\n", true, "own" },
		{ PROXY_TOKEN_FORCE, "X-Vault-Token: t\r\n", false, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct proxy_rule rule = { .use = cases[i].use,
						 .token = cases[i].have ? own : NULL,
						 .base = "http://s" };
		AUTO_FREE char *head = mem_printf("%s%s\r\n", HEAD, cases[i].theirs);
		struct proxy_request r;
		make(head, "", &rule, &r);
		const char *goes = header(&r, "X-Vault-Token");
		assert_true(goes == cases[i].goes || strcmp(goes, cases[i].goes) == 0);
		assert_int_equal(r.own_token, goes && strcmp(goes, "own") == 0);
		assert_true(cases[i].use != PROXY_TOKEN_FORCE ||
			    !header(&r, "Authorization"));
		proxy_request_release(&r);
	}
}

static void the_connections_headers_stay(void **state)
{
	(void)state;
	const struct proxy_rule rule = { .base = "https://s:8200", .namespace_ = "team" };
	struct proxy_request r;
	make(HEAD "Connection: close\r\nAccept-Encoding: gzip\r\nX-Other: kept\r\n"
		  "Content-Length: 4\r\n\r\n",
	     "body", &rule, &r);
	assert_string_equal(r.url, "https://s:8200/v1/db/creds/app?x=1");
	assert_string_equal(r.path, "/v1/db/creds/app");
	assert_int_equal(r.n_headers, 2);
	assert_string_equal(header(&r, "X-Other"), "kept");
	assert_string_equal(header(&r, "X-Vault-Namespace"), "team");
	proxy_request_release(&r);
}

static void the_key_knows_what_decides(void **state)
{
	(void)state;
	const struct proxy_rule rule = { .use = PROXY_TOKEN_AUTO,
					 .token = own,
					 .base = "http://s" };
	static const struct {
		const char *head, *body;
	} other[] = {
		{ "GET /v1/db/creds/app?x=2 HTTP/1.1\r\nHost: a\r\n\r\n", "" },
		{ "PUT /v1/db/creds/app?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", "" },
		{ HEAD "\r\n", "a" },
		{ HEAD "X-Vault-Namespace: n\r\n\r\n", "" },
		{ HEAD "X-Vault-Wrap-TTL: 60\r\n\r\n", "" },
		{ HEAD "X-Vault-Token: t\r\n\r\n", "" },
	};
	struct proxy_request a, b;
	make(HEAD "\r\n", "", &rule, &a);
	make(HEAD "User-Agent: x\r\n\r\n", "", &rule, &b);
	assert_memory_equal(a.key, b.key, PROXY_KEY_LEN);
	proxy_request_release(&b);
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		make(other[i].head, other[i].body, &rule, &b);
		assert_memory_not_equal(a.key, b.key, PROXY_KEY_LEN);
		proxy_request_release(&b);
	}
	proxy_request_release(&a);
}

static struct proxy_kept *keep(struct proxy_cache *c, const char *answer)
{
	const struct proxy_rule rule = { .base = "http://s" };
	struct proxy_request r;
	AUTO_BUF struct buf body = BUF_INIT(4096);
	buf_puts(&body, answer);
	make(HEAD "\r\n", answer, &rule, &r);
	struct proxy_kept *k = proxy_cache_put(c, &r, "application/json", &body);
	assert_ptr_equal(proxy_cache_get(c, r.key), k);
	proxy_request_release(&r);
	return k;
}

static void only_renewable_leases_are_kept(void **state)
{
	(void)state;
	static const char *const passed_on[] = {
		"",
		"[]",
		"{",
		"{\"lease_id\":\"\",\"lease_duration\":60,\"renewable\":true}",
		"{\"lease_id\":\"a\",\"lease_duration\":0,\"renewable\":true}",
		"{\"lease_id\":\"a\",\"lease_duration\":-1,\"renewable\":true}",
		"{\"lease_id\":\"a\",\"lease_duration\":9e18,\"renewable\":true}",
		"{\"lease_id\":\"a\",\"lease_duration\":60,\"renewable\":false}",
		"{\"lease_id\":7,\"lease_duration\":60,\"renewable\":true}",
	};
	struct proxy_cache c = { .n = 0 };
	for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
		assert_null(keep(&c, passed_on[i]));
	struct proxy_kept *k = keep(&c, LEASE);
	assert_int_equal(k->lease_ms, 60000);
	assert_string_equal(k->path, "/v1/db/creds/app");
	proxy_cache_drop_all(&c);
}

static struct str text(const char *s)
{
	return str_of(s);
}

static void what_ends_leases_ends_them_here(void **state)
{
	(void)state;
	static const struct {
		const char *path, *body;
		bool ends;
	} cases[] = {
		{ "/v1/sys/leases/revoke", "{\"lease_id\":\"db/creds/app/1\"}", true },
		{ "/v1/sys/leases/revoke", "{\"lease_id\":\"db/creds/app/2\"}", false },
		{ "/v1/sys/leases/revoke/db/creds/app/1", "", true },
		{ "/v1/sys/leases/revoke-prefix/db/creds", "", true },
		{ "/v1/sys/leases/revoke-force/db", "", true },
		{ "/v1/sys/leases/revoke-prefix/pki", "", false },
		{ "/v1/auth/token/revoke-self", "", true },
		{ "/v1/kv/data/app", "{\"lease_id\":\"db/creds/app/1\"}", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct proxy_cache c = { .n = 0 };
		keep(&c, LEASE);
		proxy_cache_after(&c, cases[i].path, text(cases[i].body));
		assert_int_equal(c.n, cases[i].ends ? 0 : 1);
		proxy_cache_drop_all(&c);
	}
}

static void orders_are_obeyed(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		bool good;
		size_t left;
	} cases[] = {
		{ "{\"type\":\"all\"}", true, 0 },
		{ "{\"type\":\"request_path\",\"value\":\"/v1/db\"}", true, 0 },
		{ "{\"type\":\"request_path\",\"value\":\"/v1/kv\"}", true, 1 },
		{ "{\"type\":\"lease\",\"value\":\"db/creds/app/1\"}", true, 0 },
		{ "{\"type\":\"token\",\"value\":\"own\"}", true, 0 },
		{ "{\"type\":\"token\",\"value\":\"other\"}", true, 1 },
		{ "{\"type\":\"request_path\"}", false, 1 },
		{ "{\"type\":\"else\",\"value\":\"x\"}", false, 1 },
		{ "{}", false, 1 },
		{ "", false, 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct proxy_cache c = { .n = 0 };
		struct err e = ERR_INIT;
		keep(&c, LEASE);
		assert_int_equal(proxy_cache_order(&c, text(cases[i].body), own, &e),
				 cases[i].good);
		assert_int_equal(c.n, cases[i].left);
		proxy_cache_drop_all(&c);
	}
}

static void no_answer_shows_the_agents_token(void **state)
{
	(void)state;
	AUTO_BUF struct buf in = BUF_INIT(4096), out = BUF_INIT(4096);
	buf_puts(&in, "{\"data\":{\"id\":\"own\",\"ttl\":3.50},"
		      "\"auth\":{\"client_token\":\"own\"}}");
	assert_true(proxy_hide_token(own, &in, &out));
	assert_null(strstr(buf_str(&out), "own"));
	assert_non_null(strstr(buf_str(&out), "3.50"));
	buf_reset(&out);
	AUTO_SECRET struct secret *other = secret_from_str("another");
	assert_false(proxy_hide_token(other, &in, &out));
	assert_int_equal(out.len, 0);
	AUTO_SECRET struct secret *real = secret_from_str("s.0123456789abcdef");
	assert_false(proxy_shows_token(real, &in));
	buf_puts(&in, "{\"x\":\"s.0123456789abcdef\"}");
	assert_true(proxy_shows_token(real, &in));
}

static void policies_say_what_passes(void **state)
{
	(void)state;
	static const char *const deny[] = { "kv/data/pay/**", NULL };
	static const char *const except[] = { "kv/data/pay/own", NULL };
	static const char *const allow[] = { "vault:kv/**", NULL };
	static const struct {
		const char *target, *headers;
		bool passes;
	} cases[] = {
		{ "/v1/kv/data/app", "", true },
		{ "/v1/kv/data/app?version=2", "", true },
		{ "/v1/kv/data/pay/own", "", true },
		{ "/v1/kv/data/app", "X-Vault-Namespace: team\r\n", true },
		{ "/v1/kv/data/pay/db", "", false },
		{ "/v1/kv/metadata/pay/db?list=true", "", false },
		{ "/v1/kv/data/p%61y/db", "", false },
		{ "/v1/kv%2fdata/pay/db", "", false },
		{ "/v1/kv/data/app/../pay/db", "", false },
		{ "/v1//kv/data/pay/db", "", false },
		{ "//v1/kv/data/app", "", false },
		{ "/v1/database/creds/app", "", false },
		{ "/ui/kv/data/app", "", false },
		{ "/v1/kv/data/app", "X-Vault-Namespace: other\r\n", false },
		{ "/v1/kv/data/app", "X-Vault-Namespace:\r\n", false },
	};
	struct conf_restrict rules[] = {
		{ .name = "pay", .deny_paths = deny, .except_paths = except },
		{ .name = "kv", .allow_paths = allow },
	};
	const struct conf_store store = { .name = "vault", .namespace_ = "team" };
	const struct conf free_ = { .n_restricts = 0 };
	const struct conf bound = { .restricts = rules, .n_restricts = ARRAY_LEN(rules) };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *head = mem_printf("GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n",
						  cases[i].target, cases[i].headers);
		struct http_incoming in = { .body = "" };
		const char *reason = NULL;
		assert_int_equal(http_head_parse(head, strlen(head), &in.head, &reason),
				 0);
		assert_true(proxy_request_allowed(&free_, &store, &in, NULL));
		if (proxy_request_allowed(&bound, &store, &in, NULL) != cases[i].passes)
			fail_msg("%s %s", cases[i].target, cases[i].headers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_says_whose_token_goes),
		cmocka_unit_test(the_connections_headers_stay),
		cmocka_unit_test(the_key_knows_what_decides),
		cmocka_unit_test(only_renewable_leases_are_kept),
		cmocka_unit_test(what_ends_leases_ends_them_here),
		cmocka_unit_test(orders_are_obeyed),
		cmocka_unit_test(no_answer_shows_the_agents_token),
		cmocka_unit_test(policies_say_what_passes),
	};
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	own = secret_from_str("own");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	secret_free(own);
	return failed;
}
