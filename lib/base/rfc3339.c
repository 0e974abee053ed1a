// SPDX-License-Identifier: Apache-2.0
// RFC 3339 text of a time. Apart from clock.c so that the fake clock need not repeat it.
#include <stdio.h>
#include <time.h>

#include "lib/base/clock.h"

void clock_rfc3339(int64_t wall_ms, char ret[static CLOCK_RFC3339_LEN])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	gmtime_r(&s, &tm);
	// No strftime() anywhere: with it comes libc's code for time zones, 7 KB.
	unsigned ms = (unsigned)(wall_ms % 1000) % 1000;
	snprintf(ret, CLOCK_RFC3339_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, ms);
}

static bool number(const char **at, int digits, int least, int most, int *ret)
{
	int n = 0;
	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		n = 10 * n + (**at - '0');
	}
	*ret = n;
	return n >= least && n <= most;
}

static bool letter(const char **at, char c)
{
	return **at == c && (*at)++;
}

static bool offset(const char **at, int *ret_minutes)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;
	if (letter(at, 'Z'))
		return true;
	if ((**at != '+' && **at != '-') || !(*at)++ || !number(at, 2, 0, 23, &hours) ||
	    !letter(at, ':') || !number(at, 2, 0, 59, &minutes))
		return false;
	*ret_minutes = sign * (60 * hours + minutes);
	return true;
}

static int fraction_ms(const char **at)
{
	int ms = 0, unit = 100;
	if (**at != '.')
		return 0;
	for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
		ms += (**at - '0') * unit;
	return ms;
}

// No 30th of February.
static bool is_day(const struct tm *tm)
{
	struct tm day = { .tm_year = tm->tm_year,
			  .tm_mon = tm->tm_mon,
			  .tm_mday = tm->tm_mday };
	timegm(&day);
	return day.tm_mday == tm->tm_mday;
}

bool clock_rfc3339_parse(const char *text, int64_t *ret_wall_ms)
{
	struct tm tm = { 0 };
	int east = 0;
	if (!number(&text, 4, 1970, 9999, &tm.tm_year) || !letter(&text, '-') ||
	    !number(&text, 2, 1, 12, &tm.tm_mon) || !letter(&text, '-') ||
	    !number(&text, 2, 1, 31, &tm.tm_mday) || !letter(&text, 'T') ||
	    !number(&text, 2, 0, 23, &tm.tm_hour) || !letter(&text, ':') ||
	    !number(&text, 2, 0, 59, &tm.tm_min) || !letter(&text, ':') ||
	    !number(&text, 2, 0, 60, &tm.tm_sec))
		return false;
	int ms = fraction_ms(&text);
	if (!offset(&text, &east) || *text)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (!is_day(&tm))
		return false;
	*ret_wall_ms = ((int64_t)timegm(&tm) - 60 * east) * 1000 + ms;
	return true;
}
