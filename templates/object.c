// SPDX-License-Identifier: Apache-2.0
// The structs of store data: which field comes from which key of the answer. Names and
// order are consul-template's.
#include "templates/object.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "templates/funcs.h"
#include "templates/run.h"

enum field_kind {
	FIELD_STR,
	FIELD_PEM, // as consul-template's: ends with one newline
	FIELD_INT,
	FIELD_BOOL,
	FIELD_MAP,
	FIELD_STRS,
	FIELD_PEMS,
	FIELD_AUTH,
	FIELD_WRAP,
	FIELD_SELF
};

struct field {
	enum object_type of;
	const char *name, *key;
	enum field_kind kind;
};

static const struct field fields[] = {
	{ OBJ_SECRET, "RequestID", "request_id", FIELD_STR },
	{ OBJ_SECRET, "LeaseID", "lease_id", FIELD_STR },
	{ OBJ_SECRET, "LeaseDuration", "lease_duration", FIELD_INT },
	{ OBJ_SECRET, "Renewable", "renewable", FIELD_BOOL },
	{ OBJ_SECRET, "Data", "data", FIELD_MAP },
	{ OBJ_SECRET, "Warnings", "warnings", FIELD_STRS },
	{ OBJ_SECRET, "Auth", "auth", FIELD_AUTH },
	{ OBJ_SECRET, "WrapInfo", "wrap_info", FIELD_WRAP },
	{ OBJ_AUTH, "ClientToken", "client_token", FIELD_STR },
	{ OBJ_AUTH, "Accessor", "accessor", FIELD_STR },
	{ OBJ_AUTH, "Policies", "policies", FIELD_STRS },
	{ OBJ_AUTH, "Metadata", "metadata", FIELD_MAP },
	{ OBJ_AUTH, "LeaseDuration", "lease_duration", FIELD_INT },
	{ OBJ_AUTH, "Renewable", "renewable", FIELD_BOOL },
	{ OBJ_WRAP, "Token", "token", FIELD_STR },
	{ OBJ_WRAP, "TTL", "ttl", FIELD_INT },
	{ OBJ_WRAP, "CreationTime", "creation_time", FIELD_STR },
	{ OBJ_WRAP, "WrappedAccessor", "wrapped_accessor", FIELD_STR },
	{ OBJ_PKI, "Data", NULL, FIELD_SELF },
	{ OBJ_PKI, "Cert", "certificate", FIELD_PEM },
	{ OBJ_PKI, "Key", "private_key", FIELD_PEM },
	{ OBJ_PKI, "CA", "issuing_ca", FIELD_PEM },
	{ OBJ_PKI, "CAChain", "ca_chain", FIELD_PEMS },
};

struct val object_new(struct arena *a, enum object_type type, const json_t *json)
{
	struct object *o = arena_alloc(a, sizeof(*o));
	*o = (struct object){ .type = type, .json = json };
	if (json_is_null(json))
		o->json = NULL;
	return (struct val){ .kind = VAL_OBJECT, .object = o };
}

static struct val text_of(struct arena *a, const json_t *j, bool pem)
{
	struct str s = { json_string_value(j), json_string_length(j) };
	if (!s.len)
		return val_strz("");
	if (!pem)
		return val_str(s.p, s.len);
	while (s.len && strchr(" \r\n", s.p[s.len - 1]))
		s.len--;
	char *text = arena_alloc(a, s.len + 1);
	memcpy(text, s.p, s.len);
	text[s.len] = '\n';
	return val_str(text, s.len + 1);
}

static struct val strings(struct arena *a, const json_t *j, bool pem)
{
	struct val v = { .kind = VAL_LIST, .sub = LIST_STR };
	if (!json_is_array(j) || !json_array_size(j))
		return v;
	v.list = list_new(a, LIST_STR, json_array_size(j));
	for (size_t i = 0; i < json_array_size(j); i++)
		list_add(a, v.list, text_of(a, json_array_get(j, i), pem));
	return v;
}

static struct val integer(const json_t *j)
{
	int64_t i = json_integer_value(j);
	const char *text = json_number_text(j);
	if (text && !literal_int(str_of(text), 10, &i))
		i = 0;
	return val_int(i);
}

static struct val field_value(struct arena *a, const struct val *v, const struct field *f)
{
	const json_t *top = v->object->json;
	const json_t *j = f->key ? json_object_get(top, f->key) : NULL;
	if (v->object->type == OBJ_PKI && f->key && !j)
		j = json_object_get(json_object_get(top, "data"), f->key);
	switch (f->kind) {
	case FIELD_STR:
	case FIELD_PEM:
		return text_of(a, j, f->kind == FIELD_PEM);
	case FIELD_INT:
		return integer(j);
	case FIELD_BOOL:
		return val_bool(json_is_true(j));
	case FIELD_MAP:
		if (!j || json_is_null(j))
			return (struct val){ .kind = VAL_MAP };
		if (v->object->data.kind ==
		    VAL_NONE) // one map, however often it is asked for
			v->object->data = val_json(a, j);
		return v->object->data;
	case FIELD_STRS:
	case FIELD_PEMS:
		return strings(a, j, f->kind == FIELD_PEMS);
	case FIELD_AUTH:
		return object_new(a, OBJ_AUTH, j);
	case FIELD_WRAP:
		return object_new(a, OBJ_WRAP, j);
	case FIELD_SELF:
		break;
	}
	return *v;
}

bool object_nth(struct arena *a, const struct val *v, size_t i, struct str *ret_name,
		struct val *ret)
{
	if (val_is_nil(v))
		return false;
	for (size_t k = 0; k < ARRAY_LEN(fields); k++) {
		if (fields[k].of != v->object->type || fields[k].kind == FIELD_SELF ||
		    i-- > 0)
			continue;
		*ret_name = str_of(fields[k].name);
		*ret = field_value(a, v, &fields[k]);
		return true;
	}
	return false;
}

bool object_field(struct run *r, const struct val *v, struct str name, struct val *ret,
		  bool *ret_found)
{
	*ret_found = false;
	if (v->kind != VAL_OBJECT)
		return true;
	const char *names[ARRAY_LEN(fields)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].of != v->object->type)
			continue;
		names[n++] = fields[i].name;
		if (!str_eq(name, fields[i].name))
			continue;
		if (val_is_nil(v))
			return run_fail(r, "nil pointer evaluating %s.%s", val_type(v),
					fields[i].name);
		*ret = field_value(&r->arena, v, &fields[i]);
		*ret_found = true;
		return true;
	}
	const char *near = str_nearest(arena_dup(&r->arena, name.p, name.len), names, n);
	if (!near)
		return true;
	return run_fail(r, "can't evaluate field %.*s in type %s; did you mean .%s?",
			(int)name.len, name.p, val_type(v), near);
}

const struct func *object_method(const struct val *v, struct str name)
{
	const struct func *f = NULL;
	if (v->kind == VAL_OBJECT && v->object->type == OBJ_SCRATCH)
		f = methods_scratch;
	else if (v->kind == VAL_TIME)
		f = methods_time;
	for (; f && f->name; f++)
		if (str_eq(name, f->name))
			return f;
	return NULL;
}
