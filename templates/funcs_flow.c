// SPDX-License-Identifier: Apache-2.0
// loop, executeTemplate, scratch and time.
#include <string.h>

#include "templates/funcs.h"
#include "templates/gotime.h"
#include "templates/run.h"
#include "templates/text.h"

static bool bound(struct run *r, const struct val *v, int64_t *ret)
{
	*ret = v->i;
	if (v->kind == VAL_INT)
		return true;
	*ret = 0;
	if (!val_is_string(v))
		return func_fail(r, "an argument of type %s is no integer", val_type(v));
	if (!v->s.len || literal_int(val_text(v), 10, ret))
		return true;
	return func_fail(r, "the text is no integer of 64 bits");
}

static bool fn_loop(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct chan *c = arena_alloc(&r->arena, sizeof(*c));
	if (n != 1 && n != 2)
		return func_fail(r, "expected 1 or 2 arguments, but got %zu", n);
	if ((n == 2 && !bound(r, &args[0], &c->next)) || !bound(r, &args[n - 1], &c->end))
		return false;
	*ret = (struct val){ .kind = VAL_CHAN, .chan = c };
	return true;
}

static bool fn_execute(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str name = val_text(&args[0]);
	struct val dot = n == 2 ? val_unwrap(args[1]) : (struct val){ .kind = VAL_NONE };
	if (n > 2)
		return func_fail(r, "expected 1 or 2 arguments, but got %zu", n);
	const struct definition *def = tree_find(r->tree, name);
	if (!def)
		return func_fail(r, "there is no template of that name");
	struct err inner = ERR_INIT, *outer_err = r->e;
	struct buf *outer = r->out;
	size_t pos = r->pos, reason = 0;
	unsigned nest = r->nest;
	r->out = &out;
	r->e = &inner;
	bool ok = run_template(r, def, dot);
	r->out = outer;
	r->e = outer_err;
	r->pos = pos;
	r->nest = nest;
	if (ok)
		return run_take(r, &out, ret);
	// The place of the call comes first, then that of the cause.
	size_t skip = strlen(r->name);
	if (strncmp(inner.text, r->name, skip) == 0)
		reason = skip + 1;
	return run_fail_kind(r, inner.kind, "executeTemplate: %s", inner.text + reason);
}

static bool fn_scratch(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		       struct val *ret)
{
	if (!r->scratch) {
		r->scratch = arena_alloc(&r->arena, sizeof(*r->scratch));
		r->scratch->type = OBJ_SCRATCH;
		r->scratch->map = map_new(&r->arena, MAP_ANY);
	}
	*ret = (struct val){ .kind = VAL_OBJECT, .object = r->scratch };
	return true;
}

static bool scratch_key(struct run *r, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	struct val v;
	*ret = val_bool(map_get(&r->arena, r->receiver->map, &args[0], &v));
	return true;
}

static bool scratch_get(struct run *r, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	*ret = (struct val){ .kind = VAL_NIL };
	(void)map_get(&r->arena, r->receiver->map, &args[0], ret);
	return true;
}

static bool scratch_set(struct run *r, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	map_set(&r->arena, r->receiver->map, args[0], args[1]);
	*ret = val_strz("");
	return true;
}

static bool scratch_set_x(struct run *r, const struct val *args, size_t n,
			  struct val *ret)
{
	struct val v;
	*ret = val_strz("");
	return map_get(&r->arena, r->receiver->map, &args[0], &v) ||
	       scratch_set(r, args, n, ret);
}

static bool map_of(struct run *r, const struct val *name, struct map **ret)
{
	struct val v;
	if (!map_get(&r->arena, r->receiver->map, name, &v)) {
		*ret = map_new(&r->arena, MAP_ANY);
		map_set(&r->arena, r->receiver->map, *name, val_map(*ret));
		return true;
	}
	if (v.kind != VAL_MAP || !v.map || v.map->type != MAP_ANY)
		return func_fail(r, "the value of that name is no map");
	*ret = v.map;
	return true;
}

static bool scratch_map_set(struct run *r, const struct val *args, size_t n UNUSED,
			    struct val *ret)
{
	struct map *m = NULL;
	*ret = val_strz("");
	if (!map_of(r, &args[0], &m))
		return false;
	map_set(&r->arena, m, args[1], args[2]);
	return true;
}

static bool scratch_map_set_x(struct run *r, const struct val *args, size_t n UNUSED,
			      struct val *ret)
{
	struct map *m = NULL;
	struct val v;
	*ret = val_strz("");
	if (!map_of(r, &args[0], &m))
		return false;
	if (!map_get(&r->arena, m, &args[1], &v))
		map_set(&r->arena, m, args[1], args[2]);
	return true;
}

static bool scratch_map_values(struct run *r, const struct val *args, size_t n UNUSED,
			       struct val *ret)
{
	struct val v;
	*ret = (struct val){ .kind = VAL_LIST };
	if (!map_get(&r->arena, r->receiver->map, &args[0], &v) || v.kind != VAL_MAP)
		return true;
	ret->list = list_new(&r->arena, LIST_ANY, map_len(v.map));
	const struct entry *e = map_entries(&r->arena, v.map);
	for (size_t i = 0; i < map_len(v.map); i++)
		list_add(&r->arena, ret->list, e[i].value);
	return true;
}

static bool fn_timestamp(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct val now = gotime_now();
	if (n > 1)
		return func_fail(r, "expected 0 or 1 arguments, but got %zu", n);
	if (n && str_eq(val_text(&args[0]), "unix"))
		buf_printf(&out, "%lld", (long long)now.t.sec);
	else
		gotime_format(&out, &now,
			      n ? val_text(&args[0])
				: str_of("2006-01-02T15:04:05Z07:00"));
	return run_take(r, &out, ret);
}

const struct func funcs_flow[] = {
	FUNC("loop", "a*", fn_loop, "the integers below n, or from a to below b",
	     "{{range loop 2 5}}{{.}}{{end}}", "234", 0),
	FUNC("executeTemplate", "sa*", fn_execute,
	     "the output of a defined template as a string",
	     "{{define \"t\"}}<{{.}}>{{end}}{{executeTemplate \"t\" 1 | toUpper}}", "<1>",
	     0),
	FUNC("scratch", "", fn_scratch,
	     "values kept for this run: .Key .Get .Set .SetX .MapSet .MapSetX .MapValues",
	     "{{scratch.Set \"a\" 1}}{{scratch.Get \"a\"}}", "1", 0),
	FUNC("timestamp", "s*", fn_timestamp,
	     "the time in UTC: RFC 3339, \"unix\", or Go's layout",
	     "{{timestamp \"2006\" | len}}", "4", 0),
	{ .name = NULL },
};

const struct func methods_scratch[] = {
	FUNC("Key", "s", scratch_key, "", "", "", 0),
	FUNC("Get", "s", scratch_get, "", "", "", 0),
	FUNC("Set", "sa", scratch_set, "", "", "", 0),
	FUNC("SetX", "sa", scratch_set_x, "", "", "", 0),
	FUNC("MapSet", "ssa", scratch_map_set, "", "", "", 0),
	FUNC("MapSetX", "ssa", scratch_map_set_x, "", "", "", 0),
	FUNC("MapValues", "s", scratch_map_values, "", "", "", 0),
	{ .name = NULL },
};
