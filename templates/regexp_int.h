// SPDX-License-Identifier: Apache-2.0
// What the files of the regular expressions share: the tree, the program, classes.
#pragma once

#include <stdint.h>

#include "templates/regexp.h"

// A set of runes: sorted ranges that do not touch.
struct regexp_class {
	uint32_t (*ranges)[2];
	size_t n, cap;
};

enum regexp_kind {
	RE_EMPTY,
	RE_RUNE,
	RE_CLASS,
	RE_ANY, // with \n
	RE_ANY_NOT_NL,
	RE_ASSERT,
	RE_GROUP, // capturing
	RE_CONCAT,
	RE_ALTERNATE,
	RE_REPEAT,
};

enum regexp_assert {
	ASSERT_LINE_START,
	ASSERT_LINE_END,
	ASSERT_TEXT_START,
	ASSERT_TEXT_END,
	ASSERT_WORD,
	ASSERT_NOT_WORD,
};

struct regexp_node {
	enum regexp_kind kind;
	union {
		uint32_t rune;
		struct regexp_class *class;
		enum regexp_assert assert;
	};
	size_t group; // GROUP
	int min, max; // REPEAT; max -1: no end
	bool lazy;    // REPEAT
	struct regexp_node **subs;
	size_t n, cap;
};

enum regexp_op {
	OP_RUNE,
	OP_CLASS,
	OP_ANY,
	OP_ANY_NOT_NL,
	OP_ASSERT,
	OP_SAVE,
	OP_SPLIT,
	OP_NOP,
	OP_MATCH,
	OP_FAIL
};

struct regexp_inst {
	enum regexp_op op;
	uint32_t out, out1; // SPLIT prefers out
	union {
		uint32_t rune;
		const struct regexp_class *class;
		enum regexp_assert assert;
		uint32_t slot;
	};
};

struct regexp {
	struct arena *arena;
	struct regexp_inst *insts;
	size_t n, cap;
	uint32_t start;
	size_t groups;
	struct str *names;              // of groups; empty = none
	struct regexp_machine *machine; // made at the first match
};

enum { REGEXP_INSTS_MAX = 100000, REGEXP_DEPTH_MAX = 1000, REGEXP_REPEAT_MAX = 1000 };

// regexp_class.c
void class_add(struct arena *a, struct regexp_class *c, uint32_t lo, uint32_t hi);
void class_add_folded(struct arena *a, struct regexp_class *c, uint32_t lo, uint32_t hi);
void class_clean(struct regexp_class *c); // sorts and merges
void class_negate(struct arena *a, struct regexp_class *c);
bool class_has(const struct regexp_class *c, uint32_t r);
// "d", "s", "w" of Perl; "alpha" … of POSIX; a Unicode category or script. False: unknown.
bool class_perl(struct arena *a, struct regexp_class *c, char letter);
bool class_posix(struct arena *a, struct regexp_class *c, struct str name);
bool class_unicode(struct arena *a, struct regexp_class *c, struct str name);

// regexp_parse.c
MUST_CHECK bool regexp_parse(struct regexp *re, struct str expr, struct regexp_node **ret,
			     struct err *e);
// regexp_prog.c
MUST_CHECK bool regexp_program(struct regexp *re, const struct regexp_node *root,
			       struct err *e);
