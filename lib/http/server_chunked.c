// SPDX-License-Identifier: Apache-2.0
// A chunked request body: size lines, data, trailers; each line bounded, each end CR LF.
#include <string.h>

#include "lib/http/server_head.h"

enum state {
	SIZE,      // digits
	EXTENSION, // ";…" up to CR
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LINE,    // a trailer's first byte, or the CR of the end
	TRAILER, // the rest of a trailer
	TRAILER_LF,
	END_LF,
	ENDED,
	BAD,
};

enum { SIZE_DIGITS_MAX = 8 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum state after_size(struct http_chunked *c, char b)
{
	int v = hex_value(b);
	if (v >= 0) {
		c->left = 16 * c->left + (unsigned)v;
		return c->line <= SIZE_DIGITS_MAX ? SIZE : BAD;
	}
	if (c->line == 1)
		return BAD; // no digit at all
	return b == '\r' ? SIZE_LF : b == ';' ? EXTENSION : BAD;
}

// The next state after one byte that is not data.
static enum state after(struct http_chunked *c, char b)
{
	bool control = ((unsigned char)b < ' ' && b != '\t') || b == 0x7f;
	c->line++;
	switch ((enum state)c->state) {
	case SIZE:
		return after_size(c, b);
	case EXTENSION:
		if (b == '\r')
			return SIZE_LF;
		return control || c->line > HTTP_CHUNK_LINE_MAX ? BAD : EXTENSION;
	case SIZE_LF:
		c->line = 0;
		return b != '\n' ? BAD : c->left ? DATA : LINE;
	case DATA_CR:
		return b == '\r' ? DATA_LF : BAD;
	case DATA_LF:
		c->line = 0;
		return b == '\n' ? SIZE : BAD;
	case LINE:
		return b == '\r'                         ? END_LF
		       : control || b == ' ' || b == ':' ? BAD
							 : TRAILER;
	case TRAILER:
		if (b == '\r')
			return TRAILER_LF;
		return control || c->line > HTTP_TRAILERS_MAX ? BAD : TRAILER;
	case TRAILER_LF:
		return b == '\n' ? LINE : BAD;
	case END_LF:
		return b == '\n' ? ENDED : BAD;
	case DATA:
	case ENDED:
	case BAD:
		break;
	}
	return BAD;
}

enum http_chunked_result http_chunked_take(struct http_chunked *c, const char *bytes,
					   size_t len, size_t *ret_used, struct buf *to)
{
	size_t i = 0;
	while (i < len && c->state != ENDED && c->state != BAD) {
		if (c->state != DATA) {
			c->state = after(c, bytes[i++]);
			continue;
		}
		size_t n = len - i < c->left ? len - i : (size_t)c->left;
		if (!buf_add(to, bytes + i, n)) {
			*ret_used = i;
			return HTTP_CHUNKED_TOO_LONG;
		}
		i += n;
		c->left -= n;
		if (c->left == 0)
			c->state = DATA_CR;
	}
	*ret_used = i;
	return c->state == BAD     ? HTTP_CHUNKED_BAD
	       : c->state == ENDED ? HTTP_CHUNKED_END
				   : HTTP_CHUNKED_MORE;
}
