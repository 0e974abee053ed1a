// SPDX-License-Identifier: Apache-2.0
// UTF-8 and the properties of code points, with the results that Go's packages utf8 and
// unicode give. Invalid bytes decode one by one to U+FFFD.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RUNE_ERROR = 0xFFFD, RUNE_MAX = 0x10FFFF, UTF8_MAX = 4 };

// The general categories, in the order of the table.
enum unicode_cat {
	CAT_CC,
	CAT_CF,
	CAT_CN,
	CAT_CO,
	CAT_CS,
	CAT_LL,
	CAT_LM,
	CAT_LO,
	CAT_LT,
	CAT_LU,
	CAT_MC,
	CAT_ME,
	CAT_MN,
	CAT_ND,
	CAT_NL,
	CAT_NO,
	CAT_PC,
	CAT_PD,
	CAT_PE,
	CAT_PF,
	CAT_PI,
	CAT_PO,
	CAT_PS,
	CAT_SC,
	CAT_SK,
	CAT_SM,
	CAT_SO,
	CAT_ZL,
	CAT_ZP,
	CAT_ZS,
	CAT_COUNT,
};
// "Lu", "Nd", …
extern const char *const unicode_cat_names[CAT_COUNT];

// Decodes the first rune of s (len > 0) and tells its width. An invalid byte is RUNE_ERROR
// of width 1.
uint32_t rune_decode(const char *s, size_t len, size_t *ret_width);
// The last rune before s + len.
uint32_t rune_decode_last(const char *s, size_t len, size_t *ret_width);
// Writes a rune (surrogates and too large ones as U+FFFD); the width, 1 to 4.
size_t rune_encode(uint32_t rune, char to[static UTF8_MAX]);
size_t rune_count(const char *s, size_t len);

enum unicode_cat unicode_cat(uint32_t rune);
bool unicode_is_letter(uint32_t rune);
bool unicode_is_digit(uint32_t rune);
bool unicode_is_space(uint32_t rune);
// As Go's IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
bool unicode_is_print(uint32_t rune);
uint32_t unicode_upper(uint32_t rune);
uint32_t unicode_lower(uint32_t rune);
uint32_t unicode_title(uint32_t rune);
// The next rune of the cycle of runes that are equal without regard to case.
uint32_t unicode_fold(uint32_t rune);
