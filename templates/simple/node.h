// SPDX-License-Identifier: Apache-2.0
// The parsed tree. Nodes live as long as their template.
#pragma once

#include "templates/simple/lex.h"

enum node_type {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_WITH,
	NODE_RANGE, // statements
	NODE_PIPE,
	NODE_COMMAND,
	NODE_CALL,
	NODE_FIELD,
	NODE_VAR,
	NODE_DOT,
	NODE_STRING,
	NODE_NUMBER,
	NODE_BOOL,
	NODE_NIL,
};

struct node {
	enum node_type type;
	struct node *next;         // in its list
	const struct token *token; // place and text
	struct node *pipe; // of ACTION, IF, WITH, RANGE; base of FIELD (".x" of it)
	struct node *body, *other;   // statements; arguments of COMMAND; commands of PIPE
	const struct token *vars[2]; // of PIPE: declared or assigned
	unsigned n_vars;
	bool assign;
};

struct tmpl {
	char *text, *name, *left, *right;
	struct tmpl_opts opts;
	struct token_list tokens;
	struct node **nodes; // all, for freeing
	size_t n_nodes;
	struct node *root;
};

MUST_CHECK bool parse_tree(struct tmpl *t, struct err *e);
