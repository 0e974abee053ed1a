// SPDX-License-Identifier: Apache-2.0
// FORMAT.md's vectors (test/cases/seal/vectors): what a reader gets out of a file, line by
// line; who signed it; and its generation.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"
#include "stores/sealed_read.h"
#include "stores/sealed_update.h"
#include "stores/sealed_word.h"
#include "stores/store.h"

#define VECTORS "test/cases/seal/vectors/"
static const char writer[] =
	"ampoule-writer1v9q0fzk0ptu7a9kw0akxxs8elaq7xge5tgr8ndzwqjue9er76tusdg7kwt";

static struct sealed_file file;
static struct age_keyring *ring;

static int setup(void **state)
{
	(void)state;
	AUTO_BUF struct buf key = BUF_INIT(4096);
	struct err e = ERR_INIT;
	ring = age_keyring_new();
	if (file_read(VECTORS "identity.txt", &key, &e) &&
	    age_keyring_parse(ring, (struct str){ key.data, key.len }, "identity.txt",
			      &e) &&
	    sealed_load(VECTORS "vectors.sealed", &file, &e))
		return 0;
	print_error("%s\n", e.text);
	return -1;
}

static int teardown(void **state)
{
	(void)state;
	age_keyring_free(ring);
	sealed_file_release(&file);
	return 0;
}

// A value as expected.txt writes it.
static void show(const struct buf *value, struct buf *to)
{
	unsigned char sum[DIGEST_SHA256_LEN];
	if (value->len == 0) {
		buf_puts(to, "-");
	} else if (value->len < 1000) {
		codec_b64_encode(value->data, value->len, B64_STD, to);
	} else {
		assert_true(digest_of(DIGEST_SHA256, bytes_of(value->data, value->len),
				      sum, NULL));
		buf_puts(to, "sha256:");
		codec_hex_encode(sum, sizeof(sum), to);
	}
}

static void check_vector(const char *path, uint64_t version, struct str want)
{
	struct sealed_place place = { "shop", "web" };
	struct sealed_reader r = { .file = &file, .ring = ring, .place = &place };
	AUTO_SEALED_VALUE struct sealed_value value = SEALED_VALUE_INIT;
	AUTO_BUF struct buf got = BUF_INIT(4096);
	struct err e = ERR_INIT;
	if (sealed_read(&r, path, version, &value, &e))
		show(&value.bytes, &got);
	else
		buf_puts(&got, e.cause == STORE_GONE ? "gone" : err_kind_name(e.kind));
	if (!str_eq(want, buf_str(&got)))
		fail_msg("%s %d: %s, not %.*s", path, (int)version, buf_str(&got),
			 (int)want.len, want.p);
}

static void test_vectors(void **state)
{
	(void)state;
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);
	assert_true(file_read(VECTORS "expected.txt", &text, NULL));
	struct str rest = { text.data, text.len }, line, path, version;
	unsigned n = 0;
	while (str_next(&rest, '\n', &line)) {
		uint64_t number = 0;
		if (line.len == 0 || line.p[0] == '#')
			continue;
		assert_true(str_next(&line, ' ', &path) &&
			    str_next(&line, ' ', &version));
		if (!str_eq(version, "0"))
			assert_true(sealed_version_read(version, &number, NULL));
		AUTO_FREE char *name = mem_strndup(path.p, path.len);
		check_vector(name, number, line);
		n++;
	}
	assert_int_equal(n, 17);
}

static void test_signatures(void **state)
{
	(void)state;
	struct sealed_writers known = { 0 };
	struct sealed_writer w;
	assert_true(sealed_writers_add(&known, str_of(writer), NULL));
	static const struct {
		const char *path;
		uint64_t version;
		const char *why; // NULL: good
	} cases[] = { { "db/password", 1, "no writer's signature" },
		      { "db/password", 2, NULL },
		      { "db/password", 3, NULL },
		      { "stolen-signature", 1, "the line was changed" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		const struct sealed_line *l =
			sealed_file_find(&file, cases[i].path, cases[i].version);
		assert_int_equal(sealed_verify(l, &known, &w, &e), cases[i].why == NULL);
		if (cases[i].why)
			assert_non_null(strstr(e.text, cases[i].why));
	}
}

static void test_generation(void **state)
{
	(void)state;
	assert_int_equal(sealed_file_generation(&file, NULL, NULL), 14);
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors),
					    cmocka_unit_test(test_signatures),
					    cmocka_unit_test(test_generation) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
