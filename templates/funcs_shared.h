// SPDX-License-Identifier: Apache-2.0
// Functions that stand in two tables, under the peer's name and under sprig's.
#pragma once

#include "templates/func.h"
#include "templates/regexp.h"

// funcs_text.c
func_fn fn_trim, fn_trim_prefix, fn_trim_suffix, fn_trim_space;
func_fn fn_replace, fn_lower, fn_upper, fn_regex_match;
// funcs_codec.c
func_fn fn_b64dec;
// funcs_data.c
func_fn fn_to_json, fn_to_pretty, fn_to_raw;

// A borrowed text as the result; always true.
bool func_slice(struct str s, struct val *ret);

// An expression at work: its steps count as those of the run. regex_end() fails when they were
// too many.
struct regex {
	struct regexp *re;
	struct regexp_budget budget;
};
MUST_CHECK bool regex_start(struct run *r, const struct val *expr, struct regex *ret);
MUST_CHECK bool regex_end(struct run *r, const struct regex *x);
