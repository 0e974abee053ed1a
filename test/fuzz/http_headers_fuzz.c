// SPDX-License-Identifier: Apache-2.0
// links: lib/http
// An answer's header lines, and what is read from them. The first byte is the client's
// clock, the rest are the lines.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/http/client.h"
#include "lib/http/date.h"
#include "lib/http/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	int64_t now_ms = (int64_t)data[0] << 34;
	struct http_headers h = HTTP_HEADERS_INIT;
	const char *p = (const char *)data + 1, *end = (const char *)data + size;
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop + 1 : end;
		// A copy of its own, so that a read beyond the line is found.
		char *line = mem_dup(p, (size_t)(stop - p));
		bool ok = http_headers_add(&h, line, (size_t)(stop - p));
		mem_free(line);
		if (!ok)
			break;
		p = stop;
	}
	const char *date = http_headers_get(&h, "Date");
	int64_t ms =
		http_retry_after_ms(http_headers_get(&h, "retry-after"), date, now_ms);
	if (ms < 0 || ms > HTTP_RETRY_AFTER_MAX_MS)
		abort();
	int64_t at = 0;
	if (date && http_date_parse(date, now_ms, &at) && at < 0)
		abort();
	if (h.text.len > HTTP_HEADERS_MAX)
		abort();
	http_headers_release(&h);
	return 0;
}
