// SPDX-License-Identifier: Apache-2.0
// The header lines of an answer, as a server sent them. Pure and fuzzed.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"

enum { HTTP_HEADERS_MAX = 64 * 1024 };

struct http_headers {
	struct buf text; // name NUL value NUL, …
};

#define HTTP_HEADERS_INIT                                                                \
	{                                                                                \
		.text = BUF_INIT(HTTP_HEADERS_MAX)                                       \
	}

void http_headers_release(struct http_headers *h);
void http_headers_reset(struct http_headers *h);

// One line with or without its CR LF. A status line ("HTTP/1.1 200 OK") begins a new
// answer and forgets what came before (100 Continue, a redirect). An empty line, one
// without a colon, a folded one and one with a NUL are passed over. False beyond
// HTTP_HEADERS_MAX.
bool http_headers_add(struct http_headers *h, const char *line, size_t len);

// The first value of that name in any case, or NULL.
const char *http_headers_get(const struct http_headers *h, const char *name);
