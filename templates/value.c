// SPDX-License-Identifier: Apache-2.0
// Values, lists and maps of a run.
#include "templates/value.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

struct val val_bool(bool b)
{
	return (struct val){ .kind = VAL_BOOL, .b = b };
}

struct val val_int(int64_t i)
{
	return (struct val){ .kind = VAL_INT, .sub = INT_INT, .i = i };
}

struct val val_int64(int64_t i)
{
	return (struct val){ .kind = VAL_INT, .sub = INT_64, .i = i };
}

struct val val_float(double f)
{
	return (struct val){ .kind = VAL_FLOAT, .f = f };
}

struct val val_str(const char *p, size_t len)
{
	return (struct val){ .kind = VAL_STR, .s = { p, len } };
}

struct val val_strz(const char *s)
{
	return val_str(s, strlen(s));
}

struct val val_list(struct list *l)
{
	return (struct val){ .kind = VAL_LIST, .list = l };
}

struct val val_map(struct map *m)
{
	return (struct val){ .kind = VAL_MAP, .map = m };
}

bool val_is_container(const json_t *j)
{
	return json_is_object(j) || json_is_array(j);
}

// Go's decoder appends: the capacity doubles.
static size_t grown_cap(size_t n)
{
	size_t cap = n ? 1 : 0;
	while (cap < n)
		cap *= 2;
	return cap;
}

struct val val_json(struct arena *a, const json_t *j)
{
	const char *number = NULL;
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_OBJECT: {
		struct map *m = map_new(a, MAP_ANY);
		m->json = j;
		m->n = json_object_size(j);
		return val_map(m);
	}
	case JSON_ARRAY: {
		struct list *l = arena_alloc(a, sizeof(*l));
		l->type = LIST_ANY;
		l->json = j;
		l->n = json_array_size(j);
		l->cap = grown_cap(l->n);
		return val_list(l);
	}
	case JSON_STRING:
		number = json_number_text(j);
		if (number) {
			struct val v = val_strz(number);
			v.kind = VAL_NUMBER;
			return v;
		}
		return val_str(json_string_value(j), json_string_length(j));
	case JSON_INTEGER:
		return val_int(json_integer_value(j));
	case JSON_REAL:
		return val_float(json_real_value(j));
	case JSON_TRUE:
	case JSON_FALSE:
		return val_bool(json_is_true(j));
	case JSON_NULL:
	default:
		return (struct val){ .kind = VAL_NIL };
	}
}

const char *val_type(const struct val *v)
{
	static const char *const ints[] = { "int", "int64", "int32", "uint8", "uint64" };
	static const char *const lists[] = { "[]interface {}", "[]string", "[]uint8",
					     "[]int" };
	static const char *const maps[] = { "map[string]interface {}",
					    "map[string]string",
					    "map[interface {}]interface {}" };
	static const char *const objects[] = { "*dependency.Secret",
					       "*dependency.SecretAuth",
					       "*dependency.SecretWrapInfo",
					       "*dependency.PemEncoded",
					       "*template.Scratch" };
	switch ((enum val_kind)v->kind) {
	case VAL_BOOL:
		return "bool";
	case VAL_INT:
		return ints[v->sub];
	case VAL_FLOAT:
		return "float64";
	case VAL_COMPLEX:
		return "complex128";
	case VAL_STR:
		return "string";
	case VAL_NUMBER:
		return "json.Number";
	case VAL_LIST:
		return lists[v->list ? v->list->type : v->sub];
	case VAL_MAP:
		return maps[v->map ? v->map->type : v->sub];
	case VAL_OBJECT:
		return objects[v->object->type];
	case VAL_CHAN:
		return "<-chan int64";
	case VAL_TIME:
		return "time.Time";
	case VAL_NONE:
	case VAL_NIL:
		break;
	}
	return "interface {}";
}

bool val_is_nil(const struct val *v)
{
	switch ((enum val_kind)v->kind) {
	case VAL_NONE:
	case VAL_NIL:
		return true;
	case VAL_LIST:
		return !v->list;
	case VAL_MAP:
		return !v->map;
	case VAL_OBJECT:
		return v->object->type != OBJ_SCRATCH && !v->object->json;
	default:
		return false;
	}
}

bool val_is_string(const struct val *v)
{
	return v->kind == VAL_STR || v->kind == VAL_NUMBER;
}

bool val_is_unsigned(const struct val *v)
{
	return v->kind == VAL_INT && v->sub >= INT_UINT8;
}

bool val_truth(const struct val *v)
{
	switch ((enum val_kind)v->kind) {
	case VAL_BOOL:
		return v->b;
	case VAL_INT:
		return v->i != 0;
	case VAL_FLOAT:
		return v->f != 0;
	case VAL_COMPLEX:
		return v->c.re != 0 || v->c.im != 0;
	case VAL_STR:
	case VAL_NUMBER:
		return v->s.len > 0;
	case VAL_LIST:
		return list_len(v->list) > 0;
	case VAL_MAP:
		return map_len(v->map) > 0;
	case VAL_OBJECT:
		return !val_is_nil(v);
	case VAL_CHAN:
	case VAL_TIME:
		return true;
	case VAL_NONE:
	case VAL_NIL:
		break;
	}
	return false;
}

struct val val_unwrap(struct val v)
{
	if (v.kind == VAL_NIL)
		v.kind = VAL_NONE;
	return v;
}

struct list *list_new(struct arena *a, enum list_type type, size_t cap)
{
	struct list *l = arena_alloc(a, sizeof(*l));
	l->type = type;
	l->items = arena_calloc(a, cap, sizeof(*l->items));
	l->cap = cap;
	return l;
}

void list_add(struct arena *a, struct list *l, struct val v)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4;
		l->items = arena_grow(a, l->items, l->n, l->cap, sizeof(*l->items));
	}
	l->items[l->n++] = v;
}

size_t list_len(const struct list *l)
{
	return l ? l->n : 0;
}

static void list_unfold(struct arena *a, struct list *l)
{
	l->items = arena_calloc(a, l->cap, sizeof(*l->items));
	for (size_t i = 0; i < l->n; i++)
		l->items[i] = val_json(a, json_array_get(l->json, i));
	for (size_t i = l->n; i < l->cap; i++)
		l->items[i].kind = VAL_NIL;
	l->json = NULL;
}

struct val list_at(struct arena *a, struct list *l, size_t i)
{
	if (l->json) {
		const json_t *j = json_array_get(l->json, i);
		if (j && !val_is_container(j))
			return val_json(a, j);
		list_unfold(a, l); // so that a map in it stays one map
	}
	return i < l->cap ? l->items[i] : (struct val){ .kind = VAL_NIL };
}

void list_force(struct arena *a, struct list *l)
{
	if (l->json)
		list_unfold(a, l);
}
