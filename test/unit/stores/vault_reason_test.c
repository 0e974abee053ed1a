// SPDX-License-Identifier: Apache-2.0
// Refusals: the kind that decides what happens next, the line that a person reads, and what
// of the server's words must never be in it. The texts are those of OpenBao 2.7 and Vault.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/store.h"
#include "stores/vault_reason.h"
#include "stores/vault_said.h"
#include "test/support/expect.h"

#define ERRORS(text) "{\"errors\":[\"" text "\"]}"
#define POLICY ERRORS("1 error occurred:\\n\\t* permission denied\\n\\n")

static const struct {
	enum vault_act act;
	int status;
	const char *path, *body;
	enum err_kind kind;
	int cause;
	const char *says;
} cases[] = {
	// rights
	{ VAULT_READ, 403, "kv/data/app", POLICY, ERR_DENIED, 403,
	  "path \"kv/data/app\" { capabilities = [\"read\"] }" },
	{ VAULT_LIST, 403, "kv/metadata/x", POLICY, ERR_DENIED, 403,
	  "path \"kv/metadata/x\" { capabilities = [\"list\"] }" },
	{ VAULT_WRITE, 403, "pki/issue/web", POLICY, ERR_DENIED, 403,
	  "path \"pki/issue/web\" { capabilities = [\"update\"] }" },
	{ VAULT_LEASE, 403, "sys/leases/renew", POLICY, ERR_DENIED, 403,
	  "sys/leases/renew" },
	{ VAULT_READ, 403, "kv/data/app", ERRORS("permission denied"), ERR_AUTH, 403,
	  "no longer valid" },
	{ VAULT_READ, 403, "kv/data/app",
	  ERRORS("2 errors occurred:\\n\\t* permission denied\\n\\t* invalid "
		 "token\\n\\n"),
	  ERR_AUTH, 403, "no longer valid" },
	{ VAULT_TOKEN, 403, "auth/token/lookup-self", ERRORS("permission denied"),
	  ERR_AUTH, 403, "revoked" },
	{ VAULT_TOKEN, 403, "auth/token/lookup-self", POLICY, ERR_DENIED, 403, "policy" },
	{ VAULT_TOKEN, 400, "auth/token/renew-self", ERRORS("lease is not renewable"),
	  ERR_AUTH, 400, "not renewable" },
	// absent
	{ VAULT_READ, 404, "kv/data/x", "{\"errors\":[]}", ERR_MISSING, 404,
	  "there is no" },
	{ VAULT_READ, 404, "no/x", ERRORS("no handler for route \\\"no/x\\\"."),
	  ERR_MISSING, 404, "nothing is mounted" },
	{ VAULT_READ, 404, "kv/data/x", "<html>not found</html>", ERR_RETRY, 404,
	  "proxy" },
	{ VAULT_READ, 404, "kv/data/x", "", ERR_RETRY, 404, "proxy" },
	{ VAULT_READ, 403, "kv/data/x", "denied by SECRET", ERR_RETRY, 403,
	  "not by Vault" },
	{ VAULT_LOGIN, 400, "auth/jwt/login", "Client sent an HTTP request", ERR_RETRY,
	  400, "http:// in place of" },
	{ VAULT_TOKEN, 401, "auth/token/lookup-self", "", ERR_RETRY, 401,
	  "not by Vault" },
	// wrong requests
	{ VAULT_READ, 400, "database/creds/x", ERRORS("unknown role: x"), ERR_DENIED, 400,
	  "no such role" },
	{ VAULT_READ, 400, "kv/x", ERRORS("SECRET"), ERR_DENIED, 400,
	  "refuses this request" },
	{ VAULT_WRITE, 400, "pki/issue/x",
	  ERRORS("cannot satisfy request, as TTL would result in notAfter of SECRET that "
		 "is "
		 "beyond the expiration of the CA certificate at SECRET"),
	  ERR_DENIED, 400, "outlive its authority" },
	{ VAULT_WRITE, 400, "pki/issue/x",
	  ERRORS("common name SECRET not allowed by this role"), ERR_DENIED, 400,
	  "does not allow one of the names" },
	{ VAULT_WRITE, 400, "pki/issue/x",
	  ERRORS("the common_name field is required, or must be provided"), ERR_DENIED,
	  400, "common_name is missing" },
	{ VAULT_READ, 405, "pki/issue/x", ERRORS("unsupported operation"), ERR_DENIED,
	  405, "give parameters" },
	{ VAULT_WRITE, 413, "kv/x", "{}", ERR_LIMIT, 413, "too large" },
	{ VAULT_LEASE, 400, "sys/leases/renew", ERRORS("lease not found"), ERR_MISSING,
	  STORE_GONE, "lease is gone" },
	{ VAULT_LEASE, 400, "sys/leases/renew", ERRORS("lease is not renewable"),
	  ERR_DENIED, 400, "cannot be renewed" },
	{ VAULT_UNWRAP, 400, "sys/wrapping/lookup",
	  ERRORS("wrapping token is not valid or does not exist"), ERR_AUTH, 400,
	  "somebody else" },
	// the server
	{ VAULT_READ, 503, "kv/x", ERRORS("Vault is sealed"), ERR_RETRY, 503, "sealed" },
	{ VAULT_LOGIN, 503, "auth/jwt/login", "", ERR_RETRY, 503, "not available" },
	{ VAULT_READ, 429, "kv/x", "", ERR_RETRY, 429, "too many requests" },
	{ VAULT_READ, 412, "kv/x", "", ERR_RETRY, 412, "caught up" },
	{ VAULT_READ, 472, "kv/x", "", ERR_RETRY, 472, "disaster recovery" },
	{ VAULT_READ, 473, "kv/x", "", ERR_RETRY, 473, "standby" },
	{ VAULT_READ, 500, "kv/x", ERRORS("SECRET"), ERR_RETRY, 500, "failed inside" },
	{ VAULT_READ, 501, "kv/x", "", ERR_RETRY, 501, "not initialized" },
	{ VAULT_READ, 502, "kv/x", "", ERR_RETRY, 502, "behind the store" },
	{ VAULT_READ, 307, "kv/x", "", ERR_RETRY, 307, "elsewhere" },
};

static void kinds_and_lines(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct vault_refusal r = { .act = cases[i].act,
					   .status = cases[i].status,
					   .path = cases[i].path,
					   .body = cases[i].body,
					   .body_len = strlen(cases[i].body) };
		EXPECT_FAIL(cases[i].kind, vault_refused(&r, &err));
		assert_int_equal(err.cause, cases[i].cause);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%zu: '%s' does not say '%s'", i, err.text,
				 cases[i].says);
		assert_null(strstr(err.text, "SECRET"));
		assert_null(strchr(err.text, '\n'));
	}
}

static void kv_of_unknown_version(void **state UNUSED)
{
	struct vault_refusal r = { .act = VAULT_READ,
				   .status = 403,
				   .path = "kv/app",
				   .kv_unknown = true,
				   .body = POLICY,
				   .body_len = strlen(POLICY) };
	EXPECT_FAIL(ERR_DENIED, vault_refused(&r, &err));
	assert_non_null(strstr(err.text, "\"data/\" behind the mount"));
}

static void waits_are_capped(void **state UNUSED)
{
	struct vault_refusal r = { .status = 429,
				   .path = "kv/x",
				   .retry_after_ms = 7000 };
	EXPECT_FAIL(ERR_RETRY, vault_refused(&r, &err));
	assert_int_equal(err.retry_ms, 7000);
	r.retry_after_ms = INT64_C(1000000000000);
	EXPECT_FAIL(ERR_RETRY, vault_refused(&r, &err));
	assert_int_equal(err.retry_ms, 5 * 60 * 1000);
	assert_false(vault_refused(&r, &err)); // the first error stays
	assert_false(vault_refused(&r, NULL));
}

// --- logins -------------------------------------------------------------------------------

static const struct {
	int status;
	const char *body, *says;
	bool quoted;
} logins[] = {
	{ 400, ERRORS("role \\\"web\\\" could not be found"), "no such role", true },
	{ 400, ERRORS("invalid role name \\\"web\\\""), "no such role", true },
	{ 400,
	  ERRORS("error validating token: invalid audience (aud) claim: audience claim "
		 "does "
		 "not match any expected audience"),
	  "wrong audience", true },
	{ 400, ERRORS("error validating token: token is expired (exp)"), "has expired",
	  true },
	{ 403, ERRORS("permission denied"), "is the auth method mounted", false },
	{ 403, ERRORS("namespace not authorized"), "bound_service_account_namespaces",
	  true },
	{ 403, ERRORS("service account name not authorized"),
	  "bound_service_account_names", true },
	{ 400, ERRORS("invalid role or secret ID"), "role id or the secret id is wrong",
	  true },
	{ 404, ERRORS("no handler for route"), "no auth method", true },
	{ 400, "{}", "refuses the credential", false },
	{ 400, ERRORS("bad jwt eyJhbGciOiJSUzI1NiIsImtpZCI6I"), "refuses the", false },
	{ 400, ERRORS("you sent my-secret-password-1"), "refuses the", false },
	{ 400, ERRORS("you sent secret-pas"), "refuses the", false },
	{ 400, ERRORS("tiny7"), "refuses the", false },
	{ 400,
	  ERRORS("012345678901234567890123456789012345678901234567890123456789012345678"
		 "9"),
	  "refuses the", false },
};

static void logins_are_explained(void **state UNUSED)
{
	AUTO_JSON json_t *sent = json_pack("{s:s, s:s, s:s}", "role", "web", "password",
					   "my-secret-password-1", "pin", "tiny7");
	for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
		struct vault_refusal r = { .act = VAULT_LOGIN,
					   .status = logins[i].status,
					   .path = "auth/jwt/login",
					   .role = "web",
					   .body = logins[i].body,
					   .body_len = strlen(logins[i].body),
					   .sent = sent };
		EXPECT_FAIL(ERR_AUTH, vault_refused(&r, &err));
		if (!strstr(err.text, logins[i].says))
			fail_msg("'%s' does not say '%s'", err.text, logins[i].says);
		if (!strstr(err.text, "the store says") != !logins[i].quoted)
			fail_msg("'%s': quoted wrongly", err.text);
		assert_non_null(strstr(err.text, "role 'web'"));
	}
}

static void long_words_of_the_server_are_cut(void **state UNUSED)
{
	AUTO_BUF struct buf b = BUF_INIT(10000);
	buf_puts(&b, "{\"errors\":[\"");
	for (int i = 0; i < 200; i++)
		buf_puts(&b, "w\303\266rd ");
	buf_puts(&b, "\"]}");
	struct vault_refusal r = { .act = VAULT_LOGIN,
				   .status = 400,
				   .path = "auth/jwt/login",
				   .body = buf_str(&b),
				   .body_len = b.len };
	EXPECT_FAIL(ERR_AUTH, vault_refused(&r, &err));
	const char *quote = strstr(err.text, "the store says: ");
	assert_non_null(quote);
	assert_in_range(strlen(quote), 100, VAULT_SAID_MAX + 16);
	assert_true((unsigned char)quote[strlen(quote) - 1] < 0x80 ||
		    strcmp(quote + strlen(quote) - 2, "\303\266") == 0);
}

static void what_the_server_says(void **state UNUSED)
{
	const char *kv2 =
		"{\"data\":null,\"warnings\":[\"Invalid path for a versioned K/V secrets "
		"engine. See the API docs.\"]}";
	assert_true(vault_says_kv2(kv2, strlen(kv2)));
	assert_false(vault_says_kv2("{}", 2));
	assert_false(vault_says_kv2(NULL, 0));
	assert_true(vault_says_nothing("{\"errors\":[]}", 13));
	assert_false(vault_says_nothing("{}", 2));
	assert_false(vault_says_nothing("", 0));
	assert_false(vault_says_nothing(ERRORS("x"), strlen(ERRORS("x"))));
	assert_false(vault_says_bad_token(POLICY, strlen(POLICY)));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_lines),
		cmocka_unit_test(kv_of_unknown_version),
		cmocka_unit_test(waits_are_capped),
		cmocka_unit_test(logins_are_explained),
		cmocka_unit_test(long_words_of_the_server_are_cut),
		cmocka_unit_test(what_the_server_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
