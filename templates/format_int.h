// SPDX-License-Identifier: Apache-2.0
// What the files of the formatter share: the state of one verb.
#pragma once

#include "templates/format.h"

struct format {
	struct buf *out;
	struct arena *a;
	bool sharp, zero, plus, minus, space; // flags
	bool sharp_v, plus_v;                 // %#v and %+v
	bool wid_set, prec_set;
	int wid, prec;
	unsigned depth; // of nested values
};

void format_clear(struct format *f);
void format_padding(struct format *f, int n);
void format_pad(struct format *f, const char *s, size_t len);

void format_integer(struct format *f, uint64_t u, unsigned base, bool is_signed,
		    uint32_t verb, bool upper);
void format_unicode(struct format *f, uint64_t u);
void format_float_verb(struct format *f, double v, char form, int prec);
// One operand under a verb.
void format_value(struct format *f, const struct val *v, uint32_t verb);
