// SPDX-License-Identifier: Apache-2.0
// links: agent
// The reader's key file of an encrypted sink: read or refused, and what is read serves.
#include <stdint.h>
#include <stdlib.h>

#include "agent/envelope.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char plain[] = "s.token";
	mem_init(false);
	unsigned char key[X25519_LEN] = { 0 };
	struct err e = ERR_INIT;
	if (!envelope_key((const char *)data, size, key, &e)) {
		if (e.kind == ERR_NONE || !*e.text)
			abort();
		return 0;
	}
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct envelope how = { .reader = key,
				.derive_key = size % 2,
				.aad = BYTES_NONE };
	// Refused are only points of small order.
	if (!envelope_seal(&how, BYTES_OF(plain), &out, &e) && e.kind != ERR_DENIED)
		abort();
	return 0;
}
