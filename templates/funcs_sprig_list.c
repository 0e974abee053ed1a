// SPDX-License-Identifier: Apache-2.0
// sprig's lists.
#include <stdlib.h>
#include <string.h>

#include "templates/convert.h"
#include "templates/equal.h"
#include "templates/funcs.h"
#include "templates/run.h"
#include "templates/text.h"

static bool fn_list(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct list *l = list_new(&r->arena, LIST_ANY, n);
	for (size_t i = 0; i < n; i++)
		list_add(&r->arena, l, args[i]);
	*ret = val_list(l);
	return true;
}

static bool is_list(struct run *r, const struct val *v)
{
	return v->kind == VAL_LIST ||
	       func_fail(r, "a value of type %s is no list", val_type(v));
}

static struct val part(struct run *r, const struct val *v, size_t from, size_t to)
{
	struct list *l = list_new(&r->arena, LIST_ANY, to - from);
	for (size_t i = from; i < to; i++)
		list_add(&r->arena, l, list_at(&r->arena, v->list, i));
	return val_list(l);
}

static bool fn_first(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	*ret = (struct val){ .kind = VAL_NIL };
	if (!is_list(r, &args[0]))
		return false;
	if (list_len(args[0].list))
		*ret = list_at(&r->arena, args[0].list, 0);
	return true;
}

static bool fn_last(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	*ret = (struct val){ .kind = VAL_NIL };
	if (!is_list(r, &args[0]))
		return false;
	if (list_len(args[0].list))
		*ret = list_at(&r->arena, args[0].list, list_len(args[0].list) - 1);
	return true;
}

static bool fn_rest(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	size_t len = list_len(args[0].list);
	*ret = len ? part(r, &args[0], 1, len) : (struct val){ .kind = VAL_LIST };
	return true;
}

static bool fn_initial(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	size_t len = list_len(args[0].list);
	*ret = len ? part(r, &args[0], 0, len - 1) : (struct val){ .kind = VAL_LIST };
	return true;
}

static bool fn_reverse(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	size_t len = list_len(args[0].list);
	struct list *l = list_new(&r->arena, LIST_ANY, len);
	for (size_t i = len; i > 0; i--)
		list_add(&r->arena, l, list_at(&r->arena, args[0].list, i - 1));
	*ret = val_list(l);
	return true;
}

static bool holds(struct run *r, struct list *l, const struct val *v, bool *ret)
{
	*ret = false;
	for (size_t i = 0; i < list_len(l) && !*ret; i++) {
		struct val item = list_at(&r->arena, l, i);
		if (!run_step(r) || !val_deep_equal(r, &item, v, ret))
			return false;
	}
	return true;
}

static bool fn_has(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	bool found = false;
	*ret = val_bool(false);
	if (val_is_nil(&args[1]))
		return true;
	if (!is_list(r, &args[1]) || !holds(r, args[1].list, &args[0], &found))
		return false;
	*ret = val_bool(found);
	return true;
}

static bool fn_uniq(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	struct list *l = list_new(&r->arena, LIST_ANY, list_len(args[0].list));
	for (size_t i = 0; i < list_len(args[0].list); i++) {
		struct val item = list_at(&r->arena, args[0].list, i);
		bool found = false;
		if (!holds(r, l, &item, &found))
			return false;
		if (!found)
			list_add(&r->arena, l, item);
	}
	*ret = val_list(l);
	return true;
}

static bool fn_without(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	struct list *l = list_new(&r->arena, LIST_ANY, list_len(args[0].list));
	struct val omit;
	(void)fn_list(r, args + 1, n - 1, &omit);
	for (size_t i = 0; i < list_len(args[0].list); i++) {
		struct val item = list_at(&r->arena, args[0].list, i);
		bool found = false;
		if (!holds(r, omit.list, &item, &found))
			return false;
		if (!found)
			list_add(&r->arena, l, item);
	}
	*ret = val_list(l);
	return true;
}

static bool fn_compact(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	struct list *l = list_new(&r->arena, LIST_ANY, list_len(args[0].list));
	for (size_t i = 0; i < list_len(args[0].list); i++) {
		struct val item = list_at(&r->arena, args[0].list, i);
		if (val_truth(&item))
			list_add(&r->arena, l, item);
	}
	*ret = val_list(l);
	return true;
}

static bool fn_append(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	*ret = part(r, &args[0], 0, list_len(args[0].list));
	list_add(&r->arena, ret->list, args[1]);
	return true;
}

static bool fn_prepend(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	if (!is_list(r, &args[0]))
		return false;
	struct list *l = list_new(&r->arena, LIST_ANY, list_len(args[0].list) + 1);
	list_add(&r->arena, l, args[1]);
	for (size_t i = 0; i < list_len(args[0].list); i++)
		list_add(&r->arena, l, list_at(&r->arena, args[0].list, i));
	*ret = val_list(l);
	return true;
}

static bool fn_concat(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct list *l = list_new(&r->arena, LIST_ANY, 0);
	for (size_t k = 0; k < n; k++) {
		if (!is_list(r, &args[k]))
			return false;
		for (size_t i = 0; i < list_len(args[k].list); i++)
			list_add(&r->arena, l, list_at(&r->arena, args[k].list, i));
	}
	*ret = val_list(l);
	return true;
}

static bool fn_join(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct list *l = NULL;
	if (!convert_strings(r, &args[1], &l))
		return false;
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_add(&out, args[0].s.p, args[0].s.len);
		buf_add(&out, l->items[i].s.p, l->items[i].s.len);
	}
	return run_take(r, &out, ret);
}

static bool fn_to_strings(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	struct list *l = NULL;
	if (!convert_strings(r, &args[0], &l))
		return false;
	*ret = val_list(l);
	return true;
}

static int by_text(const void *a, const void *b)
{
	return val_compare_keys(a, b);
}

static bool fn_sort(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct list *l = NULL;
	if (!convert_strings(r, &args[0], &l))
		return false;
	qsort(l->items, l->n, sizeof(*l->items), by_text);
	*ret = val_list(l);
	return true;
}

static bool fn_split_list(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	*ret = val_list(
		text_split(&r->arena, val_text(&args[1]), val_text(&args[0]), -1));
	return true;
}

enum { UNTIL_MAX = 100000 };

static bool fn_until(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	int64_t step = args[0].i < 0 ? -1 : 1, count = args[0].i * step;
	if (args[0].i < -UNTIL_MAX || count > UNTIL_MAX)
		return func_fail_kind(r, ERR_LIMIT, "more than %d items", UNTIL_MAX);
	struct list *l = list_new(&r->arena, LIST_INT, (size_t)count);
	for (int64_t i = 0; i < count; i++)
		list_add(&r->arena, l, val_int(i * step));
	*ret = val_list(l);
	return run_steps(r, (unsigned long)count);
}

const struct func funcs_sprig_list[] = {
	FUNC("sprig_list", "a*", fn_list, "a list of the arguments",
	     "{{sprig_list 1 \"a\"}}", "[1 a]", 0),
	FUNC("sprig_first", "a", fn_first, "the first item",
	     "{{sprig_first (sprig_list 1 2)}}", "1", 0),
	FUNC("sprig_last", "a", fn_last, "the last item",
	     "{{sprig_last (sprig_list 1 2)}}", "2", 0),
	FUNC("sprig_rest", "a", fn_rest, "all but the first",
	     "{{sprig_rest (sprig_list 1 2 3)}}", "[2 3]", 0),
	FUNC("sprig_initial", "a", fn_initial, "all but the last",
	     "{{sprig_initial (sprig_list 1 2 3)}}", "[1 2]", 0),
	FUNC("sprig_reverse", "a", fn_reverse, "the other way round",
	     "{{sprig_reverse (sprig_list 1 2)}}", "[2 1]", 0),
	FUNC("sprig_has", "aa", fn_has, "whether a list holds a value",
	     "{{sprig_list 1 2 | sprig_has 2}}", "true", 0),
	FUNC("sprig_uniq", "a", fn_uniq, "each item once",
	     "{{sprig_uniq (sprig_list 1 1 2)}}", "[1 2]", 0),
	FUNC("sprig_without", "aa*", fn_without, "a list less some values",
	     "{{sprig_without (sprig_list 1 2 3) 2}}", "[1 3]", 0),
	FUNC("sprig_compact", "a", fn_compact, "without empty items",
	     "{{sprig_compact (sprig_list 1 \"\" 0)}}", "[1]", 0),
	FUNC("sprig_append", "aa", fn_append, "with one more at the end",
	     "{{sprig_append (sprig_list 1) 2}}", "[1 2]", 0),
	FUNC("sprig_prepend", "aa", fn_prepend, "with one more at the front",
	     "{{sprig_prepend (sprig_list 1) 2}}", "[2 1]", 0),
	FUNC("sprig_concat", "a*", fn_concat, "lists behind each other",
	     "{{sprig_concat (sprig_list 1) (sprig_list 2)}}", "[1 2]", 0),
	FUNC("sprig_join", "sa", fn_join, "the texts of a list with a separator",
	     "{{sprig_list 1 \"a\" | sprig_join \",\"}}", "1,a", 0),
	FUNC("sprig_toStrings", "a", fn_to_strings, "a list of texts",
	     "{{sprig_list 1 2 | sprig_toStrings | join \"-\"}}", "1-2", 0),
	FUNC("sprig_sortAlpha", "a", fn_sort, "texts in order",
	     "{{sprig_list \"b\" \"a\" | sprig_sortAlpha}}", "[a b]", 0),
	FUNC("sprig_splitList", "ss", fn_split_list, "parts of a text",
	     "{{sprig_splitList \",\" \"a,b\"}}", "[a b]", 0),
	FUNC("sprig_until", "n", fn_until, "the integers from 0 to below n",
	     "{{sprig_until 3}}", "[0 1 2]", 0),
	{ .name = NULL },
};
