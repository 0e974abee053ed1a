// SPDX-License-Identifier: Apache-2.0
// sprig's arithmetic: everything is converted to int64 first.

#include "templates/convert.h"
#include "templates/funcs.h"
#include "templates/run.h"

static int64_t wrap(uint64_t u)
{
	return (int64_t)u;
}

static bool fn_add(struct run *r UNUSED, const struct val *args, size_t n,
		   struct val *ret)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (uint64_t)convert_int(&args[i]);
	*ret = val_int64(wrap(sum));
	return true;
}

static bool fn_add1(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	*ret = val_int64(wrap((uint64_t)convert_int(&args[0]) + 1));
	return true;
}

static bool fn_sub(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	*ret = val_int64(
		wrap((uint64_t)convert_int(&args[0]) - (uint64_t)convert_int(&args[1])));
	return true;
}

static bool fn_mul(struct run *r UNUSED, const struct val *args, size_t n,
		   struct val *ret)
{
	uint64_t product = 1;
	for (size_t i = 0; i < n; i++)
		product *= (uint64_t)convert_int(&args[i]);
	*ret = val_int64(wrap(product));
	return true;
}

static bool divide(struct run *r, const struct val *args, bool rest, struct val *ret)
{
	int64_t a = convert_int(&args[0]), b = convert_int(&args[1]);
	if (b == 0)
		return func_fail(r, "division by zero");
	if (b == -1)
		*ret = val_int64(rest ? 0 : wrap(0 - (uint64_t)a));
	else
		*ret = val_int64(rest ? a % b : a / b);
	return true;
}

static bool fn_div(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	return divide(r, args, false, ret);
}

static bool fn_mod(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	return divide(r, args, true, ret);
}

static bool extreme(const struct val *args, size_t n, bool max, struct val *ret)
{
	int64_t best = convert_int(&args[0]);
	for (size_t i = 1; i < n; i++) {
		int64_t v = convert_int(&args[i]);
		if (max ? v > best : v < best)
			best = v;
	}
	*ret = val_int64(best);
	return true;
}

static bool fn_max(struct run *r UNUSED, const struct val *args, size_t n,
		   struct val *ret)
{
	return extreme(args, n, true, ret);
}

static bool fn_min(struct run *r UNUSED, const struct val *args, size_t n,
		   struct val *ret)
{
	return extreme(args, n, false, ret);
}

// Without libm, which nothing else here needs. Doubles of 2^52 and above are whole.
static double round_down(double f)
{
	if (!(f > -0x1p52 && f < 0x1p52))
		return f;
	double whole = (double)(int64_t)f;
	return whole > f ? whole - 1 : whole;
}

static double round_up(double f)
{
	return -round_down(-f);
}

static bool fn_ceil(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	*ret = val_float(round_up(convert_float(&args[0])));
	return true;
}

static bool fn_floor(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	*ret = val_float(round_down(convert_float(&args[0])));
	return true;
}

static bool fn_round(struct run *r UNUSED, const struct val *args, size_t n,
		     struct val *ret)
{
	enum { DIGITS_MAX = 300 };
	double on = n > 2 ? args[2].f : 0.5, scale = 1;
	for (int64_t i = 0; i < args[1].i && i < DIGITS_MAX; i++)
		scale *= 10;
	for (int64_t i = 0; i > args[1].i && i > -DIGITS_MAX; i--)
		scale /= 10;
	double scaled = scale * convert_float(&args[0]);
	double whole = scaled < 0 ? round_up(scaled) : round_down(scaled);
	*ret = val_float((scaled - whole >= on ? round_up(scaled) : round_down(scaled)) /
			 scale);
	return true;
}

const struct func funcs_sprig_math[] = {
	FUNC("sprig_add", "a*", fn_add, "the sum", "{{sprig_add 1 \"2\" 3}}", "6", 0),
	FUNC("sprig_add1", "a", fn_add1, "one more", "{{sprig_add1 1}}", "2", 0),
	FUNC("sprig_sub", "aa", fn_sub, "a - b", "{{sprig_sub 5 2}}", "3", 0),
	FUNC("sprig_mul", "aa*", fn_mul, "the product", "{{sprig_mul 2 3 4}}", "24", 0),
	FUNC("sprig_div", "aa", fn_div, "a / b", "{{sprig_div 7 2}}", "3", 0),
	FUNC("sprig_mod", "aa", fn_mod, "the remainder", "{{sprig_mod 7 2}}", "1", 0),
	FUNC("sprig_max", "aa*", fn_max, "the largest", "{{sprig_max 1 3 2}}", "3", 0),
	FUNC("sprig_min", "aa*", fn_min, "the smallest", "{{sprig_min 2 1 3}}", "1", 0),
	FUNC("sprig_ceil", "a", fn_ceil, "rounded up", "{{sprig_ceil 1.2}}", "2", 0),
	FUNC("sprig_floor", "a", fn_floor, "rounded down", "{{sprig_floor 1.8}}", "1", 0),
	FUNC("sprig_round", "anf*", fn_round, "rounded to n digits",
	     "{{sprig_round 1.256 2}}", "1.26", 0),
	{ .name = NULL },
};
