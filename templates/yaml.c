// SPDX-License-Identifier: Apache-2.0
// Plain scalars.
#include "templates/yaml.h"

#include <math.h>
#include <string.h>

#include "lib/base/buf.h"
#include "templates/literal.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool named(struct str s, enum yaml_tag *ret_tag, struct val *ret)
{
	static const char *const yes[] = { "y",    "Y",    "yes", "Yes", "YES", "true",
					   "True", "TRUE", "on",  "On",  "ON" };
	static const char *const no[] = { "n",     "N",     "no",  "No",  "NO", "false",
					  "False", "FALSE", "off", "Off", "OFF" };
	static const char *const null[] = { "", "~", "null", "Null", "NULL" };
	static const char *const special[] = { ".nan",  ".NaN",  ".NAN",  ".inf",
					       ".Inf",  ".INF",  "+.inf", "+.Inf",
					       "+.INF", "-.inf", "-.Inf", "-.INF" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (str_eq(s, yes[i]) || str_eq(s, no[i])) {
			*ret_tag = YAML_BOOL;
			*ret = val_bool(str_eq(s, yes[i]));
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(null); i++)
		if (str_eq(s, null[i])) {
			*ret_tag = YAML_NULL;
			*ret = (struct val){ .kind = VAL_NIL };
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (str_eq(s, special[i])) {
			*ret_tag = YAML_FLOAT;
			*ret = val_float(i < 3 ? NAN : i < 9 ? INFINITY : -INFINITY);
			return true;
		}
	return false;
}

// One or two digits at *p, up to max.
static bool small(const char **p, const char *end, int max, int *ret)
{
	*ret = 0;
	int n = 0;
	for (; n < 2 && *p < end && is_digit(**p); n++)
		*ret = *ret * 10 + (*(*p)++ - '0');
	return n && *ret <= max;
}

static bool zone(const char *p, const char *end)
{
	if (end - p == 1 && *p == 'Z')
		return true;
	return end - p == 6 && (*p == '+' || *p == '-') && is_digit(p[1]) &&
	       is_digit(p[2]) && p[3] == ':' && is_digit(p[4]) && is_digit(p[5]);
}

static bool is_time(struct str s)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *p = s.p, *end = s.p + s.len;
	int year = 0, month = 0, day = 0, n = 0;
	if (s.len < 8)
		return false;
	for (int i = 0; i < 4; i++) {
		if (!is_digit(*p))
			return false;
		year = year * 10 + (*p++ - '0');
	}
	if (*p++ != '-' || !small(&p, end, 12, &month) || !month || p >= end ||
	    *p++ != '-' || !small(&p, end, days[month - 1], &day) || !day)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month == 2 && day == 29 && !leap)
		return false;
	if (p == end)
		return true;
	char sep = *p++;
	if ((sep != 'T' && sep != 't' && sep != ' ') || !small(&p, end, 23, &n) ||
	    p >= end || *p++ != ':' || !small(&p, end, 59, &n) || p >= end ||
	    *p++ != ':' || !small(&p, end, 59, &n))
		return false;
	if (p + 1 < end && (*p == '.' || *p == ',') && is_digit(p[1]))
		for (p++; p < end && is_digit(*p); p++)
			;
	return sep == ' ' ? p == end : zone(p, end);
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
static bool float_form(const char *p)
{
	size_t whole = 0, part = 0;
	p += *p == '-' || *p == '+';
	for (; is_digit(*p); p++)
		whole++;
	if (*p == '.')
		for (p++; is_digit(*p); p++)
			part++;
	if (!whole && !part)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!is_digit(*p))
			return false;
		while (is_digit(*p))
			p++;
	}
	return !*p;
}

static bool number(struct str s, enum yaml_tag *ret_tag, struct val *ret)
{
	AUTO_BUF struct buf plain = BUF_INIT(s.len + 1);
	bool range = false;
	double f = 0;
	int64_t i = 0;
	uint64_t u = 0;
	for (size_t k = 0; k < s.len; k++)
		if (s.p[k] != '_')
			buf_putc(&plain, s.p[k]);
	struct str p = { buf_str(&plain), plain.len };
	*ret_tag = YAML_INT;
	if (literal_int(p, 0, &i)) {
		*ret = val_int(i);
		return true;
	}
	if (literal_uint(p, 0, &u)) {
		*ret = (struct val){ .kind = VAL_INT, .sub = INT_UINT64, .u = u };
		return true;
	}
	*ret_tag = YAML_FLOAT;
	if (strlen(p.p) == p.len && float_form(p.p) && literal_float(p, &f, &range)) {
		*ret = val_float(f);
		return true;
	}
	return false;
}

enum yaml_tag yaml_resolve(struct str s, struct val *ret)
{
	enum yaml_tag tag = YAML_STR;
	bool range = false;
	double f = 0;
	*ret = val_str(s.p, s.len);
	if (named(s, &tag, ret))
		return tag;
	char c = s.p[0];
	if (c == '.' && literal_float(s, &f, &range)) {
		*ret = val_float(f);
		return YAML_FLOAT;
	}
	if (!is_digit(c) && c != '-' && c != '+')
		return YAML_STR;
	if (is_time(s))
		return YAML_TIME;
	return number(s, &tag, ret) ? tag : YAML_STR;
}

bool yaml_is_base60(struct str s)
{
	size_t i = s.len && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0, groups = 0;
	if (i >= s.len || !is_digit(s.p[i]))
		return false;
	while (i < s.len && (is_digit(s.p[i]) || s.p[i] == '_'))
		i++;
	while (i + 1 < s.len && s.p[i] == ':' && is_digit(s.p[i + 1])) {
		bool two = i + 2 < s.len && is_digit(s.p[i + 2]);
		if (two && s.p[i + 1] > '5')
			return false;
		i += two ? 3 : 2;
		groups++;
	}
	if (i < s.len && s.p[i] == '.')
		for (i++; i < s.len && (is_digit(s.p[i]) || s.p[i] == '_'); i++)
			;
	return groups && i == s.len;
}
