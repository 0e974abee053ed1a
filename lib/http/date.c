// SPDX-License-Identifier: Apache-2.0
// A strict reader of HTTP's dates: fixed letters at fixed places, no locale, no time zone
// but GMT.
#include "lib/http/date.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { DAY_S = 86400 };

static const char days[][10] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
				 "Friday", "Saturday", "Sunday" };
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct date {
	unsigned year, month, day, hour, minute, second; // month and day from 1
};

// Takes n digits, in asctime's day with a blank for a leading zero.
static bool take_number(const char **p, unsigned n, bool blank, unsigned *ret)
{
	unsigned value = 0;
	for (unsigned i = 0; i < n; i++) {
		char c = (*p)[i];
		if (blank && i == 0 && c == ' ')
			c = '0';
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (unsigned)(c - '0');
	}
	*p += n;
	*ret = value;
	return true;
}

static bool take_text(const char **p, const char *text)
{
	size_t len = strlen(text);
	if (strncmp(*p, text, len) != 0)
		return false;
	*p += len;
	return true;
}

static bool take_month(const char **p, unsigned *ret)
{
	for (unsigned i = 0; i < 12; i++) {
		if (strncmp(*p, months + 3 * i, 3) == 0) {
			*p += 3;
			*ret = i + 1;
			return true;
		}
	}
	return false;
}

static bool take_time(const char **p, struct date *d)
{
	return take_number(p, 2, false, &d->hour) && take_text(p, ":") &&
	       take_number(p, 2, false, &d->minute) && take_text(p, ":") &&
	       take_number(p, 2, false, &d->second) && d->hour < 24 && d->minute < 60 &&
	       d->second <= 60; // a leap second
}

// Days from 1970 to a date of the Gregorian calendar (years from March on).
static int64_t days_from_1970(const struct date *d)
{
	int64_t y = (int64_t)d->year - (d->month <= 2);
	int64_t era = y / 400;
	int64_t of_era = y % 400;
	int64_t of_year =
		(153 * (int64_t)(d->month + (d->month > 2 ? -3u : 9u)) + 2) / 5 +
		(int64_t)d->day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const unsigned char n[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return n[month - 1] + (month == 2 && leap ? 1u : 0u);
}

// 94 is 1994 or 2094, whichever is not more than 50 years ahead (RFC 9110).
static unsigned whole_year(unsigned two_digits, int64_t now_ms)
{
	unsigned now = (unsigned)(1970 + now_ms / 1000 / 31556952); // mean years
	unsigned year = now / 100 * 100 + two_digits;
	return year > now + 50 ? year - 100 : year;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
static bool read_fixed(const char *p, struct date *d)
{
	return take_text(&p, ", ") && take_number(&p, 2, false, &d->day) &&
	       take_text(&p, " ") && take_month(&p, &d->month) && take_text(&p, " ") &&
	       take_number(&p, 4, false, &d->year) && take_text(&p, " ") &&
	       take_time(&p, d) && strcmp(p, " GMT") == 0;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
static bool read_rfc850(const char *p, struct date *d, int64_t now_ms)
{
	unsigned year;
	if (!take_text(&p, ", ") || !take_number(&p, 2, false, &d->day) ||
	    !take_text(&p, "-") || !take_month(&p, &d->month) || !take_text(&p, "-") ||
	    !take_number(&p, 2, false, &year) || !take_text(&p, " ") || !take_time(&p, d))
		return false;
	d->year = whole_year(year, now_ms);
	return strcmp(p, " GMT") == 0;
}

// "Sun Nov  6 08:49:37 1994"
static bool read_asctime(const char *p, struct date *d)
{
	return take_text(&p, " ") && take_month(&p, &d->month) && take_text(&p, " ") &&
	       take_number(&p, 2, true, &d->day) && take_text(&p, " ") &&
	       take_time(&p, d) && take_text(&p, " ") &&
	       take_number(&p, 4, false, &d->year) && *p == '\0';
}

static bool read_date(const char *s, int64_t now_ms, struct date *d)
{
	for (unsigned i = 0; i < 7; i++) {
		size_t len = strlen(days[i]);
		if (strncmp(s, days[i], len) == 0)
			return read_rfc850(s + len, d, now_ms);
		if (strncmp(s, days[i], 3) == 0)
			return s[3] == ',' ? read_fixed(s + 3, d)
					   : read_asctime(s + 3, d);
	}
	return false;
}

bool http_date_parse(const char *s, int64_t now_ms, int64_t *ret_wall_ms)
{
	struct date d = { 0 };
	if (!read_date(s, now_ms, &d) || d.year < 1970 || d.day < 1 ||
	    d.day > days_in(d.year, d.month))
		return false;
	int64_t seconds =
		days_from_1970(&d) * DAY_S + d.hour * 3600 + d.minute * 60 + d.second;
	*ret_wall_ms = seconds * 1000;
	return true;
}
