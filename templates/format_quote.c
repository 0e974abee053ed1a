// SPDX-License-Identifier: Apache-2.0
// Go's quoted strings and runes.
#include <stdio.h>
#include <string.h>

#include "templates/format.h"
#include "templates/unicode.h"

static void put_escaped(struct buf *out, uint32_t r, char quote, bool ascii)
{
	static const char letters[] = "abfnrtv";
	static const char values[] = "\a\b\f\n\r\t\v";
	char utf8[UTF8_MAX];
	if (r == (unsigned char)quote || r == '\\') {
		buf_putc(out, '\\');
		buf_putc(out, (char)r);
		return;
	}
	if (ascii ? r < 0x80 && unicode_is_print(r) : unicode_is_print(r)) {
		buf_add(out, utf8, rune_encode(r, utf8));
		return;
	}
	const char *hit = r && r < 0x80 ? strchr(values, (int)r) : NULL;
	if (hit)
		buf_printf(out, "\\%c", letters[hit - values]);
	else if (r < ' ' || r == 0x7F)
		buf_printf(out, "\\x%02x", r);
	else if (r > RUNE_MAX || (r >= 0xD800 && r < 0xE000))
		buf_puts(out, "\\ufffd");
	else
		buf_printf(out, r < 0x10000 ? "\\u%04x" : "\\U%08x", r);
}

void format_quote(struct buf *out, struct str s, char quote, bool ascii)
{
	buf_putc(out, quote);
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t r = rune_decode(s.p + i, s.len - i, &width);
		if (width == 1 && r == RUNE_ERROR)
			buf_printf(out, "\\x%02x", (unsigned char)s.p[i]);
		else
			put_escaped(out, r, quote, ascii);
	}
	buf_putc(out, quote);
}

void format_quote_rune(struct buf *out, uint32_t r, bool ascii)
{
	if (r > RUNE_MAX || (r >= 0xD800 && r < 0xE000))
		r = RUNE_ERROR;
	buf_putc(out, '\'');
	put_escaped(out, r, '\'', ascii);
	buf_putc(out, '\'');
}

bool format_can_backquote(struct str s)
{
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t r = rune_decode(s.p + i, s.len - i, &width);
		if (width > 1) {
			if (r == 0xFEFF)
				return false;
			continue;
		}
		if (r == RUNE_ERROR || (r < ' ' && r != '\t') || r == '`' || r == 0x7F)
			return false;
	}
	return true;
}
