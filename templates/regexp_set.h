// SPDX-License-Identifier: Apache-2.0
// The state of the regular expressions' parser, and its part for sets and escapes.
#pragma once

#include "templates/regexp_int.h"

enum regexp_flags { RE_FOLD = 1, RE_MULTILINE = 2, RE_DOT_NL = 4, RE_UNGREEDY = 8 };

struct regexp_parse {
	struct regexp *re;
	struct str expr;
	size_t pos;
	unsigned flags;
	unsigned depth;
	struct err *e;
};

bool regexp_fail(struct regexp_parse *p, const char *why);
// [...] at p->pos
MUST_CHECK bool regexp_brackets(struct regexp_parse *p, struct regexp_node **ret);
// \d, \W, \pL, \P{Greek} …; *ret_found is false, and nothing eaten, for another escape.
MUST_CHECK bool regexp_class_escape(struct regexp_parse *p, struct regexp_class *set,
				    bool *ret_found);
// \n, \x41, \., …
MUST_CHECK bool regexp_escape(struct regexp_parse *p, uint32_t *ret);
