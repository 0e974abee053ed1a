// SPDX-License-Identifier: Apache-2.0
// parseJSON: lib/base's strict parser, its numbers turned into float64.
#include "templates/literal.h"
#include "templates/read.h"

#include "lib/base/json.h"

static bool convert(struct arena *a, const json_t *j, struct val *ret, struct err *e);

static bool object(struct arena *a, const json_t *j, struct val *ret, struct err *e)
{
	struct map *m = map_new(a, MAP_ANY);
	json_t *from = (json_t *)(uintptr_t)j;
	for (void *it = json_object_iter(from); it;
	     it = json_object_iter_next(from, it)) {
		struct val v;
		size_t len = json_object_iter_key_len(it);
		if (!convert(a, json_object_iter_value(it), &v, e))
			return false;
		map_append(a, m,
			   val_str(arena_dup(a, json_object_iter_key(it), len), len), v);
	}
	map_sort(a, m);
	*ret = val_map(m);
	return true;
}

static bool array(struct arena *a, const json_t *j, struct val *ret, struct err *e)
{
	struct val v = val_json(a, j);
	struct list *l = list_new(a, LIST_ANY, v.list->cap);
	for (size_t i = 0; i < json_array_size(j); i++) {
		struct val item;
		if (!convert(a, json_array_get(j, i), &item, e))
			return false;
		list_add(a, l, item);
	}
	for (size_t i = l->n; i < l->cap; i++)
		l->items[i].kind = VAL_NIL;
	*ret = val_list(l);
	return true;
}

static bool convert(struct arena *a, const json_t *j, struct val *ret, struct err *e)
{
	bool range = false;
	double f = 0;
	if (json_is_object(j))
		return object(a, j, ret, e);
	if (json_is_array(j))
		return array(a, j, ret, e);
	const char *number = json_number_text(j);
	if (number) {
		if (!literal_float(str_of(number), &f, &range))
			return err_set(e, ERR_CONFIG, 0,
				       "a number does not fit into a float64");
		*ret = val_float(f);
	} else if (json_is_string(j)) {
		size_t len = json_string_length(j);
		*ret = val_str(arena_dup(a, json_string_value(j), len), len);
	} else {
		*ret = val_json(a, j);
	}
	return true;
}

bool read_json(struct arena *a, struct str text, struct val *ret, struct err *e)
{
	AUTO_JSON json_t *j = NULL;
	if (!json_parse(text.p, text.len, text.len, JSON_KEEP_NUMBERS, &j, e))
		return false;
	return convert(a, j, ret, e);
}
