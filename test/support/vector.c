// SPDX-License-Identifier: Apache-2.0
// Test vectors in hex.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "test/support/vector.h"

static unsigned nibble(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	fail_msg("'%c' is no hex letter", c);
	return 0;
}

struct bytes vector(const char *hex)
{
	static unsigned char buffers[8][VECTOR_MAX];
	static unsigned next;
	unsigned char *to = buffers[next++ % 8];
	size_t n = 0;
	for (const char *p = hex; *p; p++) {
		if (*p == ' ' || *p == '\n')
			continue;
		assert_true(n < VECTOR_MAX);
		to[n] = (unsigned char)(nibble(p[0]) << 4 | nibble(p[1]));
		n++, p++;
	}
	return bytes_of(to, n);
}

void assert_vector(const void *p, size_t len, const char *hex)
{
	struct bytes want = vector(hex);
	assert_int_equal(len, want.len);
	assert_memory_equal(p, want.p, len);
}
