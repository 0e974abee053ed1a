// SPDX-License-Identifier: Apache-2.0
// The functions that text/template itself has, but for the comparisons (funcs_compare.c).
#include <string.h>

#include "templates/escape.h"
#include "templates/format.h"
#include "templates/funcs.h"
#include "templates/run.h"

static bool fn_not(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	*ret = val_bool(!val_truth(&args[0]));
	return true;
}

static bool fn_len(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	switch ((enum val_kind)args[0].kind) {
	case VAL_STR:
	case VAL_NUMBER:
		*ret = val_int((int64_t)args[0].s.len);
		return true;
	case VAL_LIST:
		*ret = val_int((int64_t)list_len(args[0].list));
		return true;
	case VAL_MAP:
		*ret = val_int((int64_t)map_len(args[0].map));
		return true;
	case VAL_CHAN:
		*ret = val_int(args[0].chan->end - args[0].chan->next);
		return true;
	case VAL_NONE:
	case VAL_NIL:
		return func_fail(r, "len of nil");
	default:
		return func_fail(r, "len of type %s", val_type(&args[0]));
	}
}

// An index into a string or list: 0 … cap.
static bool index_arg(struct run *r, const struct val *v, size_t cap, size_t *ret)
{
	if (v->kind == VAL_NONE || v->kind == VAL_NIL)
		return func_fail(r, "cannot index a list with nil");
	if (v->kind != VAL_INT)
		return func_fail(r, "cannot index a list with type %s", val_type(v));
	if (v->i < 0 || (uint64_t)v->i > cap)
		return func_fail(r, "index out of range");
	*ret = (size_t)v->i;
	return true;
}

static bool index_map(struct run *r, const struct val *key, struct val *item)
{
	struct map *m = item->map;
	enum map_type type = m ? m->type : (enum map_type)item->sub;
	struct val k = *key;
	if (type != MAP_YAML && (k.kind == VAL_NONE || k.kind == VAL_NIL))
		return func_fail(r, "value is nil; should be of type string");
	if (type != MAP_YAML && k.kind != VAL_STR)
		return func_fail(r, "value has type %s; should be string", val_type(&k));
	if (!map_get(&r->arena, m, &k, item))
		*item = type == MAP_STR ? val_strz("") : (struct val){ .kind = VAL_NIL };
	return true;
}

static bool fn_index(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct val item = val_unwrap(args[0]);
	if (item.kind == VAL_NONE)
		return func_fail(r, "index of untyped nil");
	for (size_t i = 1; i < n; i++) {
		size_t at = 0;
		if (val_is_string(&item)) {
			if (!index_arg(r, &args[i], item.s.len, &at))
				return false;
			if (at == item.s.len)
				return func_fail(r, "index out of range");
			item = (struct val){ .kind = VAL_INT,
					     .sub = INT_UINT8,
					     .i = (unsigned char)item.s.p[at] };
		} else if (item.kind == VAL_LIST) {
			if (!index_arg(r, &args[i], list_len(item.list), &at))
				return false;
			if (at == list_len(item.list))
				return func_fail(r, "index out of range");
			item = list_at(&r->arena, item.list, at);
		} else if (item.kind == VAL_MAP) {
			if (!index_map(r, &args[i], &item))
				return false;
		} else if (item.kind == VAL_NIL || item.kind == VAL_NONE) {
			return func_fail(r, "index of nil pointer");
		} else {
			return func_fail(r, "can't index item of type %s",
					 val_type(&item));
		}
	}
	*ret = item;
	return true;
}

static struct val sublist(struct run *r, struct list *from, size_t start, size_t end,
			  size_t cap)
{
	struct list *l = arena_alloc(&r->arena, sizeof(*l));
	list_force(&r->arena, from);
	*l = (struct list){ .type = from->type, .n = end - start, .cap = cap - start };
	l->items = from->items + start;
	return val_list(l);
}

static bool fn_slice(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct val item = val_unwrap(args[0]);
	size_t at[3] = { 0, 0, 0 };
	if (item.kind == VAL_NONE)
		return func_fail(r, "slice of untyped nil");
	if (n > 4)
		return func_fail(r, "too many slice indexes: %zu", n - 1);
	bool is_string = val_is_string(&item);
	if (!is_string && item.kind != VAL_LIST)
		return func_fail(r, "can't slice item of type %s", val_type(&item));
	if (is_string && n == 4)
		return func_fail(r, "cannot 3-index slice a string");
	size_t cap = is_string ? item.s.len : item.list ? item.list->cap : 0;
	at[1] = is_string ? item.s.len : list_len(item.list);
	for (size_t i = 1; i < n; i++)
		if (!index_arg(r, &args[i], cap, &at[i - 1]))
			return false;
	if (at[0] > at[1])
		return func_fail(r, "invalid slice index: %zu > %zu", at[0], at[1]);
	if (n == 4 && at[1] > at[2])
		return func_fail(r, "invalid slice index: %zu > %zu", at[1], at[2]);
	*ret = item;
	if (is_string) {
		ret->s.p += at[0];
		ret->s.len = at[1] - at[0];
	} else if (item.list) {
		*ret = sublist(r, item.list, at[0], at[1], n == 4 ? at[2] : cap);
	}
	return true;
}

static bool fn_call(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret UNUSED)
{
	if (args[0].kind == VAL_NONE || args[0].kind == VAL_NIL)
		return func_fail(r, "call of nil");
	return func_fail(r, "a value of type %s is no function", val_type(&args[0]));
}

static bool fn_print(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	format_print(&out, &r->arena, args, n);
	return run_take(r, &out, ret);
}

static bool fn_println(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	format_println(&out, &r->arena, args, n);
	return run_take(r, &out, ret);
}

static bool fn_printf(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	format_printf(&out, &r->arena, (struct str){ args[0].s.p, args[0].s.len },
		      args + 1, n - 1);
	return run_take(r, &out, ret);
}

// The text of all arguments, a single string as it is.
static bool escaped(struct run *r, const struct val *args, size_t n,
		    void (*escape)(struct buf *, struct str), struct val *ret)
{
	AUTO_BUF struct buf text = BUF_INIT(r->max_output);
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	if (n == 1 && args[0].kind == VAL_NONE)
		buf_puts(&text, "<no value>");
	else if (n == 1 && args[0].kind == VAL_NIL)
		buf_puts(&text, "<no value>");
	else
		for (size_t i = 0; i < n; i++) {
			bool strings = val_is_string(&args[i]) ||
				       (i && val_is_string(&args[i - 1]));
			bool nil = args[i].kind == VAL_NONE || args[i].kind == VAL_NIL;
			bool before = i && (args[i - 1].kind == VAL_NONE ||
					    args[i - 1].kind == VAL_NIL);
			if (i && !strings && !nil && !before)
				buf_putc(&text, ' ');
			if (nil)
				buf_puts(&text, "<no value>");
			else
				format_action(&text, &r->arena, &args[i]);
		}
	if (buf_failed(&text))
		out.failed = true;
	escape(&out, (struct str){ buf_str(&text), text.len });
	return run_take(r, &out, ret);
}

static bool fn_html(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return escaped(r, args, n, escape_html, ret);
}

static bool fn_js(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return escaped(r, args, n, escape_js, ret);
}

static bool fn_urlquery(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return escaped(r, args, n, escape_query, ret);
}

const struct func funcs_builtin[] = {
	FUNC("and", "vv*", NULL, "the first argument that is false, else the last",
	     "{{and 1 0 2}}", "0", FUNC_AND),
	FUNC("or", "vv*", NULL, "the first argument that is true, else the last",
	     "{{or \"\" \"x\"}}", "x", FUNC_OR),
	FUNC("not", "v", fn_not, "whether the argument is false or empty", "{{not \"\"}}",
	     "true", 0),
	FUNC("len", "v", fn_len, "length in bytes, items or keys", "{{len \"abc\"}}", "3",
	     0),
	FUNC("index", "vv*", fn_index, "an item of a list or map, by any number of keys",
	     "{{index (split \",\" \"a,b\") 1}}", "b", 0),
	FUNC("slice", "vv*", fn_slice, "a part of a string or list",
	     "{{slice \"abcdef\" 1 3}}", "bc", 0),
	FUNC("call", "vv*", fn_call, "calls a function value (data never holds one)", "",
	     "", 0),
	FUNC("print", "a*", fn_print, "text of the arguments", "{{print 1 2 \"x\"}}",
	     "1 2x", 0),
	FUNC("println", "a*", fn_println, "the same with blanks and a newline",
	     "{{println 1 2}}", "1 2\n", 0),
	FUNC("printf", "sa*", fn_printf, "text by a format with Go's verbs",
	     "{{printf \"%s=%q %05d\" \"k\" \"v\" 42}}", "k=\"v\" 00042", 0),
	FUNC("html", "a*", fn_html, "escapes for HTML", "{{html \"<a>\"}}", "&lt;a&gt;",
	     0),
	FUNC("js", "a*", fn_js, "escapes for JavaScript", "{{js \"it's\"}}", "it\\'s", 0),
	FUNC("urlquery", "a*", fn_urlquery, "escapes for a query of a URL",
	     "{{urlquery \"a b&c\"}}", "a+b%26c", 0),
	{ .name = NULL },
};
