// SPDX-License-Identifier: Apache-2.0
// Certificates that are there already: which pair is taken, and when none is.
#include "agent/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/x509.h"

enum { FROM_S = 1000000, TO_S = 1001000, TEXT = 64 * 1024 };

static struct pkey *ca_key, *leaf_key;
static struct x509 *ca, *leaf;

static int make(void **t)
{
	static const char *const names[] = { "app.example", "10.0.0.1" };
	struct x509_spec root = { .common_name = "root",
				  .not_before = FROM_S,
				  .not_after = TO_S + 1000 };
	struct x509_spec spec = { .common_name = "app.example",
				  .names = names,
				  .n_names = 2,
				  .not_before = FROM_S,
				  .not_after = TO_S };
	(void)t;
	bool ok = pkey_generate_p256(&ca_key, NULL) &&
		  pkey_generate_p256(&leaf_key, NULL) &&
		  x509_make_ca(&root, ca_key, &ca, NULL) &&
		  x509_make_leaf(&spec, leaf_key,
				 &(struct x509_issuer){ .cert = ca, .key = ca_key },
				 &leaf, NULL);
	return ok ? 0 : -1;
}

static int drop(void **t)
{
	(void)t;
	pkey_free(ca_key);
	pkey_free(leaf_key);
	x509_free(ca);
	x509_free(leaf);
	return 0;
}

static bool find(const struct buf *text, const char *params, int64_t now_s,
		 struct pki_found *ret)
{
	AUTO_JSON json_t *p = json_loads(params, 0, NULL);
	struct pki_want w = { .params = p, .now_ms = now_s * 1000 };
	return pki_find(bytes_of(text->data, text->len), &w, ret);
}

static void release(struct pki_found *f)
{
	json_decref(f->body);
	mem_free(f->serial);
}

static void found(const struct buf *text, const char *params, int64_t now_s)
{
	struct pki_found f;
	assert_true(find(text, params, now_s, &f));
	release(&f);
}

static void not_found(const struct buf *text, const char *params, int64_t now_s)
{
	struct pki_found f;
	assert_false(find(text, params, now_s, &f));
}

static void takes_the_pair_as_it_is_written(void **t)
{
	(void)t;
	AUTO_BUF struct buf text = BUF_INIT(TEXT), cert = BUF_INIT(TEXT);
	struct pki_found f;
	buf_puts(&text, "# a comment\n");
	assert_true(pkey_to_pem(ca_key, &text, NULL)); // not the leaf's
	assert_true(x509_to_pem(ca, &text, NULL));
	assert_true(x509_to_pem(leaf, &text, NULL));
	assert_true(pkey_to_pem(leaf_key, &text, NULL));
	assert_true(x509_to_pem(leaf, &cert, NULL));
	assert_true(find(&text, "{\"common_name\":\"app.example\"}", FROM_S + 100, &f));
	json_t *data = json_object_get(f.body, "data");
	const char *got = json_string_value(json_object_get(data, "certificate"));
	assert_int_equal(strncmp(buf_str(&cert), got, strlen(got)), 0);
	assert_int_equal(strlen(got) + 1, cert.len); // without the line's end
	assert_non_null(json_object_get(data, "issuing_ca"));
	assert_int_equal(json_array_size(json_object_get(data, "ca_chain")), 1);
	assert_int_equal(f.left_ms, 800 * 1000);
	assert_string_equal(f.serial, leaf->serial);
	release(&f);
}

static void names_and_times_decide(void **t)
{
	(void)t;
	AUTO_BUF struct buf text = BUF_INIT(TEXT);
	assert_true(x509_to_pem(leaf, &text, NULL));
	assert_true(pkey_to_pem(leaf_key, &text, NULL));
	found(&text, "{}", FROM_S);
	found(&text, "{\"alt_names\":\"app.example\",\"ip_sans\":\"10.0.0.1\"}", FROM_S);
	not_found(&text, "{\"common_name\":\"b.example\"}", FROM_S);
	not_found(&text, "{\"alt_names\":\"app.example, b.example\"}", FROM_S);
	not_found(&text, "{\"ip_sans\":\"10.0.0.2\"}", FROM_S);
	not_found(&text, "{}", FROM_S - 1);
	found(&text, "{}", FROM_S + 899);
	not_found(&text, "{}", FROM_S + 900); // nine tenths are over
}

static void half_a_pair_is_none(void **t)
{
	(void)t;
	AUTO_BUF struct buf cert = BUF_INIT(TEXT), other = BUF_INIT(TEXT);
	AUTO_BUF struct buf root = BUF_INIT(TEXT);
	assert_true(x509_to_pem(leaf, &cert, NULL));
	not_found(&cert, "{}", FROM_S);
	assert_true(x509_to_pem(leaf, &other, NULL) && pkey_to_pem(ca_key, &other, NULL));
	not_found(&other, "{}", FROM_S);
	assert_true(x509_to_pem(ca, &root, NULL) && pkey_to_pem(ca_key, &root, NULL));
	not_found(&root, "{}", FROM_S); // an authority is no leaf
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_pair_as_it_is_written),
		cmocka_unit_test(names_and_times_decide),
		cmocka_unit_test(half_a_pair_is_none),
	};
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, make, drop);
}
