// SPDX-License-Identifier: Apache-2.0
// Certificates: read, matched, made. Inputs in test/cases/certificates and test/cases/keys;
// test/system/test_certificates.py has made certificates judged by the openssl command.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/x509.h"
#include "test/support/expect.h"
#include "test/support/vector.h"

#define CERTS "test/cases/certificates/"
#define KEYS "test/cases/keys/"

static struct buf read_file(const char *path)
{
	struct buf b = BUF_INIT(1 << 16);
	EXPECT_OK(file_read(path, &b, &err));
	return b;
}

static struct bytes bytes_in(const struct buf *b)
{
	return bytes_of(b->data, b->len);
}

static void all_that_a_certificate_says(void **state UNUSED)
{
	static const struct x509_san want[] = {
		{ X509_DNS, "vault.svc" },
		{ X509_DNS, "*.vault.svc.cluster.local" },
		{ X509_IP, "10.0.0.1" },
		{ X509_IP, "2001:db8::1" },
		{ X509_EMAIL, "a@example.org" },
		{ X509_URI, "spiffe://c/ns/x" },
	};
	AUTO_BUF struct buf pem = read_file(CERTS "names.pem");
	AUTO_X509 struct x509 *c = NULL;
	EXPECT_OK(x509_from_pem(bytes_in(&pem), &c, &err));
	assert_string_equal(c->subject, "C=DE,O=\xc3\x84mpel\\2c Ltd,OU=a\\5cb\\0ac,"
					"oid-55042d=odd,CN=many names");
	assert_string_equal(c->issuer, "CN=issuer");
	assert_string_equal(c->serial, "f1e2d3c4b5a697");
	assert_int_equal(c->not_before, 1582977601);
	assert_int_equal(c->not_after, 2871763199);
	assert_false(c->is_ca);
	assert_vector(c->sha256, 32,
		      "ff2462e550471acff5d80a3d34f88308a7c0bd3210212b778e491f360f9770a0");
	assert_int_equal(c->n_sans, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(c->sans[i].type, want[i].type);
		assert_string_equal(c->sans[i].text, want[i].text);
	}
	AUTO_BUF struct buf out = BUF_INIT(1 << 16);
	EXPECT_OK(x509_to_pem(c, &out, &err));
	assert_true(buf_equal(&out, &pem));
}

static void hosts(void **state UNUSED)
{
	static const struct {
		const char *host;
		bool named;
	} cases[] = {
		{ "vault.svc", true },
		{ "VAULT.Svc", true },
		{ "vault.svc.", true },
		{ "vault.svc..", false },
		{ ".", false },
		{ "a.vault.svc.cluster.local.", true },
		{ "10.0.0.1.", false },
		{ "x.vault.svc", false },
		{ "a.vault.svc.cluster.local", true },
		{ "a.b.vault.svc.cluster.local", false },
		{ "vault.svc.cluster.local", false },
		{ ".vault.svc.cluster.local", false },
		{ "10.0.0.1", true },
		{ "10.0.0.2", false },
		{ "2001:DB8:0::1", true },
		{ "2001:db8::2", false },
		{ "many names", false },
		{ "a@example.org", false },
		{ "", false },
	};
	AUTO_BUF struct buf pem = read_file(CERTS "names.pem");
	AUTO_X509 struct x509 *c = NULL;
	EXPECT_OK(x509_from_pem(bytes_in(&pem), &c, &err));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (x509_names_host(c, cases[i].host) != cases[i].named)
			fail_msg("%s", cases[i].host);
}

// DNS names "127.0.0.1", "*.0.0.1", "*.svc" and "localhost" NUL ".evil.example".
static void names_in_disguise(void **state UNUSED)
{
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.1.", "1.0.0.1.",
					     "vault.svc", "localhost" };
	AUTO_BUF struct buf pem = read_file(CERTS "disguise.pem");
	AUTO_X509 struct x509 *c = NULL;
	EXPECT_OK(x509_from_pem(bytes_in(&pem), &c, &err));
	assert_int_equal(c->n_sans, 4);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (x509_names_host(c, hosts[i]))
			fail_msg("%s", hosts[i]);
}

static void a_chain_in_order(void **state UNUSED)
{
	AUTO_BUF struct buf pem = read_file(CERTS "chain.pem");
	AUTO_X509_CHAIN struct x509_chain c = { 0 };
	EXPECT_OK(x509_chain_from_pem(bytes_in(&pem), &c, &err));
	assert_int_equal(c.n, 3);
	assert_string_equal(c.certs[0]->subject, "CN=leaf");
	assert_string_equal(c.certs[2]->subject, "CN=root");
	assert_true(c.certs[1]->is_ca);
	assert_int_equal(c.certs[2]->not_before, 915148800);
	EXPECT_OK(x509_issued_by(c.certs[0], c.certs[1], &err));
	EXPECT_OK(x509_issued_by(c.certs[1], c.certs[2], &err));
	EXPECT_OK(x509_issued_by(c.certs[2], c.certs[2], &err));
	EXPECT_FAIL(ERR_DENIED, x509_issued_by(c.certs[0], c.certs[2], &err));
	EXPECT_FAIL(ERR_DENIED, x509_issued_by(c.certs[1], c.certs[0], &err));
}

static void a_changed_certificate_was_not_issued(void **state UNUSED)
{
	AUTO_BUF struct buf pem = read_file(CERTS "chain.pem");
	AUTO_X509_CHAIN struct x509_chain c = { 0 };
	EXPECT_OK(x509_chain_from_pem(bytes_in(&pem), &c, &err));
	for (int i = 0; i < 2; i++) {
		struct x509 *cert = c.certs[i];
		AUTO_BUF struct buf der = BUF_INIT(PEM_DER_MAX);
		buf_add(&der, cert->der.data, cert->der.len);
		der.data[cert->spki.p + cert->spki.len - 1 -
			 (unsigned char *)cert->der.data] ^= 1;
		AUTO_X509 struct x509 *changed = NULL;
		EXPECT_OK(x509_from_der(bytes_in(&der), &changed, &err));
		EXPECT_FAIL(ERR_DENIED, x509_issued_by(changed, c.certs[i + 1], &err));
	}
	AUTO_BUF struct buf ed = read_file(CERTS "ed25519.pem");
	AUTO_X509 struct x509 *e = NULL;
	EXPECT_OK(x509_from_pem(bytes_in(&ed), &e, &err));
	EXPECT_FAIL(ERR_CONFIG, x509_issued_by(e, e, &err));
}

static void keys_match(void **state UNUSED)
{
	static const struct {
		const char *key;
		int which;
	} pairs[] = { { KEYS "p256.pkcs8.pem", 0 },
		      { KEYS "p384.pem", 1 },
		      { KEYS "rsa3072.pem", 2 } };
	AUTO_BUF struct buf pem = read_file(CERTS "chain.pem");
	AUTO_X509_CHAIN struct x509_chain c = { 0 };
	EXPECT_OK(x509_chain_from_pem(bytes_in(&pem), &c, &err));
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		AUTO_BUF struct buf key_pem = read_file(pairs[i].key);
		AUTO_PKEY struct pkey *k = NULL;
		AUTO_PKEY struct pkey *pub = NULL;
		EXPECT_OK(pkey_from_pem(bytes_in(&key_pem), &k, &err));
		EXPECT_OK(pkey_public_from_der(c.certs[i]->spki, &pub, &err));
		EXPECT_OK(x509_matches_key(c.certs[i], k, &err));
		EXPECT_OK(x509_matches_key(c.certs[i], pub, &err));
		EXPECT_FAIL(ERR_CONFIG, x509_matches_key(c.certs[(i + 1) % 3], k, &err));
	}
}

static void cut_or_damaged(void **state UNUSED)
{
	AUTO_BUF struct buf pem = read_file(CERTS "names.pem");
	AUTO_X509 struct x509 *good = NULL;
	EXPECT_OK(x509_from_pem(bytes_in(&pem), &good, &err));
	struct x509 *c = NULL;
	for (size_t len = 0; len < good->der.len; len++)
		EXPECT_FAIL(ERR_CONFIG,
			    x509_from_der(bytes_of(good->der.data, len), &c, &err));
	AUTO_BUF struct buf longer = BUF_INIT(PEM_DER_MAX);
	buf_add(&longer, good->der.data, good->der.len);
	buf_putc(&longer, '\0');
	EXPECT_FAIL(ERR_CONFIG, x509_from_der(bytes_in(&longer), &c, &err));
	// Whatever a changed byte makes of it, nothing may break.
	for (size_t i = 0; i < good->der.len; i++) {
		good->der.data[i] ^= (char)(1 << i % 8);
		AUTO_X509 struct x509 *odd = NULL;
		(void)!x509_from_der(bytes_in(&good->der), &odd, NULL);
		good->der.data[i] ^= (char)(1 << i % 8);
	}
	EXPECT_FAIL(ERR_MISSING, x509_from_pem(BYTES_NONE, &c, &err));
	struct x509_chain chain = { 0 };
	EXPECT_FAIL(ERR_MISSING, x509_chain_from_pem(BYTES_NONE, &chain, &err));
}

// A CA and a leaf, as the webhook makes them.
struct made {
	struct pkey *ca_key, *key;
	struct x509 *ca, *leaf;
};

static void made_release(struct made *m)
{
	x509_free(m->leaf);
	x509_free(m->ca);
	pkey_free(m->key);
	pkey_free(m->ca_key);
}

static const char *const names[] = { "ampoule-webhook.ampoule.svc", "*.example.org",
				     "127.0.0.1", "::1" };

static void make_both(struct made *m, int64_t from, int64_t to)
{
	const struct x509_spec ca = { .common_name = "ampoule CA",
				      .not_before = from,
				      .not_after = to };
	const struct x509_spec leaf = { .common_name = "ampoule-webhook.ampoule.svc",
					.names = names,
					.n_names = ARRAY_LEN(names),
					.not_before = from,
					.not_after = to };
	EXPECT_OK(pkey_generate_p256(&m->ca_key, &err));
	EXPECT_OK(pkey_generate_p256(&m->key, &err));
	EXPECT_OK(x509_make_ca(&ca, m->ca_key, &m->ca, &err));
	const struct x509_issuer by = { .cert = m->ca, .key = m->ca_key };
	EXPECT_OK(x509_make_leaf(&leaf, m->key, &by, &m->leaf, &err));
}

static void made_certificates(void **state UNUSED)
{
	AUTO(made_release) struct made m = { 0 };
	make_both(&m, 1700000000, 2600000000);
	assert_string_equal(m.ca->subject, "CN=ampoule CA");
	assert_string_equal(m.ca->issuer, "CN=ampoule CA");
	assert_string_equal(m.leaf->issuer, "CN=ampoule CA");
	assert_true(m.ca->is_ca);
	assert_false(m.leaf->is_ca);
	assert_int_equal(m.leaf->not_before, 1700000000);
	assert_int_equal(m.leaf->not_after, 2600000000); // after 2050: GeneralizedTime
	assert_int_equal(m.leaf->n_sans, ARRAY_LEN(names));
	assert_int_equal(strlen(m.leaf->serial), 32);
	assert_string_not_equal(m.leaf->serial, m.ca->serial);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(m.leaf->sans[i].text, names[i]);
	assert_true(x509_names_host(m.leaf, "127.0.0.1"));
	assert_true(x509_names_host(m.leaf, "a.example.org"));
	EXPECT_OK(x509_issued_by(m.ca, m.ca, &err));
	EXPECT_OK(x509_issued_by(m.leaf, m.ca, &err));
	EXPECT_FAIL(ERR_DENIED, x509_issued_by(m.ca, m.leaf, &err));
	EXPECT_OK(x509_matches_key(m.leaf, m.key, &err));
	EXPECT_FAIL(ERR_CONFIG, x509_matches_key(m.leaf, m.ca_key, &err));
	AUTO(made_release) struct made other = { 0 };
	make_both(&other, 1700000000, 2600000000);
	EXPECT_FAIL(ERR_DENIED, x509_issued_by(m.leaf, other.ca, &err));
}

static void dates_survive(void **state UNUSED)
{
	static const int64_t dates[] = {
		-631152000, // 1950-01-01, the first UTCTime
		0,
		951782399,
		951782400,
		951868799, // 1970; around 2000-02-29
		2524607999,
		2524608000,   // the last UTCTime, the first GeneralizedTime
		4107542400,   // 2100-03-01: no leap year
		253402300798, // 9999-12-31T23:59:58
	};
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		AUTO(made_release) struct made m = { 0 };
		make_both(&m, dates[i], dates[i] + 1);
		assert_int_equal(m.leaf->not_before, dates[i]);
		assert_int_equal(m.leaf->not_after, dates[i] + 1);
	}
}

static void refused_specs(void **state UNUSED)
{
	AUTO(made_release) struct made m = { 0 };
	make_both(&m, 0, 1);
	const struct x509_issuer by = { .cert = m.ca, .key = m.ca_key };
	static const char *const blank[] = { "a b" }, *const none[] = { "" },
				 *const utf8[] = { "\xc3\xa4.de" };
	const struct x509_spec bad[] = {
		{ .common_name = "", .not_after = 1 },
		{ .common_name = NULL, .not_after = 1 },
		{ .common_name = "1234567890123456789012345678901234567890123456789012345"
				 "6789012345",
		  .not_after = 1 },
		{ .common_name = "\xff", .not_after = 1 },
		{ .common_name = "x", .not_before = 1, .not_after = 1 },
		{ .common_name = "x", .not_after = 1, .names = blank, .n_names = 1 },
		{ .common_name = "x", .not_after = 1, .names = none, .n_names = 1 },
		{ .common_name = "x", .not_after = 1, .names = utf8, .n_names = 1 },
	};
	struct x509 *c = NULL;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_FAIL(ERR_CONFIG, x509_make_leaf(&bad[i], m.key, &by, &c, &err));
	assert_null(c);
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(&err))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_certificate_says),
		cmocka_unit_test(hosts),
		cmocka_unit_test(names_in_disguise),
		cmocka_unit_test(a_chain_in_order),
		cmocka_unit_test(a_changed_certificate_was_not_issued),
		cmocka_unit_test(keys_match),
		cmocka_unit_test(cut_or_damaged),
		cmocka_unit_test(made_certificates),
		cmocka_unit_test(dates_survive),
		cmocka_unit_test(refused_specs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
