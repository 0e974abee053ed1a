// SPDX-License-Identifier: Apache-2.0
// What is asked of jansson's values.
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
