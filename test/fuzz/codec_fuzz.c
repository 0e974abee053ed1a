// SPDX-License-Identifier: Apache-2.0
// links: lib/base
// Decoders are strict: what one accepts is exactly what the encoder writes.
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_base64(const char *text, size_t len, unsigned flags)
{
	AUTO_BUF struct buf plain = BUF_INIT(len);
	AUTO_BUF struct buf again = BUF_INIT(2 * len + 8);
	if (!codec_b64_decode(text, len, flags, &plain, NULL)) {
		assert(plain.len == 0);
		return;
	}
	assert(codec_b64_encode(plain.data, plain.len, flags, &again));
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if ((flags & B64_NEWLINES) && (text[i] == '\r' || text[i] == '\n'))
			continue;
		assert(n < again.len && again.data[n] == text[i]);
		n++;
	}
	assert(n == again.len);
}

static void check_hex(const char *text, size_t len)
{
	AUTO_BUF struct buf plain = BUF_INIT(len);
	AUTO_BUF struct buf again = BUF_INIT(len);
	if (!codec_hex_decode(text, len, &plain, NULL))
		return;
	assert(codec_hex_encode(plain.data, plain.len, &again) && again.len == len);
	for (size_t i = 0; i < len; i++)
		assert(again.data[i] == tolower((unsigned char)text[i]));
}

static void check_url(const char *text, size_t len)
{
	AUTO_BUF struct buf plain = BUF_INIT(len);
	AUTO_BUF struct buf escaped = BUF_INIT(3 * len);
	AUTO_BUF struct buf again = BUF_INIT(len);
	(void)!codec_url_unescape(text, len, &plain, NULL);
	assert(codec_url_escape(text, len, "/", &escaped));
	assert(codec_url_unescape(buf_str(&escaped), escaped.len, &again, NULL));
	assert(again.len == len && (len == 0 || memcmp(again.data, text, len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	if (!started)
		mem_init(false);
	started = true;
	for (unsigned flags = 0; flags < 8; flags++)
		check_base64((const char *)data, size, flags);
	check_hex((const char *)data, size);
	check_url((const char *)data, size);
	return 0;
}
