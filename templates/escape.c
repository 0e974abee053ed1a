// SPDX-License-Identifier: Apache-2.0
// HTML, JavaScript and URL queries.
#include "templates/escape.h"

#include <string.h>

#include "templates/unicode.h"

void escape_html(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		switch (s.p[i]) {
		case '\0':
			buf_puts(out, "\xEF\xBF\xBD");
			break;
		case '"':
			buf_puts(out, "&#34;");
			break;
		case '\'':
			buf_puts(out, "&#39;");
			break;
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		default:
			buf_putc(out, s.p[i]);
		}
	}
}

void escape_js(struct buf *out, struct str s)
{
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t c = rune_decode(s.p + i, s.len - i, &width);
		if (c >= 0x80) {
			if (unicode_is_print(c) && c != RUNE_ERROR)
				buf_add(out, s.p + i, width);
			else if (c == RUNE_ERROR)
				buf_add(out, s.p + i, width); // as Go: U+FFFD can be seen
			else
				buf_printf(out, "\\u%04X", c);
		} else if (c == '\\' || c == '\'' || c == '"') {
			buf_putc(out, '\\');
			buf_putc(out, (char)c);
		} else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '=') {
			buf_printf(out, "\\u00%02X", c);
		} else {
			buf_putc(out, (char)c);
		}
	}
}

void escape_query(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    (c && strchr("-_.~", c)))
			buf_putc(out, (char)c);
		else if (c == ' ')
			buf_putc(out, '+');
		else
			buf_printf(out, "%%%02X", c);
	}
}
