// SPDX-License-Identifier: Apache-2.0
// The tree that a template is parsed into. Nodes lie in the arena of their template.
// Positions are those that Go gives its nodes, since errors name them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "templates/arena.h"
#include "templates/literal.h"

enum node_kind {
	NODE_TEXT,
	NODE_ACTION, // pipe
	NODE_IF,     // pipe, list, otherwise
	NODE_WITH,
	NODE_RANGE,
	NODE_TEMPLATE, // name, pipe (may be NULL)
	NODE_BREAK,
	NODE_CONTINUE,
	// Operands.
	NODE_BOOL,
	NODE_DOT,
	NODE_NIL,
	NODE_NUMBER,
	NODE_STRING,
	NODE_FIELD,    // .a.b
	NODE_VARIABLE, // $x.a.b: names[0] is the variable
	NODE_CHAIN,    // (pipeline).a.b
	NODE_FUNC,
	NODE_PIPE, // parenthesized
	// Only while parsing.
	NODE_ELSE,
	NODE_END,
};

// Positions and counts have 32 bits (TEXT_MAX): a tree is many times its text.
struct node_list {
	struct node **items;
	uint32_t n, cap;
};

struct command {
	struct node_list args;
	uint32_t pos;
};

struct pipe {
	struct command *commands;
	struct str *decl; // at most two variables
	uint32_t n, cap;
	uint32_t pos;
	uint8_t n_decl;
	bool assign; // '=' and not ':='
};

struct node {
	uint8_t kind; // enum node_kind
	uint32_t pos;
	union {
		struct str text; // TEXT, STRING, and the name of a variable to declare
		bool truth;
		struct number *number;
		struct {
			struct str *names; // FIELD, VARIABLE, CHAIN
			size_t n_names;
			struct node *of; // CHAIN
		};
		struct {
			const struct func *func;
			struct str func_name;
		};
		struct {
			struct pipe *pipe; // ACTION, IF, WITH, RANGE, TEMPLATE, PIPE
			union {
				struct {
					struct node_list *list, *otherwise;
				};
				struct str name; // TEMPLATE
			};
		};
	};
};

// One template of a set: the main one or a {{define}}.
struct definition {
	struct str name;
	struct node_list *root;
};

enum { TEXT_MAX = 64 << 20 };

struct tree {
	struct arena arena;
	const char *text; // a copy
	size_t len;
	struct definition *defs; // the main template is the first
	size_t n_defs, cap_defs;
};

const struct definition *tree_find(const struct tree *t, struct str name);
// Line from 1, column from 0 in bytes, as Go counts them.
void tree_position(const struct tree *t, size_t pos, unsigned *ret_line,
		   unsigned *ret_col);
