// SPDX-License-Identifier: Apache-2.0
// Literals as Go spells them: quoted strings, character constants and numbers, which hold
// their value under every type that can represent it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

struct number {
	bool is_int, is_uint, is_float, is_complex;
	bool float_syntax; // written with a point or an exponent
	int64_t i;
	uint64_t u;
	double f;
	double re, im;
};

// A string with its quotes, " or `. False: not a valid literal.
bool literal_string(struct str quoted, struct buf *to);
// 'a', '\n', '\u00e9'.
bool literal_rune(struct str quoted, struct number *ret);
// An integer, a float, an imaginary number (5i). *ret_why says what is wrong.
bool literal_number(struct str text, struct number *ret, const char **ret_why);
// 1+2i
bool literal_complex(struct str text, struct number *ret);

// Go's ParseInt and ParseUint with base 0 (prefixes and '_') or 2 to 36. False on a wrong
// letter, or when the value does not fit into 64 bits.
bool literal_int(struct str text, unsigned base, int64_t *ret);
bool literal_uint(struct str text, unsigned base, uint64_t *ret);
// Go's ParseFloat: decimal, hexadecimal, inf and nan. *ret_range: syntax is right, but the
// value is too large.
bool literal_float(struct str text, double *ret, bool *ret_range);
