// SPDX-License-Identifier: Apache-2.0
// Tokens of the template language with their positions.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "templates/template.h"

enum tok {
	TOK_TEXT,
	TOK_LEFT,
	TOK_RIGHT,
	TOK_WORD,
	TOK_FIELD,
	TOK_VAR,
	TOK_DOT,
	TOK_STRING,
	TOK_NUMBER,
	TOK_PIPE,
	TOK_OPEN,
	TOK_CLOSE,
	TOK_DECLARE,
	TOK_ASSIGN,
	TOK_COMMA,
	TOK_END,
};

struct token {
	enum tok type;
	const char *p; // borrowed from the template's text
	size_t len;
	char *value; // TOK_STRING: unquoted
	unsigned line, col;
	bool space; // a blank stood before it
};

struct token_list {
	struct token *t;
	size_t n, cap;
};

MUST_CHECK bool lex(const char *text, size_t len, const struct tmpl_opts *opts,
		    struct token_list *ret, struct err *e);
void token_list_release(struct token_list *l);
