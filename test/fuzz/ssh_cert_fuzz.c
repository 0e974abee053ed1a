// SPDX-License-Identifier: Apache-2.0
// links: stores
// A signed SSH key of a store's answer: as text, and as the bytes that the text means.
#include <stdint.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "stores/ssh_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	uint64_t end;
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);
	ssh_cert_end(text, &end);
	buf_puts(&b, "type ");
	codec_b64_encode(data, size, B64_STD, &b);
	ssh_cert_end(buf_str(&b), &end);
	return 0;
}
