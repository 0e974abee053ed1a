// SPDX-License-Identifier: Apache-2.0
// The sealed state: what opens, what is refused and why, and how old times are told.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/state_doc.h"
#include "agent/state_file.h"
#include "agent/state_seal.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"

enum { POD_AT = 16, SALT_AT = 48, BODY_AT = 88 };

static const unsigned char secret[] = "0123456789abcdef0123456789abcdef";
static const unsigned char other_secret[] = "0123456789abcdef0123456789abcdeg";

static struct state_key key_of(const unsigned char *bytes, const char *pod)
{
	return (struct state_key){ .secret = bytes_of(bytes, 32), .pod = pod };
}

static void seal(const char *text, struct buf *to)
{
	struct state_key k = key_of(secret, "pod-0/uid");
	assert_true(state_seal(&k, bytes_of_str(text), to, NULL));
}

static void refused(const struct state_key *k, struct bytes sealed, const char *says)
{
	AUTO_BUF struct buf plain = BUF_INIT(STATE_MAX);
	struct err e = ERR_INIT;
	assert_false(state_unseal(k, sealed, &plain, &e));
	assert_non_null(strstr(e.text, says));
	assert_int_equal(plain.len, 0);
}

static void seals_and_opens(void **t)
{
	(void)t;
	AUTO_BUF struct buf one = BUF_INIT(STATE_MAX), two = BUF_INIT(STATE_MAX);
	AUTO_BUF struct buf plain = BUF_INIT(STATE_MAX);
	struct state_key k = key_of(secret, "pod-0/uid");
	seal("the token", &one);
	seal("the token", &two);
	assert_true(state_unseal(&k, bytes_of(one.data, one.len), &plain, NULL));
	assert_string_equal(buf_str(&plain), "the token");
	assert_null(memmem(one.data, one.len, "token", 5));
	// a fresh key each time
	assert_int_not_equal(memcmp(one.data + BODY_AT, two.data + BODY_AT, 9), 0);
}

static void refuses_what_is_not_ours(void **t)
{
	(void)t;
	AUTO_BUF struct buf b = BUF_INIT(STATE_MAX);
	struct state_key k = key_of(secret, "pod-0/uid");
	struct state_key stranger = key_of(secret, "pod-0/other-uid");
	struct state_key other = key_of(other_secret, "pod-0/uid");
	seal("the token", &b);
	refused(&stranger, bytes_of(b.data, b.len), "another pod");
	refused(&other, bytes_of(b.data, b.len), "another key");
	refused(&k, bytes_of("", 0), "no state");
	refused(&k, bytes_of_str("-----BEGIN X-----"), "no state");
	refused(&k, bytes_of_str("ampoule state 2\nxyz"), "another version");
	for (size_t len = POD_AT; len < b.len; len++)
		refused(&k, bytes_of(b.data, len), "cut");
	buf_putc(&b, 'x');
	refused(&k, bytes_of(b.data, b.len), "cut");
}

static void refuses_each_changed_byte(void **t)
{
	(void)t;
	AUTO_BUF struct buf b = BUF_INIT(STATE_MAX);
	struct state_key k = key_of(secret, "pod-0/uid");
	seal("x", &b);
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		refused(&k, bytes_of(b.data, b.len), "");
		b.data[i] ^= 1;
	}
}

// --- the document -------------------------------------------------------------------------

#define SECRET(left)                                                                     \
	"{\"body\":{\"data\":{\"n\":1.50}},\"version\":\"v\",\"life\":\"lease\","        \
	"\"lease_id\":\"l/1\",\"lease_ms\":9000,\"granted_ms\":9000,\"left_ms\":" left   \
	",\"renewable\":true}"
#define DOC(head, secrets)                                                               \
	"{\"version\":1,\"wall_ms\":1000000,\"mono_ms\":500000,\"boot\":\"b\"" head      \
	",\"untold\":[],\"stores\":{\"s\":{\"login\":\"d\",\"secrets\":{" secrets "}}}}"

static bool parse(const char *text, const struct state_now *now, json_t **ret,
		  int64_t *age, struct err *e)
{
	return state_doc_parse(text, strlen(text), now, ret, age, e);
}

static void tells_the_age(void **t)
{
	(void)t;
	static const struct {
		struct state_now now;
		int64_t age;
	} cases[] = {
		{ { 9000000, 504000, "b" }, 4000 },    // the same boot: its clock
		{ { 1007000, 900, "another" }, 7000 }, // else the wall clock
		{ { 1007000, 504000, "" }, 7000 },     // a boot that is not known
		{ { 1, 900, "another" }, 0 },          // set back: no time
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_JSON json_t *doc = NULL;
		int64_t age = -1;
		assert_true(parse(DOC("", ""), &cases[i].now, &doc, &age, NULL));
		assert_int_equal(age, cases[i].age);
	}
}

static void reads_a_secret(void **t)
{
	(void)t;
	struct state_now now = { 1000000, 502000, "b" };
	AUTO_JSON json_t *doc = NULL;
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);
	struct state_secret s;
	int64_t age;
	assert_true(parse(DOC("", "\"k\":" SECRET("5000")), &now, &doc, &age, NULL));
	json_t *one = json_object_get(
		json_object_get(json_object_get(json_object_get(doc, "stores"), "s"),
				"secrets"),
		"k");
	assert_true(state_doc_read_secret(one, age, &s, NULL));
	assert_int_equal(s.left_ms, 3000);
	assert_int_equal(s.life, LIFE_LEASE);
	assert_string_equal(s.lease_id, "l/1");
	// numbers keep their text
	assert_true(json_write(s.body, &text, NULL));
	assert_string_equal(buf_str(&text), "{\"data\":{\"n\":1.50}}");
	assert_true(state_doc_read_secret(one, 6000, &s, NULL));
	assert_int_equal(s.left_ms, 0);
}

static void refuses_broken_documents(void **t)
{
	(void)t;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "broken" },
		{ "[]", "broken" },
		{ "{\"version\":2}", "another version" },
		{ "{\"version\":\"1\"}", "broken" },
		{ "{\"version\":1}", "broken" },
		{ DOC(",\"wall_ms\":-1", ""), "broken" },
		{ DOC(",\"wall_ms\":9007199254740992", ""), "broken" },
		{ DOC("", "\"k\":{}"), "broken" },
		{ DOC("", "\"k\":7"), "broken" },
		{ DOC("", "\"k\":" SECRET("-1")), "broken" },
		{ DOC("", "\"k\":" SECRET("\"x\"")), "broken" },
		{ DOC(",\"stores\":{\"s\":1}", "") "x", "broken" },
	};
	struct state_now now = { 1000000, 500000, "b" };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		json_t *doc = NULL;
		int64_t age;
		assert_false(parse(cases[i].text, &now, &doc, &age, &e));
		assert_non_null(strstr(e.text, cases[i].says));
		assert_null(doc);
	}
}

static void refuses_what_is_stale(void **t)
{
	(void)t;
	struct state_now now = { INT64_C(1000000) + STATE_AGE_MAX_MS + 86400000, 1, "c" };
	struct err e = ERR_INIT;
	json_t *doc = NULL;
	int64_t age;
	assert_false(parse(DOC("", ""), &now, &doc, &age, &e));
	assert_non_null(strstr(e.text, "8 days old"));
}

// --- the folder ---------------------------------------------------------------------------

static void makes_folder_and_key(void **t)
{
	(void)t;
	char dir[] = "/tmp/ampoule-state-XXXXXX";
	assert_non_null(mkdtemp(dir));
	AUTO_FREE char *path = mem_printf("%s/a/state", dir);
	AUTO_FREE char *key = mem_printf("%s/key", path);
	struct conf_state conf = { .path = path };
	struct state_file *f = NULL, *again = NULL;
	AUTO_BUF struct buf plain = BUF_INIT(100), back = BUF_INIT(100);
	struct err e = ERR_INIT;
	assert_true(state_file_open(&conf, &f, NULL));
	assert_false(state_file_read(f, &back, &e));
	assert_int_equal(e.kind, ERR_MISSING);
	buf_puts(&plain, "document");
	assert_true(state_file_write(f, &plain, NULL));
	assert_true(state_file_open(&conf, &again, NULL));
	assert_true(state_file_read(again, &back, NULL));
	assert_string_equal(buf_str(&back), "document");
	state_file_free(f);
	state_file_free(again);
	// a key that others may read is none
	assert_int_equal(chmod(key, 0640), 0);
	err_clear(&e);
	assert_false(state_file_open(&conf, &f, &e));
	assert_non_null(strstr(e.text, "0640"));
	assert_true(file_remove_tree(AT_FDCWD, dir, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals_and_opens),
		cmocka_unit_test(refuses_what_is_not_ours),
		cmocka_unit_test(refuses_each_changed_byte),
		cmocka_unit_test(tells_the_age),
		cmocka_unit_test(reads_a_secret),
		cmocka_unit_test(refuses_broken_documents),
		cmocka_unit_test(refuses_what_is_stale),
		cmocka_unit_test(makes_folder_and_key),
	};
	struct err e = ERR_INIT;
	mem_init(false);
	if (!crypto_init(&e))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
