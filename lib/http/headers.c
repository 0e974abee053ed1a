// SPDX-License-Identifier: Apache-2.0
// Header lines, kept as pairs of strings in one buffer.
#include "lib/http/headers.h"

#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "lib/http/client.h"

void http_headers_release(struct http_headers *h)
{
	buf_release(&h->text);
}

void http_headers_reset(struct http_headers *h)
{
	buf_reset(&h->text);
}

bool http_headers_add(struct http_headers *h, const char *line, size_t len)
{
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		http_headers_reset(h);
		return true;
	}
	const char *colon = memchr(line, ':', len);
	if (!colon || colon == line || *line == ' ' || *line == '\t' ||
	    memchr(line, 0, len))
		return true;
	struct str name = str_trim((struct str){ line, (size_t)(colon - line) });
	struct str value =
		str_trim((struct str){ colon + 1, len - (size_t)(colon - line) - 1 });
	size_t before = h->text.len;
	if (buf_add(&h->text, name.p, name.len) && buf_putc(&h->text, '\0') &&
	    buf_add(&h->text, value.p, value.len) && buf_putc(&h->text, '\0'))
		return true;
	buf_truncate(&h->text, before);
	return false;
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
	const char *p = buf_str(&h->text), *end = p + h->text.len;
	while (p < end) {
		const char *value = p + strlen(p) + 1;
		if (strcasecmp(p, name) == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

const char *http_response_header(const struct http_response *r, const char *name)
{
	return http_headers_get(r->headers, name);
}
