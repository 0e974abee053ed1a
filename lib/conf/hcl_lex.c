// SPDX-License-Identifier: Apache-2.0
// Words of HCL version 1: comments, identifiers, strings, heredocs, numbers.
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/hcl_int.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(const struct cursor *c, size_t ahead)
{
	return (size_t)(c->end - c->p) > ahead ? c->p[ahead] : '\0';
}

static void next_line(struct cursor *c) // c->p stands behind the newline
{
	c->line++;
	c->line_start = c->p;
}

static bool skip_block_comment(struct cursor *c)
{
	const char *from = c->p;
	unsigned line = c->line, column = cursor_column(c, from);
	for (c->p += 2; c->p < c->end; c->p++) {
		if (*c->p == '*' && peek(c, 1) == '/') {
			c->p += 2;
			return true;
		}
		if (*c->p == '\n') {
			c->line++;
			c->line_start = c->p + 1;
		}
	}
	return err_set(c->e, ERR_CONFIG, 0,
		       "%s:%u:%u: a comment without its end; write */", c->file, line,
		       column);
}

static bool skip_blanks(struct cursor *c)
{
	while (c->p < c->end) {
		char ch = *c->p;
		if (ch == '\n') {
			c->p++;
			next_line(c);
		} else if (ch == ' ' || ch == '\t' || ch == '\r') {
			c->p++;
		} else if (ch == '#' || (ch == '/' && peek(c, 1) == '/')) {
			while (c->p < c->end && *c->p != '\n')
				c->p++;
		} else if (ch == '/' && peek(c, 1) == '*') {
			if (!skip_block_comment(c))
				return false;
		} else {
			break;
		}
	}
	return true;
}

static bool lex_octal(struct cursor *c, struct buf *to)
{
	uint32_t v = 0;
	for (int i = 0; i < 3; i++, c->p++) {
		if (peek(c, 0) < '0' || peek(c, 0) > '7')
			return cursor_err(c, c->p, "an octal escape wants 3 digits");
		v = v << 3 | (uint32_t)(*c->p - '0');
	}
	return v > 0xff ? cursor_err(c, c->p, "an octal escape above \\377")
	       : v == 0 ? cursor_put_rune(c, to, 0)
			: buf_putc(to, (char)v);
}

static bool lex_escape(struct cursor *c, struct buf *to)
{
	static const char names[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
	char ch = peek(c, 1);
	c->p++;
	const char *known = ch ? strchr(names, ch) : NULL;
	if (known) {
		c->p++;
		return buf_putc(to, values[known - names]);
	}
	if (ch >= '0' && ch <= '7')
		return lex_octal(c, to);
	unsigned digits = ch == 'x' ? 2 : ch == 'u' ? 4 : ch == 'U' ? 8 : 0;
	if (!digits)
		return cursor_err(
			c, c->p - 1,
			"an unknown escape in a string; write \\\\ for a backslash");
	c->p++;
	uint32_t rune;
	if (!cursor_hex(c, digits, &rune))
		return false;
	if (digits == 2 && rune != 0) // a byte, as in Go
		return buf_putc(to, (char)rune);
	return cursor_put_rune(c, to, rune);
}

// "${…}" is copied as it is, quotes and newlines and all.
static bool lex_interpolation(struct cursor *c, struct buf *to)
{
	unsigned braces = 0;
	while (c->p < c->end) {
		char ch = *c->p++;
		buf_putc(to, ch);
		if (ch == '\\' && c->p < c->end && *c->p != '\n')
			buf_putc(to, *c->p++);
		else if (ch == '\n')
			next_line(c);
		else if (ch == '{')
			braces++;
		else if (ch == '}' && --braces == 0)
			return true;
	}
	return cursor_err(c, c->p, "a string ends inside of ${");
}

static bool lex_string(struct cursor *c, struct token *t)
{
	AUTO_BUF struct buf text = BUF_INIT(HCL_BYTES_MAX);
	for (c->p++;;) {
		char ch = peek(c, 0);
		if (c->p >= c->end || ch == '\n')
			return cursor_err(
				c, c->p,
				"a string without its closing quote; write long "
				"text as <<EOT");
		if (ch == '"')
			break;
		if (ch == '$' && peek(c, 1) == '{') {
			if (!lex_interpolation(c, &text))
				return false;
		} else if (ch == '\\') {
			if (!lex_escape(c, &text))
				return false;
		} else {
			buf_putc(&text, ch);
			c->p++;
		}
	}
	c->p++;
	if (!str_valid_utf8(buf_str(&text), text.len))
		return cursor_err(c, c->p, "escapes in a string make invalid UTF-8");
	t->kind = TOKEN_STRING;
	t->text = pool_strndup(c->pool, buf_str(&text), text.len);
	return true;
}

static size_t blanks_at(const char *p, const char *end)
{
	const char *from = p;
	while (p < end &&
	       (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\v' || *p == '\f'))
		p++;
	return (size_t)(p - from);
}

static const char *line_end(const char *p, const char *end)
{
	const char *at = memchr(p, '\n', (size_t)(end - p));
	return at ? at : end;
}

// `<<-`: the blanks before the closing word come off each line, if each line has them.
static const char *unindent(struct pool *p, const char *from, const char *to,
			    const char *indent, size_t width)
{
	for (const char *l = from; l < to; l = line_end(l, to) + 1)
		if ((size_t)(to - l) < width || memcmp(l, indent, width) != 0)
			width = 0;
	char *text = pool_strndup(p, from, (size_t)(to - from));
	size_t n = 0;
	for (const char *l = from; l < to;) {
		const char *next = line_end(l, to) + 1;
		memcpy(text + n, l + width, (size_t)(next - l) - width);
		n += (size_t)(next - l) - width;
		l = next;
	}
	text[n] = '\0';
	return text;
}

static bool lex_heredoc(struct cursor *c, struct token *t)
{
	const char *from = c->p;
	unsigned line = c->line, column = cursor_column(c, from);
	bool dash = peek(c, 2) == '-';
	const char *word = c->p += dash ? 3 : 2;
	while (c->p < c->end && (is_letter(*c->p) || is_digit(*c->p)))
		c->p++;
	size_t word_len = (size_t)(c->p - word);
	c->p += blanks_at(c->p, c->end);
	if (word_len == 0 || peek(c, 0) != '\n')
		return cursor_err(c, from, "a heredoc begins with <<WORD and a new line");
	const char *body = c->p + 1;
	for (const char *l = body; l < c->end;) {
		const char *stop = line_end(l, c->end);
		size_t width = blanks_at(l, stop);
		const char *at = l + width;
		size_t len = (size_t)(stop - at);
		c->p = l;
		next_line(c);
		if (len >= word_len && memcmp(at, word, word_len) == 0 &&
		    blanks_at(at + word_len, stop) == len - word_len) {
			// As the peer: without the dash, blanks before the word stay.
			t->text = dash ? unindent(c->pool, body, l, l, width)
				       : pool_strndup(c->pool, body, (size_t)(at - body));
			t->kind = TOKEN_STRING;
			c->p = stop;
			return true;
		}
		l = stop < c->end ? stop + 1 : stop;
	}
	return err_set(
		c->e, ERR_CONFIG, 0,
		"%s:%u:%u: a heredoc without its end; write %.*s on a line of its own",
		c->file, line, column, (int)(word_len < 40 ? word_len : 40), word);
}

// 0640 and 0x1a0: whole, not negative beyond 64 bits.
static bool lex_based(struct cursor *c, const char *from, struct token *t, bool negative)
{
	unsigned base = (peek(c, 1) | 0x20) == 'x' ? 16 : 8;
	uint64_t v = 0;
	bool some = base == 8;
	for (c->p += base == 16 ? 2 : 1; c->p < c->end; c->p++) {
		char ch = *c->p;
		unsigned d = is_digit(ch) ? (unsigned)(ch - '0')
			     : (ch | 0x20) >= 'a' && (ch | 0x20) <= 'f'
				     ? (unsigned)(ch | 0x20) - 'a' + 10
				     : 16;
		if (d == 16)
			break;
		if (d >= base)
			return cursor_err(c, c->p, "a number with a leading 0 is octal");
		if (v > ((uint64_t)INT64_MAX - d) / base)
			return cursor_err(c, from, "a number that is out of range");
		v = v * base + d;
		some = true;
	}
	if (!some)
		return cursor_err(c, c->p, "0x wants hexadecimal digits");
	t->value.kind = NODE_INT;
	t->value.integer = negative ? -(int64_t)v : (int64_t)v;
	t->value.text = pool_strndup(c->pool, from, (size_t)(c->p - from));
	return true;
}

static bool lex_number(struct cursor *c, struct token *t)
{
	const char *from = c->p;
	bool negative = *c->p == '-';
	c->p += negative;
	t->kind = TOKEN_NUMBER;
	bool ok;
	if (peek(c, 0) == '0' && (is_digit(peek(c, 1)) || (peek(c, 1) | 0x20) == 'x')) {
		ok = lex_based(c, from, t, negative);
	} else {
		while (is_digit(peek(c, 0)) || peek(c, 0) == '.' || peek(c, 0) == 'e' ||
		       peek(c, 0) == 'E' ||
		       ((peek(c, 0) == '+' || peek(c, 0) == '-') &&
			(c->p[-1] | 0x20) == 'e'))
			c->p++;
		ok = cursor_number(c, from, &t->value);
	}
	if (ok && is_letter(peek(c, 0)))
		return cursor_err(c, from,
				  "a letter in a number; put \"quotes\" around text");
	return ok;
}

bool hcl_lex(struct cursor *c, struct token *ret)
{
	if (!skip_blanks(c))
		return false;
	*ret = (struct token){ .at = c->p, .line = c->line };
	ret->column = cursor_column(c, c->p);
	if (c->p >= c->end)
		return true;
	char ch = *c->p;
	if (is_letter(ch)) {
		const char *from = c->p;
		while (c->p < c->end && (is_letter(*c->p) || is_digit(*c->p) ||
					 *c->p == '-' || *c->p == '.'))
			c->p++;
		ret->kind = TOKEN_WORD;
		ret->text = pool_strndup(c->pool, from, (size_t)(c->p - from));
		return true;
	}
	if (is_digit(ch) || (ch == '-' && is_digit(peek(c, 1))))
		return lex_number(c, ret);
	if (ch == '"')
		return lex_string(c, ret);
	if (ch == '<' && peek(c, 1) == '<')
		return lex_heredoc(c, ret);
	if (!strchr("{}[]=,", ch))
		return cursor_err(c, c->p,
				  ch > ' ' && ch < 0x7f ? "an unexpected '%c'"
							: "an unexpected byte 0x%02x",
				  (unsigned char)ch);
	ret->kind = TOKEN_PUNCT;
	ret->punct = ch;
	c->p++;
	return true;
}
