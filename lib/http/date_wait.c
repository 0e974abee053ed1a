// SPDX-License-Identifier: Apache-2.0
// The wait that a server asks for, and the date of an answer. Apart from the reader of dates,
// which the release's webhook does not link.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/http/client.h"
#include "lib/http/date.h"

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int64_t clamp(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms < HTTP_RETRY_AFTER_MAX_MS ? ms : HTTP_RETRY_AFTER_MAX_MS;
}

int64_t http_retry_after_ms(const char *retry_after, const char *date, int64_t now_ms)
{
	if (!retry_after || !*retry_after)
		return 0;
	size_t digits = strspn(retry_after, "0123456789");
	if (retry_after[digits] == '\0') {
		int64_t seconds = 0;
		for (size_t i = 0; i < digits && seconds * 1000 < HTTP_RETRY_AFTER_MAX_MS;
		     i++)
			seconds = seconds * 10 + (retry_after[i] - '0');
		return clamp(seconds * 1000);
	}
	int64_t at, from;
	if (!http_date_parse(retry_after, now_ms, &at))
		return 0;
	if (!date || !http_date_parse(date, now_ms, &from))
		from = now_ms;
	return clamp(at - from);
}

void http_date_write(int64_t wall_ms, char ret[static HTTP_DATE_LEN])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	gmtime_r(&s, &tm);
	snprintf(ret, HTTP_DATE_LEN, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
		 days + 3 * tm.tm_wday, (unsigned)tm.tm_mday % 100,
		 months + 3 * tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000,
		 (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100);
}

bool http_date_read(const char *s, int64_t *ret_wall_ms)
{
	char month[4] = "", text[CLOCK_RFC3339_LEN];
	if (strlen(s) != HTTP_DATE_LEN - 1)
		return false;
	memcpy(month, s + 8, 3);
	const char *at = strstr(months, month);
	snprintf(text, sizeof(text), "%.4s-%02u-%.2sT%.8sZ", s + 12,
		 at ? (unsigned)(at - months) / 3 % 12 + 1 : 0, s + 5, s + 17);
	return clock_rfc3339_parse(text, ret_wall_ms);
}
