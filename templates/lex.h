// SPDX-License-Identifier: Apache-2.0
// Text to tokens. The lexer is a set of state functions, each of which emits one token or
// names the state that goes on. Positions are byte offsets; a token borrows the text.
//
// Source of the rules: the documentation of Go's text/template, and what its lexer does.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

enum token_kind {
	TOKEN_ERROR, // message in lex.error
	TOKEN_EOF,
	TOKEN_TEXT,
	TOKEN_LEFT, // a delimiter
	TOKEN_RIGHT,
	TOKEN_SPACE,
	TOKEN_BOOL,
	TOKEN_CHAR, // a single letter such as ','
	TOKEN_RUNE, // 'a'
	TOKEN_COMPLEX,
	TOKEN_ASSIGN,
	TOKEN_DECLARE,
	TOKEN_FIELD,
	TOKEN_NAME,
	TOKEN_LEFT_PAREN,
	TOKEN_RIGHT_PAREN,
	TOKEN_NUMBER,
	TOKEN_PIPE,
	TOKEN_RAW,
	TOKEN_STRING,
	TOKEN_VARIABLE,
	// Keywords.
	TOKEN_DOT,
	TOKEN_BLOCK,
	TOKEN_BREAK,
	TOKEN_CONTINUE,
	TOKEN_DEFINE,
	TOKEN_ELSE,
	TOKEN_END,
	TOKEN_IF,
	TOKEN_NIL,
	TOKEN_RANGE,
	TOKEN_TEMPLATE,
	TOKEN_WITH,
};

struct token {
	enum token_kind kind;
	size_t pos;
	struct str text;
};

enum { LEX_ERROR_MAX = 96 };

struct lex {
	const char *text;
	size_t len;
	struct str left, right; // delimiters
	size_t pos, start;
	bool inside;     // between delimiters
	unsigned parens; // open ones
	struct token token;
	char error[LEX_ERROR_MAX];
};

// Delimiters: NULL or "" is "{{" or "}}". The text must outlive the lexer, and the byte
// behind it must be readable.
void lex_init(struct lex *l, const char *text, size_t len, const char *left,
	      const char *right);
// The next token; after TOKEN_ERROR or TOKEN_EOF always the same one.
struct token lex_next(struct lex *l);
