// SPDX-License-Identifier: Apache-2.0
// DER: strict reading, forward writing.
#include "lib/crypto/der.h"

#include <stdio.h>
#include <time.h>

enum { DER_LEN_MAX = 1 << 24 };

bool der_read(struct bytes *in, unsigned *ret_tag, struct bytes *ret)
{
	const unsigned char *p = in->p;
	size_t left = in->len;
	if (left < 2 || (p[0] & 0x1f) == 0x1f)
		return false;
	size_t len = p[1], head = 2;
	if (len & 0x80) {
		size_t n = len & 0x7f;
		if (n == 0 || n > 3 || left < 2 + n)
			return false;
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | p[2 + i];
		if (len < 0x80 || len >> 8 * (n - 1) == 0)
			return false; // not minimal
		head += n;
	}
	if (len > left - head)
		return false;
	*ret_tag = p[0];
	*ret = bytes_of(p + head, len);
	*in = bytes_of(p + head + len, left - head - len);
	return true;
}

bool der_take(struct bytes *in, unsigned tag, struct bytes *ret)
{
	struct bytes rest = *in, content;
	unsigned found;
	if (!der_read(&rest, &found, &content) || found != tag)
		return false;
	*in = rest;
	*ret = content;
	return true;
}

bool der_take_whole(struct bytes *in, unsigned tag, struct bytes *ret)
{
	const unsigned char *start = in->p;
	struct bytes content;
	if (!der_take(in, tag, &content))
		return false;
	*ret = bytes_of(start, (size_t)(in->p - start));
	return true;
}

bool der_take_optional(struct bytes *in, unsigned tag, struct bytes *ret)
{
	*ret = BYTES_NONE;
	if (in->len == 0 || in->p[0] != tag)
		return true;
	return der_take(in, tag, ret);
}

bool der_take_bits(struct bytes *in, struct bytes *ret)
{
	struct bytes b;
	if (!der_take(in, DER_BIT_STRING, &b) || b.len == 0 || b.p[0] != 0)
		return false;
	*ret = bytes_of(b.p + 1, b.len - 1);
	return true;
}

static bool digits(const unsigned char *p, int n, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*ret = *ret * 10 + (p[i] - '0');
	}
	return true;
}

// Days since 1970 in the proleptic Gregorian calendar.
static int64_t days(int year, int month, int day)
{
	static const int before[] = { 0,   31,  59,  90,  120, 151,
				      181, 212, 243, 273, 304, 334 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t y = year - 1;
	int64_t n = y * 365 + y / 4 - y / 100 + y / 400 - 719162;
	return n + before[month - 1] + (leap && month > 2) + day - 1;
}

static int month_days(int year, int month)
{
	return (int)(month == 12 ? 31 : days(year, month + 1, 1) - days(year, month, 1));
}

bool der_take_time(struct bytes *in, int64_t *ret)
{
	struct bytes rest = *in, t;
	unsigned tag;
	if (!der_read(&rest, &tag, &t))
		return false;
	int year_digits = tag == DER_UTC_TIME ? 2 : tag == DER_TIME ? 4 : 0;
	if (year_digits == 0 || t.len != (size_t)year_digits + 11 ||
	    t.p[t.len - 1] != 'Z')
		return false;
	int year, month, day, hour, minute, second;
	const unsigned char *p = t.p + year_digits;
	if (!digits(t.p, year_digits, &year) || !digits(p, 2, &month) ||
	    !digits(p + 2, 2, &day) || !digits(p + 4, 2, &hour) ||
	    !digits(p + 6, 2, &minute) || !digits(p + 8, 2, &second))
		return false;
	if (year_digits == 2)
		year += year < 50 ? 2000 : 1900;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month) || hour > 23 || minute > 59 || second > 59)
		return false;
	*ret = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
	*in = rest;
	return true;
}

bool der_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool der_write(struct buf *to, unsigned tag, struct bytes content)
{
	unsigned char head[5] = { (unsigned char)tag };
	size_t n = 2;
	if (content.len > DER_LEN_MAX - 1)
		return false;
	if (content.len < 0x80) {
		head[1] = (unsigned char)content.len;
	} else {
		unsigned bytes = content.len > 0xffff ? 3 : content.len > 0xff ? 2 : 1;
		head[1] = (unsigned char)(0x80 | bytes);
		for (unsigned i = 0; i < bytes; i++)
			head[2 + i] = (unsigned char)(content.len >> 8 * (bytes - 1 - i));
		n += bytes;
	}
	return buf_add(to, head, n) && buf_add(to, content.p, content.len);
}

bool der_write_uint(struct buf *to, struct bytes n)
{
	while (n.len > 0 && n.p[0] == 0)
		n = bytes_of(n.p + 1, n.len - 1);
	AUTO_BUF struct buf content = BUF_INIT(n.len + 1);
	if ((n.len == 0 || n.p[0] & 0x80) && !buf_putc(&content, '\0'))
		return false;
	return buf_add(&content, n.p, n.len) &&
	       der_write(to, DER_INT, bytes_of(content.data, content.len));
}

bool der_write_bits(struct buf *to, struct bytes bits)
{
	AUTO_BUF struct buf content = BUF_INIT(bits.len + 1);
	return buf_putc(&content, '\0') && buf_add(&content, bits.p, bits.len) &&
	       der_write(to, DER_BIT_STRING, bytes_of(content.data, content.len));
}

bool der_write_time(struct buf *to, int64_t seconds)
{
	time_t s = (time_t)seconds;
	struct tm tm;
	gmtime_r(&s, &tm);
	bool utc = tm.tm_year >= 50 && tm.tm_year < 150;
	int year = tm.tm_year + 1900;
	char text[32];
	int n = snprintf(text, sizeof(text), "%0*d%02d%02d%02d%02d%02dZ", utc ? 2 : 4,
			 utc ? year % 100 : year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			 tm.tm_min, tm.tm_sec);
	if (n < 0 || (size_t)n >= sizeof(text))
		return false;
	return der_write(to, utc ? DER_UTC_TIME : DER_TIME, bytes_of(text, (size_t)n));
}
