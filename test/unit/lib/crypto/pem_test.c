// SPDX-License-Identifier: Apache-2.0
// PEM blocks: what is read, what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/crypto/pem.h"
#include "test/support/expect.h"

#define A "-----BEGIN A-----\nYWFh\n-----END A-----\n"
#define B "-----BEGIN B KEY-----\r\n Y m\tJi\r\n-----END B KEY-----"

static void blocks_in_order(void **state UNUSED)
{
	struct bytes rest = bytes_of_str("a bundle\n" A "# more\n" B "\ntail ----- END");
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	EXPECT_OK(pem_next(&rest, &b, &err));
	assert_string_equal(b.label, "A");
	assert_string_equal(buf_str(&b.der), "aaa");
	EXPECT_OK(pem_next(&rest, &b, &err));
	assert_string_equal(b.label, "B KEY");
	assert_string_equal(buf_str(&b.der), "bbb");
	EXPECT_OK(pem_next(&rest, &b, &err));
	assert_string_equal(b.label, "");
	assert_int_equal(rest.len, 0);
	EXPECT_OK(pem_next(&rest, &b, &err));
	assert_string_equal(b.label, "");
}

static void found_by_label(void **state UNUSED)
{
	struct bytes pem = bytes_of_str(A B);
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	EXPECT_OK(pem_find(pem, "*KEY", &b, &err));
	assert_string_equal(b.label, "B KEY");
	EXPECT_OK(pem_find(pem, "A", &b, &err));
	EXPECT_FAIL(ERR_MISSING, pem_find(pem, "KEY", &b, &err));
	EXPECT_FAIL(ERR_MISSING, pem_find(pem, "*B KEYS", &b, &err));
	EXPECT_FAIL(ERR_MISSING, pem_find(BYTES_NONE, "A", &b, &err));
}

static void malformed(void **state UNUSED)
{
	static const char *const texts[] = {
		"-----BEGIN A-----\nYWFh\n",
		"-----BEGIN A-----\nYWFh\n-----END B-----\n",
		"-----BEGIN A-----\nYWF\n-----END A-----\n",
		"-----BEGIN A-----\nYWF%\n-----END A-----\n",
		"-----BEGIN A-----\nYWFh=\n-----END A-----\n",
		"-----BEGIN A\nYWFh\n-----END A-----\n",
		"-----BEGIN ",
		"-----BEGIN -----\nYWFh\n-----END -----\n",
		"-----BEGIN a-----\nYWFh\n-----END a-----\n",
		"-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nYWFh\n-----END A-----\n",
		"-----BEGIN "
		"AAAAAAAAAABBBBBBBBBBAAAAAAAAAABBBBBBBBBBAAAAAAAAAABBBBBBBBBBCCCCC-----\n"
		"YWFh\n"
		"-----END "
		"AAAAAAAAAABBBBBBBBBBAAAAAAAAAABBBBBBBBBBAAAAAAAAAABBBBBBBBBBCCCCC-----"
		"\n",
	};
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct bytes rest = bytes_of_str(texts[i]);
		EXPECT_FAIL(ERR_CONFIG, pem_next(&rest, &b, &err));
		assert_string_equal(b.label, "");
	}
}

static void written_and_read(void **state UNUSED)
{
	AUTO_FREE unsigned char *der = mem_alloc(PEM_DER_MAX + 1);
	for (size_t i = 0; i < PEM_DER_MAX; i++)
		der[i] = (unsigned char)(i * 31);
	static const size_t lens[] = { 0, 1, 47, 48, 49, 96, PEM_DER_MAX };
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		AUTO_BUF struct buf text = BUF_INIT(1 << 20);
		AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
		EXPECT_OK(pem_write("SOME THING", bytes_of(der, lens[i]), &text, &err));
		struct bytes rest = bytes_of(text.data, text.len);
		EXPECT_OK(pem_next(&rest, &b, &err));
		assert_int_equal(b.der.len, lens[i]);
		assert_memory_equal(buf_str(&b.der), der, lens[i]);
	}
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	EXPECT_OK(pem_write("X", bytes_of(der, PEM_DER_MAX + 1), &text, &err));
	struct bytes rest = bytes_of(text.data, text.len);
	EXPECT_FAIL(ERR_LIMIT, pem_next(&rest, &b, &err));
	AUTO_BUF struct buf small = BUF_INIT(20);
	EXPECT_FAIL(ERR_LIMIT, pem_write("X", bytes_of(der, 9), &small, &err));
	assert_int_equal(small.len, 0);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_in_order),
		cmocka_unit_test(found_by_label),
		cmocka_unit_test(malformed),
		cmocka_unit_test(written_and_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
