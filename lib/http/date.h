// SPDX-License-Identifier: Apache-2.0
// Dates of HTTP headers, and the wait that a server asks for. Pure and fuzzed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The three forms of RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday,
// 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". The day's name is not compared
// with the date. Years 1970 to 9999; a two-digit year is the one nearest to now_ms.
bool http_date_parse(const char *s, int64_t now_ms, int64_t *ret_wall_ms);

// Retry-After: seconds, or a date, which is taken relative to the answer's own Date
// header when that can be read (its clock is the one that counts), else to now_ms. 0 for
// NULL, for what cannot be read and for what has passed; at most HTTP_RETRY_AFTER_MAX_MS.
int64_t http_retry_after_ms(const char *retry_after, const char *date, int64_t now_ms);

enum { HTTP_DATE_LEN = 30 };
// "Sun, 06 Nov 1994 08:49:37 GMT" and NUL.
void http_date_write(int64_t wall_ms, char ret[static HTTP_DATE_LEN]);
// Reads that form alone; the day's name is not looked at.
bool http_date_read(const char *s, int64_t *ret_wall_ms);
