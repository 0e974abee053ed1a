// SPDX-License-Identifier: Apache-2.0
// Maps and lists: membership, explodeMap, mergeMap.
#include <string.h>

#include "templates/funcs.h"
#include "templates/run.h"
#include "templates/text.h"

static bool same(const struct val *a, const struct val *b)
{
	if (a->kind == VAL_INT && b->kind == VAL_INT)
		return !val_is_unsigned(a) && !val_is_unsigned(b) && a->i == b->i;
	if (a->kind == VAL_FLOAT && b->kind == VAL_FLOAT)
		return a->f == b->f;
	return val_is_string(a) && a->kind == b->kind && a->s.len == b->s.len &&
	       memcmp(a->s.p, b->s.p, a->s.len) == 0;
}

static bool in(struct run *r, const struct val *l, const struct val *v)
{
	if (l->kind == VAL_LIST) {
		for (size_t i = 0; i < list_len(l->list); i++) {
			struct val item = list_at(&r->arena, l->list, i);
			if (same(&item, v))
				return true;
		}
		return false;
	}
	return val_is_string(l) && l->kind == v->kind &&
	       text_contains(val_text(l), val_text(v));
}

// Go's reflection panics on nil against a string.
static bool comparable(struct run *r, const struct val *l, const struct val *v)
{
	if (v->kind != VAL_NIL && v->kind != VAL_NONE)
		return true;
	bool strings = val_is_string(l);
	for (size_t i = 0; l->kind == VAL_LIST && i < list_len(l->list); i++) {
		struct val item = list_at(&r->arena, l->list, i);
		strings |= val_is_string(&item);
	}
	return !strings || func_fail(r, "nil cannot be looked for among strings");
}

static bool fn_in(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	if (!comparable(r, &args[0], &args[1]))
		return false;
	*ret = val_bool(in(r, &args[0], &args[1]));
	return true;
}

static bool fn_contains(struct run *r, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	if (!comparable(r, &args[1], &args[0]))
		return false;
	*ret = val_bool(in(r, &args[1], &args[0]));
	return true;
}

// all: stops at the first that is not in the list; inverted for none.
static bool some(struct run *r, const struct val *args, bool if_end, bool invert,
		 struct val *ret)
{
	for (size_t i = 0; i < list_len(args[0].list); i++) {
		struct val v = list_at(&r->arena, args[0].list, i);
		if (!run_step(r) || !comparable(r, &args[1], &v))
			return false;
		if (in(r, &args[1], &v) != invert) {
			*ret = val_bool(!if_end);
			return true;
		}
	}
	*ret = val_bool(if_end);
	return true;
}

static bool fn_all(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	return some(r, args, true, true, ret);
}

static bool fn_any(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	return some(r, args, false, false, ret);
}

static bool fn_none(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	return some(r, args, true, false, ret);
}

static bool fn_not_all(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	return some(r, args, false, true, ret);
}

static bool explode(struct run *r, struct map *m, struct str key, const struct val *v)
{
	const char *slash = NULL;
	while ((slash = memchr(key.p, '/', key.len))) {
		struct val top = val_str(key.p, (size_t)(slash - key.p)), sub;
		if (!run_step(r))
			return false;
		if (!map_get(&r->arena, m, &top, &sub)) {
			sub = val_map(map_new(&r->arena, MAP_ANY));
			map_set(&r->arena, m, top, sub);
		}
		if (sub.kind != VAL_MAP || !sub.map || sub.map->type != MAP_ANY)
			return func_fail(r, "a key is a value and a folder at once");
		m = sub.map;
		key = (struct str){ slash + 1, key.len - top.s.len - 1 };
	}
	if (key.len)
		map_set(&r->arena, m, val_str(key.p, key.len), *v);
	return true;
}

static bool fn_explode_map(struct run *r, const struct val *args, size_t n UNUSED,
			   struct val *ret)
{
	struct map *m = map_new(&r->arena, MAP_ANY);
	const struct entry *e = map_entries(&r->arena, args[0].map);
	for (size_t i = 0; i < map_len(args[0].map); i++)
		if (!explode(r, m, val_text(&e[i].key), &e[i].value))
			return false;
	*ret = val_map(m);
	return true;
}

enum { MERGE_DEPTH_MAX = 100 };

static bool is_empty(const struct val *v)
{
	return !val_truth(v);
}

// Changes dst itself, as the peers do: fills what is empty in dst, or overrides it with what src has.
static bool merge(struct run *r, struct map *dst, struct map *src, bool override,
		  unsigned depth)
{
	if (depth > MERGE_DEPTH_MAX)
		return func_fail_kind(r, ERR_LIMIT, "nested too deep");
	// A copy: a map may stand below itself in dst, and grow while it is read.
	size_t n = map_len(src);
	struct entry *e = arena_alloc(&r->arena, (n + 1) * sizeof(*e));
	if (n)
		memcpy(e, map_entries(&r->arena, src), n * sizeof(*e));
	for (size_t i = 0; i < n; i++) {
		struct val old = { .kind = VAL_NONE }, v = e[i].value;
		bool have = map_get(&r->arena, dst, &e[i].key, &old);
		if (!run_step(r))
			return false;
		if (have && old.kind == VAL_MAP && v.kind == VAL_MAP && old.map &&
		    v.map) {
			if (!merge(r, old.map, v.map, override, depth + 1))
				return false;
			continue;
		}
		// nil fills nothing, but it overrides.
		if (override || (!val_is_nil(&v) && (!have || is_empty(&old))))
			map_set(&r->arena, dst, e[i].key, v);
	}
	return true;
}

static bool fn_merge(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	struct map *m = args[0].map ? args[0].map : map_new(&r->arena, MAP_ANY);
	*ret = val_map(m);
	return merge(r, m, args[1].map, false, 0);
}

static bool fn_merge_over(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	struct map *m = args[0].map ? args[0].map : map_new(&r->arena, MAP_ANY);
	*ret = val_map(m);
	return merge(r, m, args[1].map, true, 0);
}

const struct func funcs_map[] = {
	FUNC("in", "aa", fn_in, "whether a list (or text) holds a value",
	     "{{in (split \",\" \"a,b\") \"b\"}}", "true", 0),
	FUNC("contains", "aa", fn_contains,
	     "the same with the arguments exchanged, for pipelines",
	     "{{split \",\" \"a,b\" | contains \"c\"}}", "false", 0),
	FUNC("containsAll", "ia", fn_all, "whether all values are in a list",
	     "{{containsAll (sprig_list \"a\") (split \",\" \"a,b\")}}", "true", 0),
	FUNC("containsAny", "ia", fn_any, "whether one is",
	     "{{containsAny (sprig_list \"c\") (split \",\" \"a,b\")}}", "false", 0),
	FUNC("containsNone", "ia", fn_none, "whether none is",
	     "{{containsNone (sprig_list \"c\") (split \",\" \"a,b\")}}", "true", 0),
	FUNC("containsNotAll", "ia", fn_not_all, "whether one is not",
	     "{{containsNotAll (sprig_list \"a\" \"c\") (split \",\" \"a,b\")}}", "true",
	     0),
	FUNC("explodeMap", "m", fn_explode_map, "keys with slashes into nested maps",
	     "{{sprig_dict \"a/b\" 1 | explodeMap}}", "map[a:map[b:1]]", 0),
	FUNC("mergeMap", "mm", fn_merge, "the first map, filled up from the second",
	     "{{mergeMap (sprig_dict \"a\" 1) (sprig_dict \"a\" 2 \"b\" 3)}}",
	     "map[a:1 b:3]", 0),
	FUNC("mergeMapWithOverride", "mm", fn_merge_over, "the same; the second wins",
	     "{{mergeMapWithOverride (sprig_dict \"a\" 1) (sprig_dict \"a\" 2)}}",
	     "map[a:2]", 0),
	{ .name = NULL },
};
