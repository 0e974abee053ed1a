// SPDX-License-Identifier: Apache-2.0
// links: stores
// The claims of a token, as messages tell them: one line, short, printable.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "stores/auth/jwt_claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void describe(const char *token)
{
	AUTO_BUF struct buf b = BUF_INIT(4096);
	jwt_describe(token, INT64_C(1795237329000), &b);
	if (b.len > 700 || buf_failed(&b))
		abort();
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.data[i] < ' ' || b.data[i] == 0x7f)
			abort();
}

// The input is a token, and the claims of one.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	AUTO_FREE char *token = mem_strndup((const char *)data, size);
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);
	describe(token);
	buf_puts(&b, "e30.");
	codec_b64_encode(data, size, B64_URL | B64_NOPAD, &b);
	buf_puts(&b, ".c2ln");
	describe(buf_str(&b));
	return 0;
}
