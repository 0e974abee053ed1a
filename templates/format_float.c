// SPDX-License-Identifier: Apache-2.0
// float64 to text as Go's strconv does it. The shortest digits that read back equal are
// found by trying 15 to 17 of them (1 to 17 below the normal range); libc rounds correctly.
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "templates/format.h"

enum { DIGITS_MAX = 800 };

// Digits without point, and the place of the point: 0.d1d2d3… × 10^exp.
struct decimal {
	char digits[DIGITS_MAX + 1];
	int n;
	int point;
};

// From the text of C's %.{n}e.
static void split(const char *text, struct decimal *d)
{
	int exp = 0;
	bool negative = false;
	d->n = 0;
	for (; *text && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9' && d->n < DIGITS_MAX)
			d->digits[d->n++] = *text;
	if (*text == 'e') {
		text++;
		negative = *text == '-';
		for (text++; *text; text++)
			exp = exp * 10 + (*text - '0');
	}
	d->point = (negative ? -exp : exp) + 1;
	while (d->n > 1 && d->digits[d->n - 1] == '0')
		d->n--;
	if (d->n == 1 && d->digits[0] == '0') {
		d->n = 0;
		d->point = 0;
	}
}

// The next greater text of as many digits; false when they are all nines.
static bool next_up(char *text)
{
	for (char *p = strchr(text, 'e'); p-- > text;) {
		if (*p == '.')
			continue;
		if (*p >= '0' && *p < '9') {
			++*p;
			return true;
		}
		if (*p != '9')
			return false;
		*p = '0';
	}
	return false;
}

// A text of at most 15 digits comes back from the normal double that is nearest to it, so what
// needs no more is found by the first try, with zeros behind it.
// Above a power of two the doubles lie twice as wide as below it: there the nearest text may
// belong to the neighbour below while the next greater one of the same length comes back.
static void shortest(double f, struct decimal *d)
{
	char text[40];
	for (int n = fabs(f) < DBL_MIN ? 1 : DBL_DIG; n <= 17; n++) {
		snprintf(text, sizeof(text), "%.*e", n - 1, f);
		if (n == 17 || strtod(text, NULL) == f ||
		    (next_up(text) && strtod(text, NULL) == f))
			break;
	}
	split(text, d);
}

static void fixed_digits(double f, int n, struct decimal *d)
{
	char text[DIGITS_MAX + 32];
	if (n > DIGITS_MAX)
		n = DIGITS_MAX;
	snprintf(text, sizeof(text), "%.*e", n > 0 ? n - 1 : 0, f);
	split(text, d);
}

static void put_zeros(struct buf *out, int n)
{
	while (n-- > 0 && buf_putc(out, '0'))
		;
}

static void write_exp(struct buf *out, const struct decimal *d, int prec, char form)
{
	buf_putc(out, d->n ? d->digits[0] : '0');
	if (prec > 0) {
		int shown = d->n - 1 < prec ? d->n - 1 : prec;
		buf_putc(out, '.');
		if (shown > 0)
			buf_add(out, d->digits + 1, (size_t)shown);
		put_zeros(out, prec - (shown > 0 ? shown : 0));
	}
	int exp = d->n ? d->point - 1 : 0;
	buf_printf(out, "%c%c%02d", form, exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
}

static void write_fixed(struct buf *out, const struct decimal *d, int prec)
{
	if (d->point > 0) {
		int whole = d->n < d->point ? d->n : d->point;
		buf_add(out, d->digits, (size_t)whole);
		put_zeros(out, d->point - whole);
	} else {
		buf_putc(out, '0');
	}
	if (prec <= 0)
		return;
	buf_putc(out, '.');
	for (int i = 0; i < prec; i++) {
		int at = d->point + i;
		buf_putc(out, at >= 0 && at < d->n ? d->digits[at] : '0');
	}
}

static void form_f(struct buf *out, double f, int prec)
{
	struct decimal d;
	if (prec < 0) {
		shortest(f, &d);
		write_fixed(out, &d, d.n > d.point ? d.n - d.point : 0);
		return;
	}
	AUTO_BUF struct buf text = BUF_INIT(out->max);
	buf_printf(&text, "%.*f", prec, f);
	if (buf_failed(&text))
		out->failed = true;
	buf_add(out, buf_str(&text), text.len);
}

static void form_e(struct buf *out, double f, int prec, char form)
{
	struct decimal d;
	if (prec < 0) {
		shortest(f, &d);
		prec = d.n > 0 ? d.n - 1 : 0;
	} else {
		fixed_digits(f, prec + 1, &d);
	}
	write_exp(out, &d, prec, form);
}

static void form_g(struct buf *out, double f, int prec, char form)
{
	struct decimal d;
	bool is_short = prec < 0;
	if (is_short) {
		shortest(f, &d);
		prec = 6; // from 10^6 on with an exponent, however many digits there are
	} else {
		if (prec == 0)
			prec = 1;
		fixed_digits(f, prec, &d);
	}
	int limit = prec;
	if (!is_short && limit > d.n && d.n >= d.point)
		limit = d.n;
	int exp = d.point - 1;
	if (exp < -4 || exp >= limit) {
		int digits = is_short || prec > d.n ? d.n : prec;
		write_exp(out, &d, digits - 1, (char)(form == 'g' ? 'e' : 'E'));
		return;
	}
	write_fixed(out, &d, d.n > d.point ? d.n - d.point : 0);
}

// Mantissa and binary exponent of a finite number.
static uint64_t parts(double f, int *ret_exp)
{
	uint64_t bits = 0;
	memcpy(&bits, &f, sizeof(bits));
	int exp = (int)(bits >> 52 & 0x7FF);
	uint64_t mant = bits & ((UINT64_C(1) << 52) - 1);
	if (exp == 0)
		exp++;
	else
		mant |= UINT64_C(1) << 52;
	*ret_exp = exp - 1023;
	return mant;
}

static void form_b(struct buf *out, double f)
{
	int exp = 0;
	uint64_t mant = parts(f, &exp);
	exp -= 52;
	buf_printf(out, "%" PRIu64 "p%c%d", mant, exp < 0 ? '-' : '+',
		   exp < 0 ? -exp : exp);
}

static void form_x(struct buf *out, double f, int prec, bool upper)
{
	int exp = 0;
	uint64_t mant = parts(f, &exp);
	if (mant == 0)
		exp = 0;
	mant <<= 60 - 52;
	while (mant != 0 && !(mant & UINT64_C(1) << 60)) {
		mant <<= 1;
		exp--;
	}
	if (prec >= 0 && prec < 15) { // round half to even
		unsigned shift = (unsigned)prec * 4;
		uint64_t extra = (mant << shift) & ((UINT64_C(1) << 60) - 1);
		mant >>= 60 - shift;
		if ((extra | (mant & 1)) > UINT64_C(1) << 59)
			mant++;
		mant <<= 60 - shift;
		if (mant & UINT64_C(1) << 61) {
			mant >>= 1;
			exp++;
		}
	}
	buf_puts(out, upper ? "0X" : "0x");
	buf_putc(out, (char)('0' + (mant >> 60 & 1)));
	mant <<= 4;
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	if ((prec < 0 && mant != 0) || prec > 0)
		buf_putc(out, '.');
	for (int i = 0; prec < 0 ? mant != 0 : i < prec; i++) {
		buf_putc(out, digits[mant >> 60]);
		mant <<= 4;
	}
	buf_printf(out, "%c%c%02d", upper ? 'P' : 'p', exp < 0 ? '-' : '+',
		   exp < 0 ? -exp : exp);
}

void format_float(struct buf *out, double f, char form, int prec)
{
	if (isnan(f)) {
		buf_puts(out, "NaN");
		return;
	}
	if (isinf(f)) {
		buf_puts(out, f < 0 ? "-Inf" : "+Inf");
		return;
	}
	if (signbit(f)) {
		buf_putc(out, '-');
		f = -f;
	}
	switch (form) {
	case 'f':
		form_f(out, f, prec);
		return;
	case 'e':
	case 'E':
		form_e(out, f, prec, form);
		return;
	case 'b':
		form_b(out, f);
		return;
	case 'x':
	case 'X':
		form_x(out, f, prec, form == 'X');
		return;
	default:
		form_g(out, f, prec, form);
		return;
	}
}
