// SPDX-License-Identifier: Apache-2.0
// Generations of certificates and the bundles that trust them: what a Secret says and takes,
// what is dropped when, and that replicas agree whatever they have seen.
#include "webhook/cert_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "webhook/cert_trust.h"

enum { NOW = 1800000000, LIFE = 86400 };

static const char *const names[] = { "a.b.svc", "127.0.0.1" };
static const struct cert_want want = { .names = names, .n_names = 2, .lifetime_s = LIFE };
static const struct cert_gen none;

static void renew(const struct cert_set *old, const struct cert_gen *served, int64_t now,
		  struct cert_set *ret)
{
	struct err e = ERR_INIT;
	if (!cert_set_renew(old, served, &want, now, ret, &e))
		fail_msg("%s", e.text);
}

static json_t *secret_of(const struct cert_set *s)
{
	AUTO_JSON json_t *empty =
		json_pack("{s:{s:s}, s:s}", "metadata", "name", "x", "type", "Opaque");
	return cert_set_write(s, empty);
}

static void test_what_is_made(void **state)
{
	AUTO_CERT_SET struct cert_set nothing = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set s;
	(void)state;
	renew(&nothing, &none, NOW, &s);
	assert_true(s.newest.leaf->not_before <= NOW - 5 * 60); // another's clock is late
	assert_int_equal(s.newest.leaf->not_after, NOW + LIFE);
	assert_true(cert_gen_usable(&s.newest, NOW));
	assert_true(cert_gen_usable(&s.newest, NOW - 5 * 60));
	assert_false(cert_gen_usable(&s.newest, NOW + LIFE));
	assert_true(x509_names_host(s.newest.leaf, "a.b.svc"));
	assert_true(x509_names_host(s.newest.leaf, "127.0.0.1"));
	assert_true(x509_issued_by(s.newest.leaf, s.newest.ca, NULL));
	assert_false(s.newest.leaf->is_ca);
	assert_true(cert_set_names_ok(&s, &want));
	const char *const more[] = { "a.b.svc", "other" };
	assert_false(cert_set_names_ok(&s, &(struct cert_want){ more, 2, LIFE }));
}

static void test_a_secret_keeps_it(void **state)
{
	AUTO_CERT_SET struct cert_set nothing = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set first;
	AUTO_CERT_SET struct cert_set second;
	AUTO_CERT_SET struct cert_set read;
	struct err e = ERR_INIT;
	(void)state;
	renew(&nothing, &none, NOW, &first);
	renew(&first, &first.newest, NOW + 100, &second);
	AUTO_JSON json_t *secret = secret_of(&second);
	assert_string_equal(json_string_value(json_object_get(secret, "type")), "Opaque");
	assert_true(cert_set_read(secret, &read, &e));
	assert_true(cert_gen_is(&read.newest, &second.newest));
	assert_true(cert_gen_is(&read.former, &first.newest));
	assert_string_equal(read.newest.key, second.newest.key);
	assert_int_equal(read.cas.n, 2);
	assert_true(cert_cas_has(&read.cas, first.newest.ca));
}

static void test_a_broken_secret(void **state)
{
	static const char *const keys[] = { "tls.crt", "tls.key", "ca.crt" };
	AUTO_CERT_SET struct cert_set nothing = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set s;
	AUTO_CERT_SET struct cert_set other;
	(void)state;
	renew(&nothing, &none, NOW, &s);
	renew(&nothing, &none, NOW, &other);
	AUTO_JSON json_t *foreign = secret_of(&other);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		// Missing, no text, no base64, no PEM, another generation's.
		json_t *spoilt[] = {
			NULL, json_integer(1), json_string("*"), json_string("YWJj"),
			json_incref(json_object_get(json_object_get(foreign, "data"),
						    keys[i]))
		};
		for (size_t k = 0; k < ARRAY_LEN(spoilt); k++) {
			AUTO_JSON json_t *secret = secret_of(&s);
			json_t *data = json_object_get(secret, "data");
			AUTO_CERT_SET struct cert_set read;
			struct err e = ERR_INIT;
			if (spoilt[k])
				json_object_set_new(data, keys[i], spoilt[k]);
			else
				json_object_del(data, keys[i]);
			assert_false(cert_set_read(secret, &read, &e));
			assert_null(read.newest.leaf);
			assert_true(e.kind != ERR_NONE);
		}
	}
}

static void test_a_lost_secret_keeps_what_is_served_trusted(void **state)
{
	AUTO_CERT_SET struct cert_set nothing = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set first;
	AUTO_CERT_SET struct cert_set second;
	AUTO_CERT_SET struct cert_set late;
	(void)state;
	renew(&nothing, &none, NOW, &first);
	renew(&nothing, &first.newest, NOW + 100, &second);
	assert_true(cert_gen_is(&second.former, &first.newest));
	assert_true(cert_cas_has(&second.cas, first.newest.ca));
	assert_true(cert_cas_has(&second.cas, second.newest.ca));
	renew(&nothing, &first.newest, NOW + LIFE + CERT_SKEW_S, &late);
	assert_null(late.former.leaf);
	assert_int_equal(late.cas.n, 1);
}

static void test_cas_are_few_and_end(void **state)
{
	AUTO_CERT_SET struct cert_set s = { .cas = { .n = 0 } };
	(void)state;
	for (int i = 0; i < 12; i++) {
		struct cert_set next;
		renew(&s, &s.newest, NOW + i, &next);
		cert_set_release(&s);
		s = next;
	}
	assert_int_equal(s.cas.n, CERT_CAS_MAX);
	assert_true(cert_cas_has(&s.cas, s.newest.ca));
	assert_true(cert_cas_has(&s.cas, s.former.ca));
	// The first that is left was made at NOW + 4.
	cert_cas_drop_ended(&s.cas, NOW + 4 + LIFE + CERT_SKEW_S - 1);
	assert_int_equal(s.cas.n, CERT_CAS_MAX);
	cert_cas_drop_ended(&s.cas, NOW + 4 + LIFE + CERT_SKEW_S);
	assert_int_equal(s.cas.n, CERT_CAS_MAX - 1);
	cert_cas_drop_ended(&s.cas, NOW + 2 * LIFE);
	assert_int_equal(s.cas.n, 0);
}

// --- bundles

static json_t *registration(void)
{
	return json_pack("{s:{s:s}, s:[{s:s, s:{}}, {s:s, s:{s:s}}]}", "metadata",
			 "resourceVersion", "7", "webhooks", "name", "one",
			 "clientConfig", "name", "two", "clientConfig", "caBundle",
			 "Cg==");
}

// What the API server makes of the patch.
static void apply(json_t *registration, json_t *take)
{
	AUTO_JSON json_t *patch = take;
	size_t i, k;
	const json_t *change;
	json_t *webhook;
	json_array_foreach(json_object_get(patch, "webhooks"), i, change)
	{
		json_array_foreach(json_object_get(registration, "webhooks"), k, webhook)
		{
			if (json_equal(json_object_get(webhook, "name"),
				       json_object_get(change, "name")))
				json_object_update(
					json_object_get(webhook, "clientConfig"),
					json_object_get(change, "clientConfig"));
		}
	}
}

static void test_bundles_agree(void **state)
{
	AUTO_CERT_SET struct cert_set nothing = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set first;
	AUTO_CERT_SET struct cert_set second;
	AUTO_JSON json_t *r = registration();
	(void)state;
	renew(&nothing, &none, NOW, &first);
	renew(&first, &none, NOW + 100, &second);
	assert_false(cert_trust_has(r, first.newest.ca));
	json_t *patch = cert_trust_patch(r, &first.cas, NOW);
	assert_int_equal(json_array_size(json_object_get(patch, "webhooks")), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(patch, "metadata"),
						  "resourceVersion")),
		"7");
	apply(r, patch);
	assert_true(cert_trust_has(r, first.newest.ca));
	assert_null(cert_trust_patch(r, &first.cas, NOW));
	apply(r, cert_trust_patch(r, &second.cas, NOW + 100));
	// One that has not seen the second takes nothing away.
	assert_null(cert_trust_patch(r, &first.cas, NOW + 100));
	assert_true(cert_trust_has(r, first.newest.ca));
	assert_true(cert_trust_has(r, second.newest.ca));
	// The first one ends. A replica whose clock is ten minutes late does not put it back.
	int64_t end = NOW + LIFE + CERT_SKEW_S;
	apply(r, cert_trust_patch(r, &second.cas, end));
	assert_false(cert_trust_has(r, first.newest.ca));
	assert_null(cert_trust_patch(r, &second.cas, end - CERT_SKEW_S));
	assert_true(cert_trust_has(r, second.newest.ca));
}

// Whether the first webhook's bundle holds that text.
static bool bundle_holds(const json_t *registration, const struct buf *pem)
{
	AUTO_BUF struct buf have = BUF_INIT(65536);
	const char *text = json_string_value(json_object_get(
		json_object_get(
			json_array_get(json_object_get(registration, "webhooks"), 0),
			"clientConfig"),
		"caBundle"));
	assert_true(codec_b64_decode(text, strlen(text), B64_STD, &have, NULL));
	return strstr(buf_str(&have), buf_str(pem)) != NULL;
}

// What served from files until now is still trusted while its replicas may live.
static void test_a_foreign_ca_stays_for_a_while(void **state)
{
	AUTO_CERT_SET struct cert_set nothing = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set s;
	AUTO_BUF struct buf pem = BUF_INIT(65536);
	AUTO_BUF struct buf text = BUF_INIT(65536);
	AUTO_PKEY struct pkey *key = NULL;
	struct x509 *corp = NULL;
	struct x509_spec spec = { .common_name = "corp CA",
				  .not_before = NOW - LIFE,
				  .not_after = NOW + LIFE };
	(void)state;
	assert_true(pkey_generate_p256(&key, NULL) &&
		    x509_make_ca(&spec, key, &corp, NULL));
	assert_true(x509_to_pem(corp, &pem, NULL));
	assert_true(codec_b64_encode(pem.data, pem.len, B64_STD, &text));
	AUTO_JSON json_t *r = json_pack("{s:{s:s}, s:[{s:s, s:{s:s}}]}", "metadata",
					"resourceVersion", "7", "webhooks", "name", "w",
					"clientConfig", "caBundle", buf_str(&text));
	renew(&nothing, &none, NOW, &s);
	apply(r, cert_trust_patch(r, &s.cas, NOW));
	assert_true(cert_trust_has(r, s.newest.ca) && bundle_holds(r, &pem));
	assert_null(cert_trust_patch(r, &s.cas, NOW + CERT_KNOWN_S - 1));
	apply(r, cert_trust_patch(r, &s.cas, NOW + CERT_KNOWN_S));
	assert_true(cert_trust_has(r, s.newest.ca) && !bundle_holds(r, &pem));
	x509_free(corp);
}

static void test_what_is_not_ours_goes(void **state)
{
	AUTO_CERT_SET struct cert_set nothing = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set s;
	AUTO_CERT_SET struct cert_set other;
	AUTO_BUF struct buf pem = BUF_INIT(65536);
	AUTO(cert_cas_release) struct cert_cas cas = { .n = 0 };
	bool others;
	(void)state;
	renew(&nothing, &none, NOW, &s);
	renew(&nothing, &none, NOW, &other);
	assert_true(x509_to_pem(other.newest.leaf, &pem, NULL)); // no CA
	cert_cas_write(&s.cas, &pem);
	cert_cas_read(bytes_of(pem.data, pem.len), &cas, &others, NULL);
	assert_true(others);
	assert_int_equal(cas.n, 1);
	cert_cas_read(bytes_of_str("\n"), &cas, &others, NULL);
	assert_true(others);
	assert_int_equal(cas.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_made),
		cmocka_unit_test(test_a_secret_keeps_it),
		cmocka_unit_test(test_a_broken_secret),
		cmocka_unit_test(test_a_lost_secret_keeps_what_is_served_trusted),
		cmocka_unit_test(test_cas_are_few_and_end),
		cmocka_unit_test(test_bundles_agree),
		cmocka_unit_test(test_a_foreign_ca_stays_for_a_while),
		cmocka_unit_test(test_what_is_not_ours_goes),
	};
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	return cmocka_run_group_tests_name("cert", tests, NULL, NULL);
}
