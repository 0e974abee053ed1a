// SPDX-License-Identifier: Apache-2.0
// JSON with limits: depth and size are checked before jansson sees a byte, and its own error
// text (which quotes the input) never gets out.
#include "lib/base/json.h"

#include <string.h>

#include "lib/base/json_number.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

void auto_json_(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

static const char *reason(enum json_error_code code)
{
	switch (code) {
	case json_error_premature_end_of_input:
		return "the text ends too early";
	case json_error_end_of_input_expected:
		return "something follows the end of the value";
	case json_error_invalid_utf8:
		return "bytes that are not UTF-8";
	case json_error_duplicate_key:
		return "a key is given twice";
	case json_error_numeric_overflow:
		return "a number is too large";
	default:
		return "not valid JSON";
	}
}

static int line_of(const char *text, size_t at)
{
	int line = 1;
	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return line;
}

// Behind the string that begins before `at`: at its closing quote, or at the end.
static size_t skip_string(const char *text, size_t len, size_t at)
{
	size_t from = at;
	for (;;) {
		const char *quote = memchr(text + at, '"', len - at);
		size_t slashes = 0, end = quote ? (size_t)(quote - text) : len;
		while (end - slashes > from && text[end - slashes - 1] == '\\')
			slashes++;
		if (!quote || slashes % 2 == 0)
			return end;
		at = end + 1;
	}
}

// Depth and the place of a fault that jansson would find much later.
static bool depth_ok(const char *text, size_t len, struct err *e)
{
	unsigned depth = 0;
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	if (nul) // jansson would pass over it
		return err_set(e, ERR_CONFIG, 0, "line %d: a NUL byte",
			       line_of(text, (size_t)(nul - text)));
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '"')
			i = skip_string(text, len, i + 1);
		else if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX)
			return err_set(e, ERR_CONFIG, 0,
				       "line %d: nested deeper than %d levels",
				       line_of(text, i), JSON_DEPTH_MAX);
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return true;
}

bool json_parse(const char *text, size_t len, size_t max, enum json_flags flags,
		json_t **ret, struct err *e)
{
	if (len > max)
		return err_set(e, ERR_LIMIT, 0,
			       "%zu bytes of JSON; at most %zu are allowed", len, max);
	if (!depth_ok(text, len, e))
		return false;
	AUTO_BUF struct buf marked = BUF_INIT(SIZE_MAX / 2);
	size_t how = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	if (flags & JSON_KEEP_NUMBERS) {
		json_number_mark(text, len, &marked);
		text = buf_str(&marked);
		len = marked.len;
	} else {
		how |= JSON_REJECT_DUPLICATES;
	}
	json_error_t je;
	json_t *j = json_loadb(text, len, how, &je);
	if (!j)
		return err_set(e, ERR_CONFIG, 0, "line %d, column %d: %s", je.line,
			       je.column, reason(json_error_code(&je)));
	*ret = j;
	return true;
}

static int put_bytes(const char *bytes, size_t len, void *to)
{
	return buf_add(to, bytes, len) ? 0 : -1;
}

bool json_put(const json_t *j, size_t how, struct buf *to)
{
	return json_dump_callback(j, put_bytes, to, how) == 0;
}

static bool wrong_type(const json_t *v, const char *key, const char *want, struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "'%s' must be %s, not %s", key, want,
		       json_type_name(v));
}

bool json_get_str(const json_t *o, const char *key, const char **ret, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (!v)
		return true;
	if (!json_is_string(v) || json_number_text(v))
		return wrong_type(v, key, "a string", e);
	if (strlen(json_string_value(v)) != json_string_length(v))
		return err_set(e, ERR_CONFIG, 0, "'%s' holds a NUL byte", key);
	*ret = json_string_value(v);
	return true;
}

bool json_get_int(const json_t *o, const char *key, int64_t *ret, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (!v)
		return true;
	if (json_number_text(v))
		return json_number_int(v, ret) || wrong_type(v, key, "a whole number", e);
	if (!json_is_integer(v))
		return wrong_type(v, key, "a whole number", e);
	*ret = json_integer_value(v);
	return true;
}

bool json_get_bool(const json_t *o, const char *key, bool *ret, struct err *e)
{
	const json_t *v = json_object_get(o, key);
	if (!v)
		return true;
	if (!json_is_boolean(v))
		return wrong_type(v, key, "true or false", e);
	*ret = json_is_true(v);
	return true;
}

bool json_get_obj(const json_t *o, const char *key, json_t **ret, struct err *e)
{
	json_t *v = json_object_get(o, key);
	if (!v)
		return true;
	if (!json_is_object(v))
		return wrong_type(v, key, "an object", e);
	*ret = v;
	return true;
}

bool json_get_arr(const json_t *o, const char *key, json_t **ret, struct err *e)
{
	json_t *v = json_object_get(o, key);
	if (!v)
		return true;
	if (!json_is_array(v))
		return wrong_type(v, key, "a list", e);
	*ret = v;
	return true;
}

const char *json_type_name(const json_t *j)
{
	if (json_number_text(j))
		return "a number";
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	default:
		return "null";
	}
}

json_t *json_str(const char *s, size_t len)
{
	return json_stringn_nocheck(s, len);
}

bool json_is_on(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);
	bool on = false;
	if (json_is_string(v))
		return str_bool(json_string_value(v), &on, NULL) && on;
	return json_is_true(v) || json_integer_value(v) == 1;
}
