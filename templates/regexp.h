// SPDX-License-Identifier: Apache-2.0
// Regular expressions with RE2's syntax and Go's results: leftmost-first matches in time
// linear in the text (a Pike VM), no backreferences and no lookaround.
//
// Source of the syntax: https://github.com/google/re2/wiki/Syntax
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "templates/arena.h"

struct regexp;

// Steps that a match may still take; failed: they were not enough, and the result is void.
struct regexp_budget {
	unsigned long left;
	bool failed;
};

// Compiles into the arena. The text of the expression must live as long.
MUST_CHECK bool regexp_compile(struct arena *a, struct str expr, struct regexp **ret,
			       struct err *e);
// Groups, the whole match included.
size_t regexp_groups(const struct regexp *re);
// Whether it matches anywhere.
bool regexp_match(struct regexp *re, struct str s, struct regexp_budget *b);
// The leftmost match from byte `from` on: start and end of each group in caps (SIZE_MAX
// where a group took no part), room for 2 × regexp_groups().
bool regexp_find(struct regexp *re, struct str s, size_t from, size_t *caps,
		 struct regexp_budget *b);
// Go's ReplaceAllString: $1, ${name} and $$ in `with`.
void regexp_replace_all(struct regexp *re, struct str s, struct str with, struct buf *out,
			struct regexp_budget *b);
