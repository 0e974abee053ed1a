// SPDX-License-Identifier: Apache-2.0
// eq, ne, lt, le, gt, ge with Go's rules: only values of one basic kind can be compared.
#include <string.h>

#include "templates/funcs.h"
#include "templates/run.h"

enum basic {
	BASIC_NONE,
	BASIC_BOOL,
	BASIC_COMPLEX,
	BASIC_INT,
	BASIC_FLOAT,
	BASIC_STRING,
	BASIC_UINT
};

static enum basic basic_kind(const struct val *v)
{
	switch ((enum val_kind)v->kind) {
	case VAL_BOOL:
		return BASIC_BOOL;
	case VAL_INT:
		return val_is_unsigned(v) ? BASIC_UINT : BASIC_INT;
	case VAL_FLOAT:
		return BASIC_FLOAT;
	case VAL_COMPLEX:
		return BASIC_COMPLEX;
	case VAL_STR:
	case VAL_NUMBER:
		return BASIC_STRING;
	default:
		return BASIC_NONE;
	}
}

static int compare_strings(const struct val *a, const struct val *b)
{
	size_t n = a->s.len < b->s.len ? a->s.len : b->s.len;
	int c = n ? memcmp(a->s.p, b->s.p, n) : 0;
	return c ? c : a->s.len < b->s.len ? -1 : a->s.len > b->s.len;
}

static bool equal_basic(enum basic kind, const struct val *a, const struct val *b)
{
	switch (kind) {
	case BASIC_BOOL:
		return a->b == b->b;
	case BASIC_INT:
	case BASIC_UINT:
		return a->i == b->i;
	case BASIC_FLOAT:
		return a->f == b->f;
	case BASIC_COMPLEX:
		return a->c.re == b->c.re && a->c.im == b->c.im;
	case BASIC_STRING:
		return compare_strings(a, b) == 0;
	case BASIC_NONE:
		break;
	}
	return false;
}

// Lists, maps, pointers and nil.
static bool equal_other(struct run *r, const struct val *a, const struct val *b,
			bool *ret)
{
	bool a_none = a->kind == VAL_NONE, b_none = b->kind == VAL_NONE;
	if (a->kind != b->kind && !a_none && !b_none)
		return func_fail(r, "values of types %s and %s cannot be compared",
				 val_type(a), val_type(b));
	if (val_is_nil(a) || val_is_nil(b)) {
		*ret = val_is_nil(a) == val_is_nil(b);
		return true;
	}
	if (b->kind == VAL_LIST || b->kind == VAL_MAP)
		return func_fail(r, "values of type %s cannot be compared", val_type(b));
	*ret = b->kind == VAL_OBJECT ? a->object == b->object
	       : b->kind == VAL_TIME ? a->t.sec == b->t.sec && a->t.nsec == b->t.nsec
				     : a->chan == b->chan;
	return true;
}

static bool equal(struct run *r, const struct val *x, const struct val *y, bool *ret)
{
	struct val a = val_unwrap(*x), b = val_unwrap(*y);
	enum basic ka = basic_kind(&a), kb = basic_kind(&b);
	*ret = false;
	if (ka == kb && ka != BASIC_NONE) {
		*ret = equal_basic(ka, &a, &b);
		return true;
	}
	if (ka == kb)
		return equal_other(r, &a, &b, ret);
	if ((ka == BASIC_INT && kb == BASIC_UINT) ||
	    (ka == BASIC_UINT && kb == BASIC_INT)) {
		*ret = a.i == b.i && a.i >= 0;
		return true;
	}
	if (a.kind != VAL_NONE && b.kind != VAL_NONE)
		return func_fail(r, "incompatible types for comparison: %s and %s",
				 val_type(&a), val_type(&b));
	return true;
}

static bool less(struct run *r, const struct val *x, const struct val *y, bool *ret)
{
	struct val a = val_unwrap(*x), b = val_unwrap(*y);
	enum basic ka = basic_kind(&a), kb = basic_kind(&b);
	if (ka == BASIC_NONE || kb == BASIC_NONE)
		return func_fail(r, "invalid type for comparison");
	if (ka == BASIC_INT && kb == BASIC_UINT) {
		*ret = a.i < 0 || a.u < b.u;
		return true;
	}
	if (ka == BASIC_UINT && kb == BASIC_INT) {
		*ret = b.i >= 0 && a.u < b.u;
		return true;
	}
	if (ka != kb)
		return func_fail(r, "incompatible types for comparison: %s and %s",
				 val_type(&a), val_type(&b));
	switch (ka) {
	case BASIC_INT:
		*ret = a.i < b.i;
		return true;
	case BASIC_UINT:
		*ret = a.u < b.u;
		return true;
	case BASIC_FLOAT:
		*ret = a.f < b.f;
		return true;
	case BASIC_STRING:
		*ret = compare_strings(&a, &b) < 0;
		return true;
	default:
		return func_fail(r, "invalid type for comparison");
	}
}

static bool fn_eq(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	bool same = false;
	if (n < 2)
		return func_fail(r, "missing argument for comparison");
	for (size_t i = 1; i < n && !same; i++)
		if (!equal(r, &args[0], &args[i], &same))
			return false;
	*ret = val_bool(same);
	return true;
}

static bool fn_ne(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	bool same = false;
	if (!equal(r, &args[0], &args[1], &same))
		return false;
	*ret = val_bool(!same);
	return true;
}

static bool less_or_equal(struct run *r, const struct val *a, const struct val *b,
			  bool *ret)
{
	if (!less(r, a, b, ret))
		return false;
	return *ret || equal(r, a, b, ret);
}

static bool fn_lt(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	bool b = false;
	if (!less(r, &args[0], &args[1], &b))
		return false;
	*ret = val_bool(b);
	return true;
}

static bool fn_le(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	bool b = false;
	if (!less_or_equal(r, &args[0], &args[1], &b))
		return false;
	*ret = val_bool(b);
	return true;
}

static bool fn_gt(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	bool b = false;
	if (!less_or_equal(r, &args[0], &args[1], &b))
		return false;
	*ret = val_bool(!b);
	return true;
}

static bool fn_ge(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	bool b = false;
	if (!less(r, &args[0], &args[1], &b))
		return false;
	*ret = val_bool(!b);
	return true;
}

const struct func funcs_compare[] = {
	FUNC("eq", "vv*", fn_eq, "whether the first equals one of the others",
	     "{{eq \"b\" \"a\" \"b\"}}", "true", 0),
	FUNC("ne", "vv", fn_ne, "whether two values differ", "{{ne 1 2}}", "true", 0),
	FUNC("lt", "vv", fn_lt, "less", "{{lt 1 2}}", "true", 0),
	FUNC("le", "vv", fn_le, "less or equal", "{{le 2 2}}", "true", 0),
	FUNC("gt", "vv", fn_gt, "greater", "{{gt 1 2}}", "false", 0),
	FUNC("ge", "vv", fn_ge, "greater or equal", "{{ge 2 2}}", "true", 0),
	{ .name = NULL },
};
