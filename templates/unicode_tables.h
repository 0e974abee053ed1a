// SPDX-License-Identifier: Apache-2.0
// The raw tables behind unicode.h. Only unicode.c and the class parser of the regular
// expressions look at them.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Runs of equal class over all code points: a byte for the class and a varint for the
// length less one. Each block of 64 runs has an entry that tells where it begins.
struct unicode_block {
	uint32_t first;
	uint16_t offset;
};
struct unicode_table {
	const uint8_t *runs;
	const struct unicode_block *blocks;
	size_t n_blocks;
};
// Reads the run at p, which begins with the code point `first`; gives what is behind it.
const uint8_t *unicode_run(const uint8_t *p, uint32_t first, uint32_t *ret_last);

extern const struct unicode_table unicode_cats;
extern const struct unicode_table unicode_scripts;
// Names of the scripts, each ended by NUL, in the order of their classes; an empty name is
// behind the last. The class behind the last one means "no script".
extern const char unicode_script_names[];

// Case mapping of lo…hi: what to add for upper, lower and title case. A delta above
// U+10FFFF says that upper and lower alternate, beginning with upper.
struct unicode_case {
	uint32_t lo, hi;
	int32_t upper, lower, title;
};
extern const struct unicode_case unicode_cases[];
extern const size_t unicode_cases_len;

// The next letter in a cycle of letters that are equal without regard to case, where that
// is not just the other case.
extern const uint32_t unicode_orbits[][2];
extern const size_t unicode_orbits_len;
