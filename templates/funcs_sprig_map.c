// SPDX-License-Identifier: Apache-2.0
// sprig's dictionaries, defaults and conversions.
#include <string.h>

#include "templates/convert.h"
#include "templates/equal.h"
#include "templates/funcs.h"
#include "templates/run.h"
#include "templates/text.h"

static bool fn_dict(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct map *m = map_new(&r->arena, MAP_ANY);
	for (size_t i = 0; i < n; i += 2) {
		struct str key;
		if (!convert_text(r, &args[i], &key))
			return false;
		map_set(&r->arena, m, val_str(key.p, key.len),
			i + 1 < n ? args[i + 1] : val_strz(""));
	}
	*ret = val_map(m);
	return true;
}

static bool fn_get(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	*ret = val_strz("");
	(void)map_get(&r->arena, args[0].map, &args[1], ret);
	return true;
}

static bool fn_set(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	if (!args[0].map)
		return func_fail(r, "the dictionary is nil");
	map_set(&r->arena, args[0].map, args[1], args[2]);
	*ret = args[0];
	return true;
}

static bool fn_unset(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	if (args[0].map)
		(void)map_remove(&r->arena, args[0].map, &args[1]);
	*ret = args[0];
	return true;
}

static bool fn_has_key(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	struct val v;
	*ret = val_bool(map_get(&r->arena, args[0].map, &args[1], &v));
	return true;
}

// Sorted here; the peer's order is random.
static bool fn_keys(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct list *l = list_new(&r->arena, LIST_STR, 0);
	for (size_t k = 0; k < n; k++) {
		const struct entry *e = map_entries(&r->arena, args[k].map);
		for (size_t i = 0; i < map_len(args[k].map); i++)
			list_add(&r->arena, l, e[i].key);
	}
	*ret = val_list(l);
	return true;
}

static bool fn_values(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	struct list *l = list_new(&r->arena, LIST_ANY, map_len(args[0].map));
	const struct entry *e = map_entries(&r->arena, args[0].map);
	for (size_t i = 0; i < map_len(args[0].map); i++)
		list_add(&r->arena, l, e[i].value);
	*ret = val_list(l);
	return true;
}

static bool chosen(struct run *r, const struct val *args, size_t n, bool pick,
		   struct val *ret)
{
	struct map *m = map_new(&r->arena, MAP_ANY);
	const struct entry *e = map_entries(&r->arena, args[0].map);
	for (size_t i = 0; i < map_len(args[0].map); i++) {
		bool named = false;
		for (size_t k = 1; k < n; k++)
			named |= val_compare_keys(&e[i].key, &args[k]) == 0;
		if (named == pick)
			map_set(&r->arena, m, e[i].key, e[i].value);
	}
	*ret = val_map(m);
	return true;
}

static bool fn_pick(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return chosen(r, args, n, true, ret);
}

static bool fn_omit(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return chosen(r, args, n, false, ret);
}

static bool fn_default(struct run *r UNUSED, const struct val *args, size_t n,
		       struct val *ret)
{
	*ret = n < 2 || !val_truth(&args[1]) ? args[0] : args[1];
	return true;
}

static bool fn_coalesce(struct run *r UNUSED, const struct val *args, size_t n,
			struct val *ret)
{
	*ret = (struct val){ .kind = VAL_NIL };
	for (size_t i = 0; i < n; i++)
		if (val_truth(&args[i])) {
			*ret = args[i];
			break;
		}
	return true;
}

static bool fn_ternary(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	*ret = args[2].b ? args[0] : args[1];
	return true;
}

static bool fn_empty(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	*ret = val_bool(!val_truth(&args[0]));
	return true;
}

static bool fn_to_string(struct run *r, const struct val *args, size_t n UNUSED,
			 struct val *ret)
{
	struct str s;
	if (!convert_text(r, &args[0], &s))
		return false;
	*ret = val_str(s.p, s.len);
	return true;
}

static bool fn_int(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	*ret = val_int(convert_int(&args[0]));
	return true;
}

static bool fn_int64(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	*ret = val_int64(convert_int(&args[0]));
	return true;
}

static bool fn_float64(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	*ret = val_float(convert_float(&args[0]));
	return true;
}

static bool fn_equal(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	bool same = false;
	if (!val_deep_equal(r, &args[0], &args[1], &same))
		return false;
	*ret = val_bool(same);
	return true;
}

static bool fn_type(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	bool nil = args[0].kind == VAL_NIL || args[0].kind == VAL_NONE;
	*ret = val_strz(nil ? "<nil>" : val_type(&args[0]));
	return true;
}

static const char *kind_name(const struct val *v)
{
	switch ((enum val_kind)v->kind) {
	case VAL_STR:
	case VAL_NUMBER:
		return "string";
	case VAL_LIST:
		return "slice";
	case VAL_MAP:
		return "map";
	case VAL_OBJECT:
		return "ptr";
	case VAL_CHAN:
		return "chan";
	case VAL_TIME:
		return "struct";
	case VAL_NONE:
	case VAL_NIL:
		return "invalid";
	default:
		return val_type(v);
	}
}

static bool fn_kind(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	*ret = val_strz(kind_name(&args[0]));
	return true;
}

static bool fn_kind_is(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	*ret = val_bool(str_eq(val_text(&args[0]), kind_name(&args[1])));
	return true;
}

static bool fn_fail(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		    struct val *ret UNUSED)
{
	return func_fail(r, "the template gives up here");
}

const struct func funcs_sprig_map[] = {
	FUNC("sprig_dict", "a*", fn_dict, "a map of keys and values in turn",
	     "{{sprig_dict \"a\" 1}}", "map[a:1]", 0),
	FUNC("sprig_get", "ms", fn_get, "a value by its key, \"\" when absent",
	     "{{sprig_get (sprig_dict \"a\" 1) \"a\"}}", "1", 0),
	FUNC("sprig_set", "msa", fn_set, "sets a key and gives the map back",
	     "{{sprig_set (sprig_dict) \"a\" 1}}", "map[a:1]", 0),
	FUNC("sprig_unset", "ms", fn_unset, "removes a key",
	     "{{sprig_unset (sprig_dict \"a\" 1) \"a\"}}", "map[]", 0),
	FUNC("sprig_hasKey", "ms", fn_has_key, "whether a map has a key",
	     "{{sprig_hasKey (sprig_dict \"a\" 1) \"b\"}}", "false", 0),
	FUNC("sprig_keys", "m*", fn_keys, "the keys, sorted",
	     "{{sprig_keys (sprig_dict \"b\" 1 \"a\" 2)}}", "[a b]", 0),
	FUNC("sprig_values", "m", fn_values, "the values in the order of the keys",
	     "{{sprig_values (sprig_dict \"b\" 1 \"a\" 2)}}", "[2 1]", 0),
	FUNC("sprig_pick", "ms*", fn_pick, "the named keys only",
	     "{{sprig_pick (sprig_dict \"a\" 1 \"b\" 2) \"b\"}}", "map[b:2]", 0),
	FUNC("sprig_omit", "ms*", fn_omit, "all but the named keys",
	     "{{sprig_omit (sprig_dict \"a\" 1 \"b\" 2) \"b\"}}", "map[a:1]", 0),
	FUNC("sprig_default", "aa*", fn_default, "a default where the value is empty",
	     "{{\"\" | sprig_default \"x\"}}", "x", 0),
	FUNC("sprig_coalesce", "a*", fn_coalesce, "the first that is not empty",
	     "{{sprig_coalesce 0 \"\" \"x\"}}", "x", 0),
	FUNC("sprig_ternary", "aab", fn_ternary, "the first if true, the second if not",
	     "{{sprig_ternary \"a\" \"b\" true}}", "a", 0),
	FUNC("sprig_empty", "a", fn_empty, "whether a value is empty",
	     "{{sprig_empty 0}}", "true", 0),
	FUNC("sprig_toString", "a", fn_to_string, "the text of a value",
	     "{{sprig_toString 1 | len}}", "1", 0),
	FUNC("sprig_int", "a", fn_int, "an int, 0 where there is none",
	     "{{sprig_int \"42\" | add 1}}", "43", 0),
	FUNC("sprig_int64", "a", fn_int64, "an int64", "{{sprig_int64 2.9}}", "2", 0),
	FUNC("sprig_float64", "a", fn_float64, "a float64",
	     "{{sprig_float64 \"2.5\" | multiply 2}}", "5", 0),
	FUNC("sprig_deepEqual", "aa", fn_equal, "whether type and content are equal",
	     "{{sprig_deepEqual (sprig_list 1) (sprig_list 1)}}", "true", 0),
	FUNC("sprig_typeOf", "a", fn_type, "Go's name of the type", "{{sprig_typeOf 1}}",
	     "int", 0),
	FUNC("sprig_kindOf", "a", fn_kind, "Go's name of the kind",
	     "{{sprig_kindOf (sprig_list)}}", "slice", 0),
	FUNC("sprig_kindIs", "sa", fn_kind_is, "whether it is of a kind",
	     "{{sprig_kindIs \"map\" 1}}", "false", 0),
	FUNC("sprig_fail", "s", fn_fail,
	     "fails; the text is not shown, it may hold a value", "", "", 0),
	{ .name = NULL },
};
