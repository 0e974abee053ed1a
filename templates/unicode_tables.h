// SPDX-License-Identifier: Apache-2.0
// The raw tables behind unicode.h. Only unicode.c and the class parser of the regular
// expressions look at them.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Runs of equal class over all code points, in order: first code point << 8 | class.
extern const uint32_t unicode_cats[];
extern const size_t unicode_cats_len;
extern const uint32_t unicode_scripts[];
extern const size_t unicode_scripts_len;
// Names of the scripts; the class behind the last one means "no script".
extern const char *const unicode_script_names[];
extern const size_t unicode_script_names_len;

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
