// SPDX-License-Identifier: Apache-2.0
// Answers of Vault: shapes, ranges and lives. The texts are those of real servers, or what
// no server would send.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/vault_answer.h"
#include "test/support/expect.h"

#define NOW_MS INT64_C(1795237329000)
#define META(deleted, destroyed)                                                         \
	"\"metadata\":{\"created_time\":\"2026-11-21T05:02:10.03Z\","                    \
	"\"custom_metadata\":null,\"deletion_time\":\"" deleted                          \
	"\",\"destroyed\":" destroyed ",\"version\":3}"
#define KV2(data, deleted, destroyed)                                                    \
	"{\"request_id\":\"x\",\"lease_id\":\"\",\"renewable\":false,"                   \
	"\"lease_duration\":0,\"data\":{\"data\":" data                                  \
	"," META(deleted,                                                                \
		 destroyed) "},\"wrap_info\":null,\"warnings\":null,\"auth\":null}"

static uint64_t seed = 1;
static int64_t due;

static bool read_it(const char *text, enum vault_kv kv, int status,
		    struct store_answer *a, struct vault_reply *r)
{
	struct vault_shape how = { .verb = STORE_READ,
				   .kv = kv,
				   .status = status,
				   .path = "kv/data/app",
				   .wall_ms = NOW_MS,
				   .mono_ms = 5000,
				   .seed = &seed,
				   .due_ms = &due };
	return vault_reply_parse(text, strlen(text), r, &err) &&
	       vault_answer_secret(r, &how, a, &err);
}

struct life_case {
	const char *text;
	enum vault_kv kv;
	enum store_life life;
	const char *version, *lease_id;
	int64_t lease_ms, next_from, next_to;
	bool renewable;
};

static const struct life_case lives[] = {
	{ KV2("{\"a\":\"b\"}", "", "false"), VAULT_KV_2, LIFE_STATIC, "3", "", 0, 0, 0,
	  false },
	{ KV2("{\"a\":\"b\"}", "", "false"), VAULT_KV_UNKNOWN, LIFE_STATIC, "3", "", 0, 0,
	  0, false },
	// delete_version_after: the time lies ahead and the data is there.
	{ KV2("{\"a\":\"b\"}", "2036-01-01T00:00:00Z", "false"), VAULT_KV_2, LIFE_STATIC,
	  "3", "", 0, 0, 0, false },
	// A version 1 secret that looks like version 2 is what its mount says.
	{ KV2("{\"a\":\"b\"}", "", "false"), VAULT_KV_1, LIFE_STATIC, "", "", 0, 0, 0,
	  false },
	// Version 1: the default says nothing, the secret's own ttl does.
	{ "{\"lease_duration\":2764800,\"data\":{\"a\":\"b\"}}", VAULT_KV_1, LIFE_STATIC,
	  "", "", 0, 0, 0, false },
	{ "{\"lease_duration\":30,\"data\":{\"a\":\"b\",\"ttl\":\"30s\"}}", VAULT_KV_1,
	  LIFE_UNTIL, "", "", 0, 25000, 29000, false },
	{ "{\"lease_id\":\"database/creds/app/"
	  "x\",\"lease_duration\":3600,\"renewable\":true,"
	  "\"data\":{\"username\":\"u\"}}",
	  VAULT_KV_NONE, LIFE_LEASE, "database/creds/app/x", "database/creds/app/x",
	  3600000, 0, 0, true },
	{ "{\"lease_id\":\"l\",\"lease_duration\":-1,\"data\":{}}", VAULT_KV_NONE,
	  LIFE_LEASE, "l", "l", 300000, 0, 0, false },
	{ "{\"lease_id\":\"l\",\"lease_duration\":2147483648,\"data\":{}}", VAULT_KV_NONE,
	  LIFE_LEASE, "l", "l", INT64_C(2147483648000), 0, 0, false },
	{ "{\"lease_id\":\"l\",\"lease_duration\":9223372036854775807,\"data\":{}}",
	  VAULT_KV_NONE, LIFE_LEASE, "l", "l", VAULT_SECONDS_MAX * 1000, 0, 0, false },
	{ "{\"lease_id\":\"\",\"lease_duration\":0,\"renewable\":true,\"data\":{\"a\":1}"
	  "}",
	  VAULT_KV_NONE, LIFE_STATIC, "", "", 0, 0, 0, false },
	// A static role: half a second before what is left in rounded seconds, then often.
	{ "{\"data\":{\"username\":\"u\",\"password\":\"p\",\"ttl\":7,\"rotation_"
	  "period\":60,"
	  "\"last_vault_rotation\":\"2026-11-21T05:00:00Z\"}}",
	  VAULT_KV_NONE, LIFE_UNTIL, "2026-11-21T05:00:00Z", "", 0, 6500, 6500, false },
	{ "{\"data\":{\"ttl\":0,\"rotation_period\":60}}", VAULT_KV_NONE, LIFE_UNTIL, "",
	  "", 0, 200, 200, false },
	{ "{\"data\":{\"ttl\":-5,\"rotation_schedule\":\"0 0 * * *\"}}", VAULT_KV_NONE,
	  LIFE_UNTIL, "", "", 0, 200, 200, false },
	{ "{\"data\":{\"ttl\":\"7\",\"rotation_period\":60}}", VAULT_KV_NONE, LIFE_STATIC,
	  "", "", 0, 0, 0, false },
	// A certificate of 1000 s; one that has ended.
	{ "{\"data\":{\"certificate\":\"-----\",\"expiration\":1795238329,"
	  "\"serial_number\":\"0a:0b\"}}",
	  VAULT_KV_NONE, LIFE_UNTIL, "0a:0b", "", 0, 855000, 950000, false },
	{ "{\"data\":{\"certificate\":\"-----\",\"expiration\":1}}", VAULT_KV_NONE,
	  LIFE_UNTIL, "", "", 0, 1000, 1000, false },
	{ "{\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":99}}", VAULT_KV_NONE,
	  LIFE_UNTIL, "", "", 0, 85000, 95000, false },
	{ "{\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":0}}", VAULT_KV_NONE,
	  LIFE_STATIC, "", "", 0, 0, 0, false },
	{ "{\"data\":null,\"auth\":{\"client_token\":\"t\",\"lease_duration\":100}}",
	  VAULT_KV_NONE, LIFE_UNTIL, "", "", 0, 85000, 95000, false },
};

static void how_long_secrets_live(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		const struct life_case *c = &lives[i];
		AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
		struct store_answer a;
		EXPECT_OK(read_it(c->text, c->kv, 200, &a, &r));
		AUTO_JSON json_t *body UNUSED = a.body;
		assert_int_equal(a.life, c->life);
		assert_string_equal(a.version, c->version);
		assert_string_equal(a.lease_id, c->lease_id);
		assert_int_equal(a.lease_ms, c->lease_ms);
		assert_int_equal(a.renewable, c->renewable);
		if (c->life == LIFE_UNTIL)
			assert_in_range(a.next_ms, c->next_from, c->next_to);
		assert_ptr_equal(a.body, r.json);
	}
}

static const struct {
	const char *text;
	int status;
	enum err_kind kind;
	int cause;
	const char *says;
} refused[] = {
	{ KV2("null", "2026-11-21T05:02:10.07Z", "false"), 404, ERR_MISSING, STORE_GONE,
	  "version 3 of 'kv/data/app' was deleted (2026-11-21T05:02:10.07Z)" },
	{ KV2("null", "", "true"), 404, ERR_MISSING, STORE_GONE, "was destroyed" },
	{ KV2("null", "", "false"), 200, ERR_MISSING, 404, "holds no data" },
	{ KV2("null", "<b>leak</b>", "false"), 404, ERR_MISSING, STORE_GONE,
	  "was deleted ()" },
	{ KV2("[1]", "", "false"), 200, ERR_MISSING, 404, "holds no data" },
	{ "{\"errors\":[]}", 404, ERR_MISSING, 404, "there is no 'kv/data/app'" },
	{ "{\"data\":{\"a\":\"b\"}}", 200, ERR_RETRY, 200, "no KV version 2 secret" },
	{ "{\"data\":null}", 200, ERR_MISSING, 200, "holds no data" },
	{ "", 200, ERR_RETRY, 200, "is empty" },
	{ "", 204, ERR_MISSING, 204, "holds no data" },
	{ "{\"data\":[1,2]}", 200, ERR_RETRY, 200, "'data' must be an object" },
	{ "{\"data\":\"x\"}", 200, ERR_RETRY, 200, "'data' must be an object" },
	{ "{\"lease_duration\":1.5,\"data\":{}}", 200, ERR_RETRY, 200, "whole number" },
	{ "{\"lease_duration\":\"60\",\"data\":{}}", 200, ERR_RETRY, 200,
	  "whole number" },
	{ "{\"lease_duration\":9223372036854775808,\"data\":{}}", 200, ERR_RETRY, 200,
	  "whole number" },
	{ "{\"lease_id\":7,\"data\":{}}", 200, ERR_RETRY, 200,
	  "'lease_id' must be a string" },
	{ "{\"renewable\":\"yes\",\"data\":{}}", 200, ERR_RETRY, 200, "true or false" },
	{ "<html>hello</html>", 200, ERR_RETRY, 200, "not one of Vault's" },
	{ "[]", 200, ERR_RETRY, 200, "not an object" },
	{ "{\"data\":{\"a\":", 200, ERR_RETRY, 200, "ends too early" },
};

static void what_is_refused(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
		struct store_answer a = { .body = NULL };
		EXPECT_FAIL(refused[i].kind, read_it(refused[i].text, VAULT_KV_2,
						     refused[i].status, &a, &r));
		assert_int_equal(err.cause, refused[i].cause);
		if (!strstr(err.text, refused[i].says))
			fail_msg("'%s' does not say '%s'", err.text, refused[i].says);
		assert_null(a.body);
	}
}

static void late_rotations_are_asked_for_ever_less(void **state UNUSED)
{
	static const struct {
		int64_t ttl, mono_ms, due_ms, next_ms;
	} steps[] = { { 1, 1000, 0, 500 },         { 0, 2000, 2000, 200 },
		      { 0, 11999, 2000, 200 },     { 0, 12000, 2000, 2000 },
		      { 0, 61999, 2000, 2000 },    { 0, 62000, 2000, 15000 },
		      { 0, 9000000, 2000, 15000 }, { 60, 9000001, 0, 59500 },
		      { 0, 9000002, 9000002, 200 } };
	due = 0;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		AUTO_FREE char *text =
			mem_printf("{\"data\":{\"ttl\":%lld,\"rotation_period\":60}}",
				   (long long)steps[i].ttl);
		struct vault_shape how = { .path = "x",
					   .status = 200,
					   .mono_ms = steps[i].mono_ms,
					   .seed = &seed,
					   .due_ms = &due };
		AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
		struct store_answer a;
		EXPECT_OK(vault_reply_parse(text, strlen(text), &r, &err));
		EXPECT_OK(vault_answer_secret(&r, &how, &a, &err));
		json_decref(a.body);
		assert_int_equal(due, steps[i].due_ms);
		assert_int_equal(a.next_ms, steps[i].next_ms);
	}
}

static void numbers_keep_their_text(void **state UNUSED)
{
	AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
	struct store_answer a;
	EXPECT_OK(read_it("{\"data\":{\"n\":1.50}}", VAULT_KV_1, 200, &a, &r));
	AUTO_JSON json_t *body UNUSED = a.body;
	assert_string_equal(json_number_text(json_object_get(r.data, "n")), "1.50");
}

static void writes(void **state UNUSED)
{
	struct vault_shape how = { .verb = STORE_WRITE,
				   .kv = VAULT_KV_2,
				   .status = 200,
				   .path = "kv/data/app",
				   .seed = &seed };
	AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
	struct store_answer a;
	EXPECT_OK(vault_answer_secret(&r, &how, &a, &err));
	assert_true(json_is_null(a.body));
	json_decref(a.body);
	const char *text = "{\"data\":{\"version\":2,\"destroyed\":false}}";
	EXPECT_OK(vault_reply_parse(text, strlen(text), &r, &err));
	EXPECT_OK(vault_answer_secret(&r, &how, &a, &err));
	assert_int_equal(a.life, LIFE_STATIC);
	json_decref(a.body);
}

static bool list_it(const char *text, json_t **ret)
{
	struct vault_shape how = { .verb = STORE_LIST,
				   .status = 200,
				   .path = "kv/metadata" };
	AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
	struct store_answer a;
	if (!vault_reply_parse(text, strlen(text), &r, &err) ||
	    !vault_answer_secret(&r, &how, &a, &err))
		return false;
	*ret = a.body;
	return true;
}

static void lists(void **state UNUSED)
{
	AUTO_JSON json_t *j = NULL;
	AUTO_BUF struct buf b = BUF_INIT(1000);
	EXPECT_OK(list_it("{\"data\":{\"keys\":[\"b\",\"a/\",\"a\"]}}", &j));
	EXPECT_OK(json_write(j, &b, &err));
	assert_string_equal(buf_str(&b), "[\"a\",\"a/\",\"b\"]");
	json_decref(j);
	EXPECT_OK(list_it("", &j));
	assert_int_equal(json_array_size(j), 0);
	json_decref(j);
	EXPECT_OK(list_it("{\"data\":{}}", &j));
	assert_int_equal(json_array_size(j), 0);
	EXPECT_FAIL(ERR_RETRY, list_it("{\"data\":{\"keys\":[1]}}", &j));
	EXPECT_FAIL(ERR_RETRY, list_it("{\"data\":{\"keys\":{}}}", &j));
}

// --- logins -------------------------------------------------------------------------------

static bool auth_it(const char *text, struct vault_grant *g)
{
	AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
	return vault_reply_parse(text, strlen(text), &r, &err) &&
	       vault_answer_auth(&r, g, &err);
}

static void logins(void **state UNUSED)
{
	struct vault_grant g = { .token = NULL };
	EXPECT_OK(auth_it("{\"auth\":{\"client_token\":\"s.abc\",\"lease_duration\":60,"
			  "\"renewable\":true}}",
			  &g));
	assert_string_equal(secret_bytes(g.token), "s.abc");
	assert_int_equal(g.ttl_ms, 60000);
	assert_true(g.renewable);
	secret_free(g.token);
	static const char *const bad[] = {
		"{}",
		"{\"auth\":null}",
		"{\"auth\":[]}",
		"{\"auth\":{}}",
		"{\"auth\":{\"client_token\":\"\"}}",
		"{\"auth\":{\"client_token\":5}}",
		"{\"auth\":{\"client_token\":\"a b\"}}",
		"{\"auth\":{\"client_token\":\"a\\r\\nX-Evil: 1\"}}",
		"{\"auth\":{\"client_token\":\"t\",\"lease_duration\":\"60\"}}",
		"{\"auth\":{\"client_token\":\"t\",\"renewable\":1}}",
		"{\"wrap_info\":{\"token\":\"t\"},\"auth\":null}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_FAIL(ERR_RETRY, auth_it(bad[i], &g));
}

static void look_ups(void **state UNUSED)
{
	AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
	struct vault_grant g;
	const char *root =
		"{\"data\":{\"expire_time\":null,\"ttl\":0,\"type\":\"service\"}}";
	EXPECT_OK(vault_reply_parse(root, strlen(root), &r, &err));
	EXPECT_OK(vault_answer_lookup(&r, &g, &err));
	assert_null(g.token);
	assert_int_equal(g.ttl_ms, 0);
	assert_false(g.renewable);
	vault_reply_release(&r);
	EXPECT_FAIL(ERR_RETRY, vault_answer_lookup(&r, &g, &err));
}

static const struct {
	const char *data, *path;
	enum vault_kv kv;
} mounts[] = {
	{ "{\"path\":\"kv/\",\"type\":\"kv\",\"options\":{\"version\":\"2\"}}", "kv/",
	  VAULT_KV_2 },
	{ "{\"path\":\"kv/\",\"type\":\"kv\",\"options\":{\"version\":\"1\"}}", "kv/",
	  VAULT_KV_1 },
	{ "{\"path\":\"kv/\",\"type\":\"kv\",\"options\":{}}", "kv/", VAULT_KV_1 },
	{ "{\"path\":\"kv/\",\"type\":\"kv\",\"options\":null}", "kv/", VAULT_KV_1 },
	{ "{\"path\":\"kv/\",\"type\":\"kv\"}", "kv/", VAULT_KV_1 },
	{ "{\"path\":\"a/b/\",\"type\":\"generic\"}", "a/b/", VAULT_KV_1 },
	{ "{\"path\":\"pki/\",\"type\":\"pki\",\"options\":null}", "pki/",
	  VAULT_KV_NONE },
	{ "{\"path\":\"kv\",\"type\":\"kv\"}", NULL, VAULT_KV_UNKNOWN },
	{ "{\"path\":\"/kv/\",\"type\":\"kv\"}", NULL, VAULT_KV_UNKNOWN },
	{ "{\"path\":\"\",\"type\":\"kv\"}", NULL, VAULT_KV_UNKNOWN },
	{ "{\"path\":\"k\\nv/\",\"type\":\"kv\"}", NULL, VAULT_KV_UNKNOWN },
	{ "{\"path\":5}", NULL, VAULT_KV_UNKNOWN },
	{ "{}", NULL, VAULT_KV_UNKNOWN },
	{ "null", NULL, VAULT_KV_UNKNOWN },
};

static void mounts_are_read(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		AUTO_FREE char *text = mem_printf("{\"data\":%s}", mounts[i].data);
		AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
		struct vault_mount_info m;
		EXPECT_OK(vault_reply_parse(text, strlen(text), &r, &err));
		if (!mounts[i].path) {
			EXPECT_FAIL(ERR_RETRY, vault_answer_mount(&r, &m, &err));
			continue;
		}
		EXPECT_OK(vault_answer_mount(&r, &m, &err));
		assert_string_equal(m.path, mounts[i].path);
		assert_int_equal(m.kv, mounts[i].kv);
	}
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_long_secrets_live),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(late_rotations_are_asked_for_ever_less),
		cmocka_unit_test(numbers_keep_their_text),
		cmocka_unit_test(writes),
		cmocka_unit_test(lists),
		cmocka_unit_test(logins),
		cmocka_unit_test(look_ups),
		cmocka_unit_test(mounts_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
