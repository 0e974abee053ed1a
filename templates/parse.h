// SPDX-License-Identifier: Apache-2.0
// Tokens to tree, by recursive descent. An unknown function, an undeclared variable, a
// `break` outside of `range` are found here, as in Go.
#pragma once

#include "lib/base/err.h"
#include "templates/node.h"

struct parse_opts {
	const char *name; // in messages
	const char *left_delim, *right_delim;
};

enum { PARSE_DEPTH_MAX = 1000 };

// Errors read "NAME:LINE:COL: reason". *ret is released with tree_release().
MUST_CHECK bool tree_parse(const char *text, size_t len, const struct parse_opts *opts,
			   struct tree *ret, struct err *e);
void tree_release(struct tree *t);
