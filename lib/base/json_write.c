// SPDX-License-Identifier: Apache-2.0
// Compact JSON with sorted keys, so that equal documents have equal bytes; kept numbers come
// out bare. The templates' own emitters, which copy Go's habits, are not here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_number.h"
#include "lib/base/mem.h"

static void write_string(const char *s, size_t len, struct buf *to)
{
	static const char *const short_escape[] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",  ['\f'] = "\\f",
		['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
	};
	buf_putc(to, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < ARRAY_LEN(short_escape) && short_escape[c])
			buf_puts(to, short_escape[c]);
		else if (c < 0x20)
			buf_printf(to, "\\u%04x", c);
		else
			buf_putc(to, s[i]);
	}
	buf_putc(to, '"');
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_value(const json_t *j, struct buf *to);

static void write_object(const json_t *j, struct buf *to)
{
	size_t n = json_object_size(j), i = 0;
	AUTO_FREE const char **keys = mem_calloc(n, sizeof(*keys));
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)j, key, value) keys[i++] = key;
	qsort(keys, n, sizeof(*keys), by_text);
	buf_putc(to, '{');
	for (i = 0; i < n; i++) {
		if (i)
			buf_putc(to, ',');
		write_string(keys[i], strlen(keys[i]), to);
		buf_putc(to, ':');
		write_value(json_object_get(j, keys[i]), to);
	}
	buf_putc(to, '}');
}

static void write_array(const json_t *j, struct buf *to)
{
	size_t i;
	json_t *value;
	buf_putc(to, '[');
	json_array_foreach(j, i, value)
	{
		if (i)
			buf_putc(to, ',');
		write_value(value, to);
	}
	buf_putc(to, ']');
}

static void write_value(const json_t *j, struct buf *to)
{
	const char *number = json_number_text(j);
	if (number) {
		buf_puts(to, number);
		return;
	}
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_OBJECT:
		write_object(j, to);
		break;
	case JSON_ARRAY:
		write_array(j, to);
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

bool json_write(const json_t *j, struct buf *to, struct err *e)
{
	size_t was = to->len;
	write_value(j, to);
	if (!buf_failed(to))
		return true;
	buf_truncate(to, was);
	return err_set(e, ERR_LIMIT, 0, "more than %zu bytes of JSON", to->max);
}
