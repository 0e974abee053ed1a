// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 sections 4 and 5), hex and URL escapes. Decoders are strict: a wrong
// letter, wrong padding or stray bits fail.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum codec_b64 {
	B64_STD = 0,
	B64_URL = 1,      // '-' and '_'
	B64_NOPAD = 2,    // neither written nor accepted
	B64_NEWLINES = 4, // CR and LF are skipped when decoding, as Go does
};

bool codec_b64_encode(const void *bytes, size_t len, unsigned flags, struct buf *to);
MUST_CHECK bool codec_b64_decode(const char *text, size_t len, unsigned flags,
				 struct buf *to, struct err *e);
bool codec_hex_encode(const void *bytes, size_t len, struct buf *to);
MUST_CHECK bool codec_hex_decode(const char *text, size_t len, struct buf *to,
				 struct err *e);

// Percent-encodes all but RFC 3986's unreserved letters and those in `keep` (may be "").
bool codec_url_escape(const char *s, size_t len, const char *keep, struct buf *to);
MUST_CHECK bool codec_url_unescape(const char *s, size_t len, struct buf *to,
				   struct err *e);
