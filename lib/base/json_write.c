// SPDX-License-Identifier: Apache-2.0
// Compact JSON; with sorted keys equal documents have equal bytes. Kept numbers come out bare.
// The templates' own emitters, which copy Go's habits, are not here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_letters.h"
#include "lib/base/json_number.h"
#include "lib/base/mem.h"

static void write_escape(char c, struct buf *to)
{
	static const char bytes[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *known = c ? strchr(bytes, c) : NULL;
	char letters[] = { '\\', known ? names[known - bytes] : 'u' };
	buf_add(to, letters, sizeof(letters));
	if (!known)
		buf_printf(to, "%04x", (unsigned)c);
}

static void write_string(const char *s, size_t len, struct buf *to)
{
	size_t plain = json_letters(s, len, NULL);
	char *at = plain == len ? buf_room(to, len + 2) : NULL;
	if (at) { // as nearly all are
		*at = '"';
		memcpy(at + 1, s, len);
		at[len + 1] = '"';
		to->len += len + 2;
		buf_end(to);
		return;
	}
	buf_putc(to, '"');
	for (; len > 0; plain = json_letters(s, len, NULL)) {
		buf_add(to, s, plain);
		if (plain < len)
			write_escape(s[plain++], to);
		s += plain;
		len -= plain;
	}
	buf_putc(to, '"');
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_value(const json_t *j, bool sorted, struct buf *to);

static void write_member(const char *key, const json_t *value, bool sorted,
			 struct buf *to)
{
	if (to->len && to->data[to->len - 1] != '{')
		buf_putc(to, ',');
	write_string(key, strlen(key), to);
	buf_putc(to, ':');
	write_value(value, sorted, to);
}

static void write_object(const json_t *j, bool sorted, struct buf *to)
{
	size_t n = sorted ? json_object_size(j) : 0, i = 0;
	AUTO_FREE const char **keys = n ? mem_calloc(n, sizeof(*keys)) : NULL;
	const char *key;
	json_t *value;
	buf_putc(to, '{');
	json_object_foreach((json_t *)(uintptr_t)j, key, value)
	{
		if (sorted)
			keys[i++] = key;
		else
			write_member(key, value, sorted, to);
	}
	if (n)
		qsort(keys, n, sizeof(*keys), by_text);
	for (i = 0; i < n; i++)
		write_member(keys[i], json_object_get(j, keys[i]), sorted, to);
	buf_putc(to, '}');
}

static void write_array(const json_t *j, bool sorted, struct buf *to)
{
	size_t i;
	json_t *value;
	buf_putc(to, '[');
	json_array_foreach(j, i, value)
	{
		if (i)
			buf_putc(to, ',');
		write_value(value, sorted, to);
	}
	buf_putc(to, ']');
}

static void write_value(const json_t *j, bool sorted, struct buf *to)
{
	const char *number = json_number_text(j);
	if (number) {
		buf_puts(to, number);
		return;
	}
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_OBJECT:
		write_object(j, sorted, to);
		break;
	case JSON_ARRAY:
		write_array(j, sorted, to);
		break;
	case JSON_STRING:
		write_string(json_string_value(j), json_string_length(j), to);
		break;
	case JSON_INTEGER:
		buf_printf(to, "%lld", (long long)json_integer_value(j));
		break;
	case JSON_REAL:
		buf_printf(to, "%.17g", json_real_value(j));
		break;
	case JSON_TRUE:
		buf_puts(to, "true");
		break;
	case JSON_FALSE:
		buf_puts(to, "false");
		break;
	default:
		buf_puts(to, "null");
	}
}

static bool write(const json_t *j, bool sorted, struct buf *to, struct err *e)
{
	size_t was = to->len;
	write_value(j, sorted, to);
	if (!buf_failed(to))
		return true;
	buf_truncate(to, was);
	return err_set(e, ERR_LIMIT, 0, "more than %zu bytes of JSON", to->max);
}

bool json_write(const json_t *j, struct buf *to, struct err *e)
{
	return write(j, true, to, e);
}

bool json_put(const json_t *j, struct buf *to)
{
	return write(j, false, to, NULL);
}

char *json_text(const json_t *j)
{
	struct buf text = BUF_INIT(SIZE_MAX / 4);
	write_value(j, false, &text);
	return buf_take(&text, NULL);
}
