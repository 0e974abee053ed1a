// SPDX-License-Identifier: Apache-2.0
// The parsers of what a client sends: the head of a request and a chunked body. Pure and
// fuzzed (test/fuzz/http_server_fuzz.c).
//
// Strict: where two readers could disagree about where a message ends, the request is
// refused (RFC 9112 sections 2.2, 5, 6, 11): a bare LF, a folded line, a space before the
// colon, a NUL or another control character, Content-Length twice (even if equal) or with
// Transfer-Encoding, any coding but "chunked", HTTP/1.1 without exactly one Host, an
// absolute target (this is no forward proxy).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

enum {
	HTTP_FIELDS_MAX = 48, // header lines of a request
	HTTP_CHUNK_LINE_MAX = 64,
	HTTP_TRAILERS_MAX = 2048,
};

struct http_field {
	struct str name, value; // value without the blanks around it
};

// Views into the bytes that were parsed.
struct http_head {
	struct str method;
	struct str target; // "/v1/x?list=true", as sent; or "*" for OPTIONS
	struct str path;   // of the target, before '?'; percent-encoding as sent
	struct str query;  // behind '?', empty without one
	bool http10;
	bool keep_alive; // the client would go on with this connection
	bool chunked;
	bool wants_continue;     // Expect: 100-continue
	uint64_t content_length; // 0 when absent or chunked
	size_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
};

// The first value of that name (any case); empty when there is none.
struct str http_head_field(const struct http_head *h, const char *name);

// The length of the head that `bytes` begins with, the empty line included; 0 when its end
// is not there yet. One empty line before it is part of it. *scanned (0 at first) keeps
// what was looked at, so that a head that comes byte by byte costs no square.
size_t http_head_end(const char *bytes, size_t len, size_t *scanned);

// Parses a whole head (http_head_end() bytes). 0 is success; else the status to answer
// (400, 417, 431, 501, 505), with *ret_reason saying in a few fixed words what is wrong.
int http_head_parse(const char *bytes, size_t len, struct http_head *ret,
		    const char **ret_reason);

// A chunked body, decoded as it comes; zero is its beginning.
struct http_chunked {
	uint64_t left; // of the present chunk
	size_t line;   // bytes of the present size line, or of the trailers
	unsigned state;
};

enum http_chunked_result {
	HTTP_CHUNKED_MORE,
	HTTP_CHUNKED_END,
	HTTP_CHUNKED_BAD,
	HTTP_CHUNKED_TOO_LONG
};

// Takes bytes and appends what they decode to; *ret_used tells how many were taken (all of
// them unless the body ended or was refused). TOO_LONG: `to` would exceed its maximum.
// Trailers are read and dropped.
enum http_chunked_result http_chunked_take(struct http_chunked *c, const char *bytes,
					   size_t len, size_t *ret_used, struct buf *to);
