// SPDX-License-Identifier: Apache-2.0
// Operations on text as Go's package strings has them, on slices.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "templates/value.h"

static inline struct str val_text(const struct val *v)
{
	return (struct str){ v->s.p, v->s.len };
}

// Offset of the first `what` in s, or SIZE_MAX.
size_t text_find(struct str s, struct str what);
bool text_contains(struct str s, struct str what);
bool text_starts(struct str s, struct str prefix);
bool text_ends(struct str s, struct str suffix);
// Runes of the cutset off the left, right or both ends.
struct str text_trim(struct str s, struct str cutset, bool left, bool right);
// Unicode white space off both ends.
struct str text_trim_space(struct str s);
// At most `limit` replacements; negative: all. An empty `from` matches between runes.
void text_replace(struct buf *out, struct str s, struct str from, struct str to,
		  long limit);
void text_map(struct buf *out, struct str s, uint32_t (*map)(uint32_t));
// strings.Split into a []string; at most `limit` parts unless negative.
struct list *text_split(struct arena *a, struct str s, struct str sep, long limit);
void text_title(struct buf *out, struct str s);
