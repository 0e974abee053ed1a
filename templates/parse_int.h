// SPDX-License-Identifier: Apache-2.0
// What the two files of the parser share.
#pragma once

#include "lib/base/err.h"
#include "templates/lex.h"
#include "templates/node.h"
#include "templates/unicode.h"

struct parse {
	struct lex lex;
	struct tree *tree;
	const char *name; // of the template, in messages
	struct err *e;
	struct token ahead[4]; // peeked
	size_t n_ahead;
	struct str *vars; // declared; those before first_var belong to an outer template
	size_t n_vars, cap_vars, first_var;
	unsigned ranges; // open ones
	unsigned depth;  // of nesting
};

// Sets the error with its position; always false.
bool parse_fail(struct parse *p, size_t pos, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool parse_too_deep(struct parse *p, size_t pos);
bool parse_unexpected(struct parse *p, const struct token *t, const char *where);

const struct token *parse_peek(struct parse *p, size_t i);
struct token parse_next(struct parse *p);
void parse_drop(struct parse *p, size_t n);
// The same, after blanks.
const struct token *parse_peek_solid(struct parse *p);
struct token parse_next_solid(struct parse *p);

struct node *parse_node(struct parse *p, enum node_kind kind, size_t pos);
void parse_append(struct parse *p, struct node_list *l, struct node *n);
void parse_declare(struct parse *p, struct str name);
// Up to and with the token `end`.
MUST_CHECK bool parse_pipeline(struct parse *p, const char *where, enum token_kind end,
			       struct pipe **ret);
