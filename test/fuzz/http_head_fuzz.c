// SPDX-License-Identifier: Apache-2.0
// links: lib/http
// A request's head and a chunked body, as a client may send them: whole, and cut in two at
// the place that the first byte names. Both readings must agree.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/http/server_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 4096 };

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static void expect_within(struct str s, const char *bytes, size_t len)
{
	expect(s.len == 0 || (s.p >= bytes && s.p + s.len <= bytes + len));
	for (size_t i = 0; i < s.len; i++)
		expect(s.p[i] && s.p[i] != '\r' && s.p[i] != '\n');
}

static void parse_head(const char *bytes, size_t len)
{
	struct http_head h;
	const char *reason = NULL;
	int status = http_head_parse(bytes, len, &h, &reason);
	expect(status == 0 || (status >= 400 && status < 600 && reason));
	if (status)
		return;
	expect_within(h.method, bytes, len);
	expect_within(h.path, bytes, len);
	expect_within(h.query, bytes, len);
	expect(h.method.len && (*h.path.p == '/' || *h.path.p == '*'));
	expect(!h.chunked || (h.content_length == 0 && !h.http10));
	expect(h.n_fields <= HTTP_FIELDS_MAX);
	for (size_t i = 0; i < h.n_fields; i++) {
		expect(h.fields[i].name.len);
		expect_within(h.fields[i].name, bytes, len);
		expect_within(h.fields[i].value, bytes, len);
	}
	expect(h.http10 || http_head_field(&h, "hOST").p != NULL);
}

static void read_head(const char *bytes, size_t len, size_t cut)
{
	size_t scanned = 0, again = 0;
	size_t end = http_head_end(bytes, len, &scanned);
	size_t first = http_head_end(bytes, cut, &again);
	if (!first)
		first = http_head_end(bytes, len, &again);
	expect(end == first && end <= len);
	if (end) {
		// A copy of its own, so that a read beyond the head is found.
		char *head = mem_dup(bytes, end);
		parse_head(head, end);
		mem_free(head);
	}
}

static enum http_chunked_result read_chunks(const char *bytes, size_t len, size_t cut,
					    size_t *ret_used, struct buf *to)
{
	struct http_chunked c = { .state = 0 };
	enum http_chunked_result r = http_chunked_take(&c, bytes, cut, ret_used, to);
	size_t more = 0;
	if (r == HTTP_CHUNKED_MORE) {
		expect(*ret_used == cut);
		r = http_chunked_take(&c, bytes + cut, len - cut, &more, to);
		*ret_used += more;
	}
	expect(*ret_used <= len && to->len <= BODY_MAX);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t len = size - 1, cut = data[0] < len ? data[0] : len;
	char *bytes = mem_dup(data + 1, len);
	read_head(bytes, len, cut);
	struct buf whole = BUF_INIT(BODY_MAX), parts = BUF_INIT(BODY_MAX);
	size_t used = 0, used_parts = 0;
	enum http_chunked_result a = read_chunks(bytes, len, 0, &used, &whole);
	enum http_chunked_result b = read_chunks(bytes, len, cut, &used_parts, &parts);
	// Beyond the limit a chunk is refused as a whole piece, so less may have been taken.
	expect(a == b && (a == HTTP_CHUNKED_TOO_LONG ||
			  (used == used_parts && buf_equal(&whole, &parts))));
	buf_release(&whole);
	buf_release(&parts);
	mem_free(bytes);
	return 0;
}
