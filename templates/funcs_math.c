// SPDX-License-Identifier: Apache-2.0
// Arithmetic for pipelines: `7 | subtract 2` is 5. Integers stay integers (int64, or uint64
// when both are unsigned); one float makes the result a float.
#include <stdint.h>

#include "templates/funcs.h"
#include "templates/run.h"

enum number_kind { NUMBER_NONE, NUMBER_INT, NUMBER_UINT, NUMBER_FLOAT };

static enum number_kind kind_of(const struct val *v)
{
	if (v->kind == VAL_FLOAT)
		return NUMBER_FLOAT;
	if (v->kind != VAL_INT)
		return NUMBER_NONE;
	return val_is_unsigned(v) ? NUMBER_UINT : NUMBER_INT;
}

static double as_float(const struct val *v)
{
	return v->kind == VAL_FLOAT ? v->f
	       : val_is_unsigned(v) ? (double)v->u
				    : (double)v->i;
}

static struct val val_uint(uint64_t u)
{
	return (struct val){ .kind = VAL_INT, .sub = INT_UINT64, .u = u };
}

static bool check(struct run *r, const struct val *a, const struct val *b)
{
	const struct val *bad = kind_of(a) == NUMBER_NONE   ? a
				: kind_of(b) == NUMBER_NONE ? b
							    : NULL;
	if (bad)
		return func_fail(r, "an argument of type %s is no number", val_type(bad));
	return true;
}

// The result of unsigned arithmetic, which wraps as Go's does.
static struct val wrapped(const struct val *a, const struct val *b, uint64_t u)
{
	bool both = val_is_unsigned(a) && val_is_unsigned(b);
	return both ? val_uint(u) : val_int64((int64_t)u);
}

static bool floats(const struct val *a, const struct val *b)
{
	return a->kind == VAL_FLOAT || b->kind == VAL_FLOAT;
}

// Arguments come as (b, a): the last one is what the pipeline brings.
static bool fn_add(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	const struct val *a = &args[1], *b = &args[0];
	if (!check(r, a, b))
		return false;
	*ret = floats(a, b) ? val_float(as_float(a) + as_float(b))
			    : wrapped(a, b, a->u + b->u);
	return true;
}

static bool fn_subtract(struct run *r, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	const struct val *a = &args[1], *b = &args[0];
	if (!check(r, a, b))
		return false;
	*ret = floats(a, b) ? val_float(as_float(a) - as_float(b))
			    : wrapped(a, b, a->u - b->u);
	return true;
}

static bool fn_multiply(struct run *r, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	const struct val *a = &args[1], *b = &args[0];
	if (!check(r, a, b))
		return false;
	*ret = floats(a, b) ? val_float(as_float(a) * as_float(b))
			    : wrapped(a, b, a->u * b->u);
	return true;
}

static struct val quotient(const struct val *a, const struct val *b, bool rest)
{
	if (val_is_unsigned(a) && val_is_unsigned(b))
		return val_uint(rest ? a->u % b->u : a->u / b->u);
	if (b->i == -1) // the one quotient that does not fit
		return val_int64(rest ? 0 : (int64_t)(0 - a->u));
	return val_int64(rest ? a->i % b->i : a->i / b->i);
}

static bool fn_divide(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	const struct val *a = &args[1], *b = &args[0];
	if (!check(r, a, b))
		return false;
	if (floats(a, b)) {
		*ret = val_float(as_float(a) / as_float(b));
		return true;
	}
	if (b->i == 0)
		return func_fail(r, "division by zero");
	*ret = quotient(a, b, false);
	return true;
}

static bool fn_modulo(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	const struct val *a = &args[1], *b = &args[0];
	if (!check(r, a, b))
		return false;
	if (floats(a, b))
		return func_fail(r, "a float has no remainder");
	if (b->i == 0)
		return func_fail(r, "division by zero");
	*ret = quotient(a, b, true);
	return true;
}

static int order(const struct val *a, const struct val *b)
{
	if (floats(a, b)) {
		double x = as_float(a), y = as_float(b);
		return x < y ? -1 : x > y;
	}
	if (val_is_unsigned(a) && val_is_unsigned(b))
		return a->u < b->u ? -1 : a->u > b->u;
	return a->i < b->i ? -1 : a->i > b->i;
}

static struct val widened(const struct val *v)
{
	return v->kind == VAL_FLOAT ? *v
	       : val_is_unsigned(v) ? val_uint(v->u)
				    : val_int64(v->i);
}

static bool fn_min(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	if (!check(r, &args[1], &args[0]))
		return false;
	*ret = widened(order(&args[1], &args[0]) < 0 ? &args[1] : &args[0]);
	return true;
}

static bool fn_max(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	if (!check(r, &args[1], &args[0]))
		return false;
	*ret = widened(order(&args[1], &args[0]) > 0 ? &args[1] : &args[0]);
	return true;
}

const struct func funcs_math[] = {
	FUNC("add", "aa", fn_add, "a + b", "{{3 | add 2}}", "5", 0),
	FUNC("subtract", "aa", fn_subtract, "what comes from the pipeline less b",
	     "{{7 | subtract 2}}", "5", 0),
	FUNC("multiply", "aa", fn_multiply, "a × b", "{{3 | multiply 2.5}}", "7.5", 0),
	FUNC("divide", "aa", fn_divide, "what comes from the pipeline over b",
	     "{{7 | divide 2}}", "3", 0),
	FUNC("modulo", "aa", fn_modulo, "its remainder", "{{7 | modulo 2}}", "1", 0),
	FUNC("minimum", "aa", fn_min, "the smaller one", "{{7 | minimum 2}}", "2", 0),
	FUNC("maximum", "aa", fn_max, "the larger one", "{{7 | maximum 2}}", "7", 0),
	{ .name = NULL },
};
