// SPDX-License-Identifier: Apache-2.0
// The lexer's states. Trim marks are handled here, so that the parser never sees them.
#include "templates/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "templates/unicode.h"

// A state returns the next one, or NULL when l->token is ready. Function types cannot
// recurse, hence the struct.
struct state {
	struct state (*run)(struct lex *l);
};
static const struct state done = { NULL };

#define END UINT32_MAX // no rune: the text has ended
enum { TRIM_LEN = 2 }; // the mark and its blank

static bool is_space(uint32_t r)
{
	return r == ' ' || r == '\t' || r == '\r' || r == '\n';
}

static bool is_word(uint32_t r)
{
	return r == '_' || (r != END && (unicode_is_letter(r) || unicode_is_digit(r)));
}

static uint32_t peek(const struct lex *l, size_t *ret_width)
{
	*ret_width = 0;
	if (l->pos >= l->len)
		return END;
	return rune_decode(l->text + l->pos, l->len - l->pos, ret_width);
}

static uint32_t next(struct lex *l)
{
	size_t width = 0;
	uint32_t r = peek(l, &width);
	l->pos += width;
	return r;
}

static bool at(const struct lex *l, size_t pos, struct str s)
{
	return pos <= l->len && s.len <= l->len - pos &&
	       memcmp(l->text + pos, s.p, s.len) == 0;
}

static struct state emit(struct lex *l, enum token_kind kind)
{
	l->token = (struct token){ kind,
				   l->start,
				   { l->text + l->start, l->pos - l->start } };
	l->start = l->pos;
	return done;
}

PRINTF_LIKE(2, 3) static struct state fail(struct lex *l, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(l->error, sizeof(l->error), fmt, args);
	va_end(args);
	l->token = (struct token){ TOKEN_ERROR, l->start, str_of(l->error) };
	return done;
}

// "U+0041 'A'": the letter only when it can be seen.
static struct state fail_rune(struct lex *l, const char *what, uint32_t r)
{
	char utf8[UTF8_MAX + 1] = "";
	if (r == END)
		return fail(l, "%s at the end of the text", what);
	utf8[rune_encode(r, utf8)] = '\0';
	if (!unicode_is_print(r))
		return fail(l, "%s U+%04X", what, r);
	return fail(l, "%s U+%04X '%s'", what, r, utf8);
}

static bool trim_before(const struct lex *l, size_t pos)
{
	return pos + 1 < l->len && l->text[pos] == '-' &&
	       is_space((unsigned char)l->text[pos + 1]);
}

static bool trim_after(const struct lex *l, size_t pos)
{
	return pos + 1 < l->len && is_space((unsigned char)l->text[pos]) &&
	       l->text[pos + 1] == '-';
}

static bool at_right(const struct lex *l, bool *ret_trim)
{
	*ret_trim = trim_after(l, l->pos) && at(l, l->pos + TRIM_LEN, l->right);
	return *ret_trim || at(l, l->pos, l->right);
}

static void skip_space(struct lex *l)
{
	while (l->pos < l->len && is_space((unsigned char)l->text[l->pos]))
		l->pos++;
}

static struct state lex_left(struct lex *l);
static struct state lex_inside(struct lex *l);

static struct state lex_text(struct lex *l)
{
	const char *left = l->pos < l->len ? memmem(l->text + l->pos, l->len - l->pos,
						    l->left.p, l->left.len)
					   : NULL;
	if (!left) {
		l->pos = l->len;
		return emit(l, l->pos > l->start ? TOKEN_TEXT : TOKEN_EOF);
	}
	size_t end = (size_t)(left - l->text);
	l->pos = end;
	if (trim_before(l, end + l->left.len))
		while (l->pos > l->start && is_space((unsigned char)l->text[l->pos - 1]))
			l->pos--;
	if (l->pos > l->start) {
		(void)emit(l, TOKEN_TEXT);
		l->pos = l->start = end;
		return done;
	}
	l->pos = l->start = end;
	return (struct state){ lex_left };
}

static struct state lex_comment(struct lex *l)
{
	bool trim = false;
	size_t from = l->pos + 2;
	const char *end =
		from <= l->len ? memmem(l->text + from, l->len - from, "*/", 2) : NULL;
	if (!end)
		return fail(l, "the comment is not closed");
	l->pos = (size_t)(end - l->text) + 2;
	if (!at_right(l, &trim))
		return fail(l, "the comment ends before the closing delimiter");
	l->pos += (trim ? TRIM_LEN : 0) + l->right.len;
	if (trim)
		skip_space(l);
	l->start = l->pos;
	return (struct state){ lex_text };
}

static struct state lex_left(struct lex *l)
{
	l->pos += l->left.len;
	size_t mark = trim_before(l, l->pos) ? TRIM_LEN : 0;
	if (at(l, l->pos + mark, (struct str){ "/*", 2 })) {
		l->pos += mark;
		l->start = l->pos;
		return (struct state){ lex_comment };
	}
	(void)emit(l, TOKEN_LEFT);
	l->inside = true;
	l->parens = 0;
	l->pos += mark;
	l->start = l->pos;
	return done;
}

static struct state lex_right(struct lex *l)
{
	bool trim = false;
	(void)at_right(l, &trim);
	if (trim) {
		l->pos += TRIM_LEN;
		l->start = l->pos;
	}
	l->pos += l->right.len;
	(void)emit(l, TOKEN_RIGHT);
	if (trim) {
		skip_space(l);
		l->start = l->pos;
	}
	l->inside = false;
	return done;
}

static struct state lex_space(struct lex *l)
{
	size_t first = l->pos;
	skip_space(l);
	// The last blank may belong to the trim mark of a closing delimiter.
	if (trim_after(l, l->pos - 1) && at(l, l->pos - 1 + TRIM_LEN, l->right)) {
		l->pos--;
		if (l->pos == first)
			return (struct state){ lex_right };
	}
	return emit(l, TOKEN_SPACE);
}

// Whether a name, field or variable may end here.
static bool at_terminator(const struct lex *l)
{
	size_t width = 0;
	uint32_t r = peek(l, &width);
	if (r == END || is_space(r) || (r < 0x80 && strchr(".,|:)(", (int)r) && r))
		return true;
	return at(l, l->pos, l->right);
}

static enum token_kind keyword(struct str word)
{
	static const struct {
		const char *name;
		enum token_kind kind;
	} words[] = {
		{ "block", TOKEN_BLOCK },
		{ "break", TOKEN_BREAK },
		{ "continue", TOKEN_CONTINUE },
		{ "define", TOKEN_DEFINE },
		{ "else", TOKEN_ELSE },
		{ "end", TOKEN_END },
		{ "if", TOKEN_IF },
		{ "nil", TOKEN_NIL },
		{ "range", TOKEN_RANGE },
		{ "template", TOKEN_TEMPLATE },
		{ "with", TOKEN_WITH },
		{ "true", TOKEN_BOOL },
		{ "false", TOKEN_BOOL },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(word, words[i].name))
			return words[i].kind;
	return TOKEN_NAME;
}

// Eats letters and digits; fails when what follows cannot follow a name.
static bool word(struct lex *l, struct state *ret)
{
	size_t width = 0;
	uint32_t r = peek(l, &width);
	for (; is_word(r); r = peek(l, &width))
		l->pos += width;
	if (at_terminator(l))
		return true;
	*ret = fail_rune(l, "bad character", r);
	return false;
}

static struct state lex_word(struct lex *l)
{
	struct state s = done;
	if (!word(l, &s))
		return s;
	return emit(l, keyword((struct str){ l->text + l->start, l->pos - l->start }));
}

// Behind '.' or '$'.
static struct state lex_field(struct lex *l, enum token_kind bare, enum token_kind kind)
{
	struct state s = done;
	if (at_terminator(l))
		return emit(l, bare);
	return word(l, &s) ? emit(l, kind) : s;
}

static struct state lex_quoted(struct lex *l, uint32_t quote, enum token_kind kind,
			       const char *what)
{
	for (;;) {
		uint32_t r = next(l);
		if (r == quote)
			return emit(l, kind);
		if (r == '\\' && quote != '`')
			r = next(l);
		if (r == END || (r == '\n' && quote != '`'))
			return fail(l, "the %s is not closed", what);
	}
}

static bool accept(struct lex *l, const char *set)
{
	if (l->pos < l->len && l->text[l->pos] && strchr(set, l->text[l->pos])) {
		l->pos++;
		return true;
	}
	return false;
}

static void accept_run(struct lex *l, const char *set)
{
	while (accept(l, set))
		;
}

// The shape only: the parser finds "0x0.2" and "089" out.
static bool scan_number(struct lex *l)
{
	static const char decimal[] = "0123456789_";
	const char *digits = decimal;
	bool hex = false;
	accept(l, "+-");
	if (accept(l, "0")) {
		hex = accept(l, "xX");
		if (hex)
			digits = "0123456789abcdefABCDEF_";
		else if (accept(l, "oO"))
			digits = "01234567_";
		else if (accept(l, "bB"))
			digits = "01_";
	}
	accept_run(l, digits);
	if (accept(l, "."))
		accept_run(l, digits);
	if ((digits == decimal && accept(l, "eE")) || (hex && accept(l, "pP"))) {
		accept(l, "+-");
		accept_run(l, decimal);
	}
	accept(l, "i");
	size_t width = 0;
	if (is_word(peek(l, &width))) {
		l->pos += width;
		return false;
	}
	return true;
}

static struct state lex_number(struct lex *l)
{
	if (!scan_number(l))
		return fail(l, "bad number");
	if (l->pos < l->len && (l->text[l->pos] == '+' || l->text[l->pos] == '-')) {
		if (!scan_number(l) || l->text[l->pos - 1] != 'i')
			return fail(l, "bad number");
		return emit(l, TOKEN_COMPLEX);
	}
	return emit(l, TOKEN_NUMBER);
}

static struct state lex_paren(struct lex *l, uint32_t r)
{
	if (r == '(') {
		l->parens++;
		return emit(l, TOKEN_LEFT_PAREN);
	}
	if (l->parens == 0)
		return fail(l, "unexpected right parenthesis");
	l->parens--;
	return emit(l, TOKEN_RIGHT_PAREN);
}

static struct state lex_inside(struct lex *l)
{
	bool trim = false;
	if (at_right(l, &trim)) {
		if (l->parens == 0)
			return (struct state){ lex_right };
		return fail(l, "a left parenthesis is not closed");
	}
	uint32_t r = next(l);
	switch (r) {
	case END:
		return fail(l, "the action is not closed");
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		l->pos--;
		return (struct state){ lex_space };
	case '=':
		return emit(l, TOKEN_ASSIGN);
	case ':':
		return next(l) == '=' ? emit(l, TOKEN_DECLARE) : fail(l, "expected :=");
	case '|':
		return emit(l, TOKEN_PIPE);
	case '"':
		return lex_quoted(l, '"', TOKEN_STRING, "string");
	case '`':
		return lex_quoted(l, '`', TOKEN_RAW, "raw string");
	case '\'':
		return lex_quoted(l, '\'', TOKEN_RUNE, "character constant");
	case '$':
		return lex_field(l, TOKEN_VARIABLE, TOKEN_VARIABLE);
	case '(':
	case ')':
		return lex_paren(l, r);
	default:
		break;
	}
	if (r == '.' &&
	    (l->pos >= l->len || l->text[l->pos] < '0' || l->text[l->pos] > '9') &&
	    l->pos < l->len)
		return lex_field(l, TOKEN_DOT, TOKEN_FIELD);
	l->pos = l->start;
	if (r == '.' || r == '+' || r == '-' || (r >= '0' && r <= '9'))
		return lex_number(l);
	if (is_word(r))
		return lex_word(l);
	(void)next(l);
	if (r < 0x80 && unicode_is_print(r))
		return emit(l, TOKEN_CHAR);
	return fail_rune(l, "unrecognized character in action:", r);
}

void lex_init(struct lex *l, const char *text, size_t len, const char *left,
	      const char *right)
{
	*l = (struct lex){ .text = text, .len = len };
	l->left = str_of(left && *left ? left : "{{");
	l->right = str_of(right && *right ? right : "}}");
}

struct token lex_next(struct lex *l)
{
	if (l->token.kind == TOKEN_ERROR && l->token.text.p == l->error)
		return l->token;
	struct state s = { l->inside ? lex_inside : lex_text };
	while (s.run)
		s = s.run(l);
	return l->token;
}
