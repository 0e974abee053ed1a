// SPDX-License-Identifier: Apache-2.0
// What the two files of the YAML writer share.
#pragma once

#include "lib/base/str.h"
#include "templates/emit.h"

struct yaml_out {
	struct buf *out;
	struct arena *a;
	struct err *e;
	int indent; // -1: the root
	int column;
	bool whitespace; // the last letter was a blank
	bool indention;  // only indentation stands on this line
	unsigned depth;
};

enum yaml_style { YAML_PLAIN, YAML_SINGLE, YAML_DOUBLE, YAML_LITERAL };

struct yaml_scalar {
	struct str text;
	enum yaml_style style;                         // wanted
	bool binary;                                   // !!binary
	bool multiline, plain_ok, single_ok, block_ok; // set by the analysis
};

void yaml_put(struct yaml_out *y, char c);
void yaml_break(struct yaml_out *y);
void yaml_indent(struct yaml_out *y);
void yaml_indicator(struct yaml_out *y, const char *s, bool need_space, bool is_space,
		    bool is_indention);

// How a string is written: the style, and base64 where it is no UTF-8.
void yaml_string(struct yaml_out *y, struct str s, struct yaml_scalar *ret);
// Whether it may be a key on one line.
bool yaml_is_simple(struct yaml_scalar *s, size_t max);
void yaml_scalar(struct yaml_out *y, struct yaml_scalar *s, bool key);
// Keys with digits sort by their numbers: a2 before a10.
int yaml_key_order(const struct val *a, const struct val *b);
