// SPDX-License-Identifier: Apache-2.0
// Go's layouts: the reference time Mon Jan 2 15:04:05 MST 2006, in UTC.
#include "templates/gotime.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"

struct val gotime_now(void)
{
	int64_t ms = clock_wall_ms();
	struct val v = { .kind = VAL_TIME };
	v.t.sec = ms / 1000;
	v.t.nsec = ms % 1000 * 1000000;
	return v;
}

enum part {
	PART_LONG_MONTH,
	PART_MONTH,
	PART_NUM_MONTH,
	PART_ZERO_MONTH,
	PART_LONG_DAY,
	PART_WEEK_DAY,
	PART_DAY,
	PART_UNDER_DAY,
	PART_ZERO_DAY,
	PART_UNDER_YDAY,
	PART_ZERO_YDAY,
	PART_HOUR,
	PART_HOUR12,
	PART_ZERO_HOUR12,
	PART_MIN,
	PART_ZERO_MIN,
	PART_SEC,
	PART_ZERO_SEC,
	PART_LONG_YEAR,
	PART_YEAR,
	PART_PM,
	PART_PM_LOWER,
	PART_TZ,
	PART_ISO_Z,
	PART_OFFSET,
	PART_OFFSET_COLON,
	PART_OFFSET_SHORT,
	PART_OFFSET_SECS,
	PART_OFFSET_COLON_SECS,
};

// Longer words stand before those that they begin with.
static const struct {
	const char *text;
	enum part part;
} parts[] = {
	{ "January", PART_LONG_MONTH },
	{ "Jan", PART_MONTH },
	{ "Monday", PART_LONG_DAY },
	{ "Mon", PART_WEEK_DAY },
	{ "MST", PART_TZ },
	{ "002", PART_ZERO_YDAY },
	{ "01", PART_ZERO_MONTH },
	{ "02", PART_ZERO_DAY },
	{ "03", PART_ZERO_HOUR12 },
	{ "04", PART_ZERO_MIN },
	{ "05", PART_ZERO_SEC },
	{ "06", PART_YEAR },
	{ "15", PART_HOUR },
	{ "1", PART_NUM_MONTH },
	{ "2006", PART_LONG_YEAR },
	{ "2", PART_DAY },
	{ "__2", PART_UNDER_YDAY },
	{ "_2", PART_UNDER_DAY },
	{ "3", PART_HOUR12 },
	{ "4", PART_MIN },
	{ "5", PART_SEC },
	{ "PM", PART_PM },
	{ "pm", PART_PM_LOWER },
	{ "-07:00:00", PART_OFFSET_COLON_SECS },
	{ "-070000", PART_OFFSET_SECS },
	{ "-07:00", PART_OFFSET_COLON },
	{ "-0700", PART_OFFSET },
	{ "-07", PART_OFFSET_SHORT },
	{ "Z07:00:00", PART_ISO_Z },
	{ "Z070000", PART_ISO_Z },
	{ "Z07:00", PART_ISO_Z },
	{ "Z0700", PART_ISO_Z },
	{ "Z07", PART_ISO_Z },
};

static const char *const months[] = { "January",   "February", "March",    "April",
				      "May",       "June",     "July",     "August",
				      "September", "October",  "November", "December" };
static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
				    "Thursday", "Friday", "Saturday" };

static void put_part(struct buf *out, const struct tm *t, enum part part)
{
	int hour12 = t->tm_hour % 12 ? t->tm_hour % 12 : 12;
	switch (part) {
	case PART_LONG_MONTH:
		buf_puts(out, months[t->tm_mon]);
		return;
	case PART_MONTH:
		buf_add(out, months[t->tm_mon], 3);
		return;
	case PART_LONG_DAY:
		buf_puts(out, days[t->tm_wday]);
		return;
	case PART_WEEK_DAY:
		buf_add(out, days[t->tm_wday], 3);
		return;
	case PART_PM:
		buf_puts(out, t->tm_hour >= 12 ? "PM" : "AM");
		return;
	case PART_PM_LOWER:
		buf_puts(out, t->tm_hour >= 12 ? "pm" : "am");
		return;
	case PART_TZ:
		buf_puts(out, "UTC");
		return;
	case PART_ISO_Z:
		buf_putc(out, 'Z');
		return;
	case PART_OFFSET:
		buf_puts(out, "+0000");
		return;
	case PART_OFFSET_COLON:
		buf_puts(out, "+00:00");
		return;
	case PART_OFFSET_SHORT:
		buf_puts(out, "+00");
		return;
	case PART_OFFSET_SECS:
		buf_puts(out, "+000000");
		return;
	case PART_OFFSET_COLON_SECS:
		buf_puts(out, "+00:00:00");
		return;
	default:
		break;
	}
	static const char *const forms[] = {
		[PART_NUM_MONTH] = "%d",   [PART_ZERO_MONTH] = "%02d",
		[PART_DAY] = "%d",         [PART_UNDER_DAY] = "%2d",
		[PART_ZERO_DAY] = "%02d",  [PART_UNDER_YDAY] = "%3d",
		[PART_ZERO_YDAY] = "%03d", [PART_HOUR] = "%02d",
		[PART_HOUR12] = "%d",      [PART_ZERO_HOUR12] = "%02d",
		[PART_MIN] = "%d",         [PART_ZERO_MIN] = "%02d",
		[PART_SEC] = "%d",         [PART_ZERO_SEC] = "%02d",
		[PART_LONG_YEAR] = "%04d", [PART_YEAR] = "%02d",
	};
	const int values[] = {
		[PART_NUM_MONTH] = t->tm_mon + 1,
		[PART_ZERO_MONTH] = t->tm_mon + 1,
		[PART_DAY] = t->tm_mday,
		[PART_UNDER_DAY] = t->tm_mday,
		[PART_ZERO_DAY] = t->tm_mday,
		[PART_UNDER_YDAY] = t->tm_yday + 1,
		[PART_ZERO_YDAY] = t->tm_yday + 1,
		[PART_HOUR] = t->tm_hour,
		[PART_HOUR12] = hour12,
		[PART_ZERO_HOUR12] = hour12,
		[PART_MIN] = t->tm_min,
		[PART_ZERO_MIN] = t->tm_min,
		[PART_SEC] = t->tm_sec,
		[PART_ZERO_SEC] = t->tm_sec,
		[PART_LONG_YEAR] = t->tm_year + 1900,
		[PART_YEAR] = t->tm_year % 100,
	};
	char text[32];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), forms[part], values[part]);
#pragma GCC diagnostic pop
	buf_puts(out, text);
}

// ".000" or ",999" behind the seconds: a fraction; 0 when it is something else.
static size_t fraction(struct str s, size_t *ret_digits, bool *ret_trim)
{
	size_t n = 1;
	if (s.len < 2 || (s.p[0] != '.' && s.p[0] != ',') ||
	    (s.p[1] != '0' && s.p[1] != '9'))
		return 0;
	while (n < s.len && s.p[n] == s.p[1])
		n++;
	if (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
		return 0;
	*ret_digits = n - 1;
	*ret_trim = s.p[1] == '9';
	return n;
}

static void put_fraction(struct buf *out, char point, int64_t nsec, size_t digits,
			 bool trim)
{
	char text[16];
	snprintf(text, sizeof(text), "%09lld", (long long)nsec);
	size_t n = digits < 9 ? digits : 9;
	while (trim && n && text[n - 1] == '0')
		n--;
	if (!n)
		return;
	buf_putc(out, point);
	buf_add(out, text, n);
}

void gotime_format(struct buf *out, const struct val *v, struct str layout)
{
	time_t sec = (time_t)v->t.sec;
	struct tm t = { 0 };
	gmtime_r(&sec, &t);
	while (layout.len && !buf_failed(out)) {
		size_t used = 0, digits = 0, i = 0;
		bool trim = false;
		used = fraction(layout, &digits, &trim);
		if (used) {
			put_fraction(out, layout.p[0], v->t.nsec, digits, trim);
		} else {
			for (; i < ARRAY_LEN(parts); i++) {
				used = strlen(parts[i].text);
				// "Jan" and "Mon" are words only before no lower-case letter.
				bool word = parts[i].part == PART_MONTH ||
					    parts[i].part == PART_WEEK_DAY;
				if (used <= layout.len &&
				    memcmp(layout.p, parts[i].text, used) == 0 &&
				    !(word && used < layout.len &&
				      layout.p[used] >= 'a' && layout.p[used] <= 'z'))
					break;
			}
			if (i < ARRAY_LEN(parts)) {
				put_part(out, &t, parts[i].part);
			} else {
				used = 1;
				buf_putc(out, layout.p[0]);
			}
		}
		layout = (struct str){ layout.p + used, layout.len - used };
	}
}

void gotime_string(struct buf *out, const struct val *t)
{
	gotime_format(out, t, str_of("2006-01-02 15:04:05.999999999 -0700 MST"));
}
