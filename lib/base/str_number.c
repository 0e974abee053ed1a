// SPDX-License-Identifier: Apache-2.0
// Strict parsers of what people write: numbers, truth, durations, sizes, modes. Messages show
// the value cut and made printable, and the form that is wanted.
#include "lib/base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/auto.h"

// A value in a message: at most 40 bytes, nothing that a terminal would obey.
struct shown {
	char text[44];
};

static struct shown show(const char *s)
{
	struct shown out;
	size_t n = 0;
	for (; s[n] && n < 40; n++)
		out.text[n] = s[n] >= ' ' && s[n] < 0x7f ? s[n] : '?';
	memcpy(out.text + n, s[n] ? "..." : "", s[n] ? 4 : 1);
	return out;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// The digits at *s as a number; false when there is none or it does not fit.
static bool take_digits(const char **s, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = *s;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	bool some = p != *s;
	*s = p;
	*ret = v;
	return some;
}

bool str_uint64(const char *s, uint64_t *ret, struct err *e)
{
	const char *p = s;
	uint64_t v;
	if (!take_digits(&p, &v) || *p)
		return err_set(
			e, ERR_CONFIG, 0,
			"'%s' is not a whole number; write decimal digits, at most "
			"18446744073709551615",
			show(s).text);
	*ret = v;
	return true;
}

bool str_int64(const char *s, int64_t *ret, struct err *e)
{
	bool negative = s[0] == '-';
	const char *p = s + negative;
	uint64_t v;
	uint64_t limit = (uint64_t)INT64_MAX + negative;
	if (!take_digits(&p, &v) || *p || v > limit)
		return err_set(
			e, ERR_CONFIG, 0,
			"'%s' is not a whole number; write decimal digits, at most "
			"9223372036854775807",
			show(s).text);
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

// [-] digits [. digits] [e [+-] digits], with digits on one side of the point at least.
static bool double_form(const char *s)
{
	s += *s == '-';
	size_t digits = 0;
	for (; is_digit(*s); s++)
		digits++;
	if (*s == '.')
		for (s++; is_digit(*s); s++)
			digits++;
	if (digits == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s += 1 + (s[1] == '+' || s[1] == '-');
		if (!is_digit(*s))
			return false;
		while (is_digit(*s))
			s++;
	}
	return *s == '\0';
}

bool str_double(const char *s, double *ret, struct err *e)
{
	// No program of ours calls setlocale(), so the point is always '.'.
	double v = double_form(s) ? strtod(s, NULL) : NAN;
	if (!isfinite(v))
		return err_set(e, ERR_CONFIG, 0,
			       "'%s' is not a number; write it as 12, 0.5 or 1e6",
			       show(s).text);
	*ret = v;
	return true;
}

bool str_bool(const char *s, bool *ret, struct err *e)
{
	static const char *const words[2][6] = {
		{ "0", "f", "F", "FALSE", "false", "False" },
		{ "1", "t", "T", "TRUE", "true", "True" },
	};
	for (size_t truth = 0; truth < 2; truth++)
		for (size_t i = 0; i < ARRAY_LEN(words[truth]); i++)
			if (strcmp(s, words[truth][i]) == 0) {
				*ret = truth == 1;
				return true;
			}
	return err_set(e, ERR_CONFIG, 0, "'%s' is not a boolean; write true or false",
		       show(s).text);
}

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, // U+00B5, micro sign
	{ "\xce\xbcs", 1000 }, // U+03BC, the letter mu
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
	{ "d", 86400000000000 }, // Vault's, for whole days
};

static const struct unit *take_unit(const char **s)
{
	size_t len = strcspn(*s, ".0123456789");
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i].name) == len && memcmp(units[i].name, *s, len) == 0) {
			*s += len;
			return &units[i];
		}
	return NULL;
}

// The digits behind a point in billionths; further ones are dropped.
static uint64_t take_billionths(const char **s)
{
	uint64_t v = 0, scale = 1000000000;
	for (; is_digit(**s); (*s)++)
		if (scale > 1) {
			scale /= 10;
			v = v * 10 + (uint64_t)(**s - '0');
		}
	return v * scale;
}

// One "1.5h" at *s, added to *ns.
static bool take_part(const char **s, uint64_t *ns)
{
	uint64_t whole = 0, part = 0;
	bool digits = is_digit(**s);
	if (digits && !take_digits(s, &whole))
		return false;
	if (**s == '.') {
		(*s)++;
		digits = digits || is_digit(**s);
		part = take_billionths(s);
	}
	const struct unit *u = digits ? take_unit(s) : NULL;
	if (!u || __builtin_mul_overflow(whole, u->ns, &whole))
		return false;
	const uint64_t second = 1000000000;
	part = u->ns >= second ? part * (u->ns / second) : part / (second / u->ns);
	return !__builtin_add_overflow(*ns, whole, ns) &&
	       !__builtin_add_overflow(*ns, part, ns) && *ns <= INT64_MAX;
}

static bool duration_ns(const char *s, uint64_t *ret)
{
	uint64_t ns = 0;
	const char *p = s;
	if (take_digits(&p, &ns) && *p == '\0') {
		*ret = ns * 1000000000;
		return ns <= INT64_MAX / 1000000000;
	}
	ns = 0;
	if (*s == '\0')
		return false;
	while (*s)
		if (!take_part(&s, &ns))
			return false;
	*ret = ns;
	return true;
}

bool str_duration_ms(const char *s, int64_t *ret, struct err *e)
{
	uint64_t ns;
	if (!duration_ns(s, &ns))
		return err_set(e, ERR_CONFIG, 0,
			       "'%s' is not a duration; write 30s, 5m, 1h30m, 250ms or a "
			       "number of seconds, not negative, at most 292 years",
			       show(s).text);
	// Rounded up: what is not zero must not become "no limit" or "at once".
	*ret = (int64_t)(ns / 1000000 + (ns % 1000000 != 0));
	return true;
}

bool str_size(const char *s, uint64_t *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} sizes[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "k", 1000 },
		{ "kB", 1000 },
		{ "KB", 1000 },
		{ "M", 1000000 },
		{ "MB", 1000000 },
		{ "G", 1000000000 },
		{ "GB", 1000000000 },
		{ "T", 1000000000000 },
		{ "TB", 1000000000000 },
		{ "Ki", (uint64_t)1 << 10 },
		{ "KiB", (uint64_t)1 << 10 },
		{ "Mi", (uint64_t)1 << 20 },
		{ "MiB", (uint64_t)1 << 20 },
		{ "Gi", (uint64_t)1 << 30 },
		{ "GiB", (uint64_t)1 << 30 },
		{ "Ti", (uint64_t)1 << 40 },
		{ "TiB", (uint64_t)1 << 40 },
	};
	const char *p = s;
	uint64_t v;
	bool ok = take_digits(&p, &v);
	for (size_t i = 0; ok && i < ARRAY_LEN(sizes); i++)
		if (strcmp(p, sizes[i].name) == 0 &&
		    !__builtin_mul_overflow(v, sizes[i].bytes, &v)) {
			*ret = v;
			return true;
		}
	return err_set(
		e, ERR_CONFIG, 0,
		"'%s' is not a size; write bytes, or a whole number with Ki, Mi, Gi "
		"(binary) or k, M, G (decimal)",
		show(s).text);
}

bool str_mode(const char *s, unsigned *ret, struct err *e)
{
	const char *p = s;
	if (p[0] == '0' && (p[1] == 'o' || p[1] == 'O'))
		p += 2;
	unsigned v = 0;
	bool ok = *p != '\0';
	for (; ok && *p; p++) {
		v = v * 8 + (unsigned)(*p - '0');
		ok = *p >= '0' && *p <= '7' && v <= 0777;
	}
	if (!ok)
		return err_set(
			e, ERR_CONFIG, 0,
			"'%s' is not a file mode; write octal permission bits from "
			"0000 to 0777, as in 0640",
			show(s).text);
	*ret = v;
	return true;
}
