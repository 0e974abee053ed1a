// SPDX-License-Identifier: Apache-2.0
// What the readers of HCL and JSON share: the place in the text, limits, errors with
// positions, tokens of HCL. For lib/conf/hcl*.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/conf/hcl.h"

struct cursor {
	struct pool *pool;
	const char *file;
	const char *p, *end;
	const char *line_start;
	unsigned line;
	const char
		*column_at; // the last answer of cursor_column(), from which it goes on
	unsigned column;
	unsigned depth;
	size_t nodes;
	struct err *e;
};

// The column of `at` in the current line, in letters, from 1.
unsigned cursor_column(struct cursor *c, const char *at);
// An error at `at`, which lies in the current line. Always false.
bool cursor_err(struct cursor *c, const char *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
// A node that begins at line and column; NULL (and an error) beyond the limits.
struct node *cursor_node(struct cursor *c, enum node_kind kind, unsigned line,
			 unsigned column);
bool cursor_enter(struct cursor *c); // one level deeper
void cursor_leave(struct cursor *c);
// Reads n hexadecimal digits.
bool cursor_hex(struct cursor *c, unsigned n, uint32_t *ret);
// Appends a code point as UTF-8. False, with an error, for NUL and what is no letter.
bool cursor_put_rune(struct cursor *c, struct buf *to, uint32_t rune);
// A number's spelling as an integer when it is whole and fits, else as a double.
bool cursor_number(struct cursor *c, const char *from, struct node *ret);

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_PUNCT, // { } [ ] = ,
};

struct token {
	enum token_kind kind;
	char punct;
	const char *at; // where it begins, while its line is the current one
	unsigned line, column;
	const char *text;  // of a word or string
	struct node value; // of a number: kind, integer, real, text
};

MUST_CHECK bool hcl_lex(struct cursor *c, struct token *ret);
MUST_CHECK bool hcl_read_hcl(struct cursor *c, struct node **ret);
MUST_CHECK bool hcl_read_json(struct cursor *c, struct node **ret);
