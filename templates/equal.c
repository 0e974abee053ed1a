// SPDX-License-Identifier: Apache-2.0
// Deep equality of values.
#include "templates/equal.h"

#include <string.h>

static bool lists(struct run *r, const struct val *a, const struct val *b, bool *ret)
{
	*ret = list_len(a->list) == list_len(b->list);
	for (size_t i = 0; *ret && i < list_len(a->list); i++) {
		struct val x = list_at(&r->arena, a->list, i),
			   y = list_at(&r->arena, b->list, i);
		if (!val_deep_equal(r, &x, &y, ret))
			return false;
	}
	return true;
}

static bool maps(struct run *r, const struct val *a, const struct val *b, bool *ret)
{
	const struct entry *x = map_entries(&r->arena, a->map);
	const struct entry *y = map_entries(&r->arena, b->map);
	*ret = map_len(a->map) == map_len(b->map);
	for (size_t i = 0; *ret && i < map_len(a->map); i++) {
		*ret = val_compare_keys(&x[i].key, &y[i].key) == 0;
		if (*ret && !val_deep_equal(r, &x[i].value, &y[i].value, ret))
			return false;
	}
	return true;
}

bool val_deep_equal(struct run *r, const struct val *a, const struct val *b, bool *ret)
{
	bool nil_a = a->kind == VAL_NONE || a->kind == VAL_NIL;
	bool nil_b = b->kind == VAL_NONE || b->kind == VAL_NIL;
	*ret = nil_a && nil_b;
	if (nil_a || nil_b)
		return true;
	if (a->kind != b->kind || strcmp(val_type(a), val_type(b)) != 0)
		return true;
	if (++r->nest > RUN_NEST_MAX)
		return run_fail_kind(r, ERR_LIMIT, "nesting is too deep");
	bool ok = run_step(r);
	switch ((enum val_kind)a->kind) {
	case VAL_BOOL:
		*ret = a->b == b->b;
		break;
	case VAL_INT:
		*ret = a->i == b->i;
		break;
	case VAL_FLOAT:
		*ret = a->f == b->f;
		break;
	case VAL_COMPLEX:
		*ret = a->c.re == b->c.re && a->c.im == b->c.im;
		break;
	case VAL_STR:
	case VAL_NUMBER:
		*ret = a->s.len == b->s.len && memcmp(a->s.p, b->s.p, a->s.len) == 0;
		break;
	case VAL_LIST:
		ok = ok && lists(r, a, b, ret);
		break;
	case VAL_MAP:
		ok = ok && maps(r, a, b, ret);
		break;
	case VAL_TIME:
		*ret = a->t.sec == b->t.sec && a->t.nsec == b->t.nsec;
		break;
	default:
		*ret = a->object == b->object;
		break;
	}
	r->nest--;
	return ok;
}
