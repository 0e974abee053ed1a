// SPDX-License-Identifier: Apache-2.0
// Values to text as Go's package fmt writes them: print, println, printf with its verbs,
// flags and error texts, and what a plain action prints.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "templates/value.h"

// What {{pipeline}} prints: "<no value>" for none, a pointer's target for a pointer.
void format_action(struct buf *out, struct arena *a, const struct val *v);
// fmt.Sprint: a space between two operands neither of which is a string.
void format_print(struct buf *out, struct arena *a, const struct val *args, size_t n);
// fmt.Sprintln
void format_println(struct buf *out, struct arena *a, const struct val *args, size_t n);
// fmt.Sprintf
void format_printf(struct buf *out, struct arena *a, struct str format,
		   const struct val *args, size_t n);

// strconv.Quote, with `ascii` QuoteToASCII.
void format_quote(struct buf *out, struct str s, char quote, bool ascii);
void format_quote_rune(struct buf *out, uint32_t r, bool ascii);
bool format_can_backquote(struct str s);

// strconv.FormatFloat of a float64: form 'e', 'f', 'g', 'E', 'G', 'b', 'x', 'X'; prec -1 is
// the shortest text that reads back equal.
void format_float(struct buf *out, double f, char form, int prec);
void format_int(struct buf *out, int64_t i);
