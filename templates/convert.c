// SPDX-License-Identifier: Apache-2.0
// Conversions that do not fail.
#include "templates/convert.h"

#include <math.h>
#include <string.h>

#include "templates/format.h"
#include "templates/literal.h"
#include "templates/text.h"

bool convert_text(struct run *r, const struct val *v, struct str *ret)
{
	struct val text;
	*ret = (struct str){ v->s.p, v->s.len };
	if (val_is_string(v))
		return true;
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	format_print(&out, &r->arena, v, 1);
	if (!run_take(r, &out, &text))
		return false;
	*ret = val_text(&text);
	return true;
}

// "2.00" counts as an integer, "2.5" does not.
static struct str without_zeros(struct str s)
{
	const char *point = memchr(s.p, '.', s.len);
	for (const char *p = point ? point + 1 : NULL; p && p < s.p + s.len; p++)
		if (*p != '0')
			return s;
	return point ? (struct str){ s.p, (size_t)(point - s.p) } : s;
}

int64_t convert_int(const struct val *v)
{
	int64_t i = 0;
	switch ((enum val_kind)v->kind) {
	case VAL_BOOL:
		return v->b;
	case VAL_INT:
		return v->i;
	case VAL_FLOAT:
		if (isnan(v->f) || v->f < -0x1p63 || v->f >= 0x1p63)
			return INT64_MIN; // as the conversion gives on amd64
		return (int64_t)v->f;
	case VAL_STR:
	case VAL_NUMBER:
		return literal_int(without_zeros(val_text(v)), 0, &i) ? i : 0;
	default:
		return 0;
	}
}

double convert_float(const struct val *v)
{
	double f = 0;
	bool range = false;
	switch ((enum val_kind)v->kind) {
	case VAL_BOOL:
		return v->b;
	case VAL_INT:
		return val_is_unsigned(v) ? (double)v->u : (double)v->i;
	case VAL_FLOAT:
		return v->f;
	case VAL_STR:
	case VAL_NUMBER:
		return literal_float(val_text(v), &f, &range) ? f : 0;
	default:
		return 0;
	}
}

bool convert_strings(struct run *r, const struct val *v, struct list **ret)
{
	size_t n = v->kind == VAL_LIST ? list_len(v->list) : 1;
	*ret = list_new(&r->arena, LIST_STR, n);
	if (val_is_nil(v))
		return true;
	for (size_t i = 0; i < n; i++) {
		struct val item =
			v->kind == VAL_LIST ? list_at(&r->arena, v->list, i) : *v;
		struct str s;
		if (item.kind == VAL_NIL || item.kind == VAL_NONE)
			continue;
		if (!convert_text(r, &item, &s))
			return false;
		list_add(&r->arena, *ret, val_str(s.p, s.len));
	}
	return true;
}
