// SPDX-License-Identifier: Apache-2.0
// Calls: the number of arguments, their types, and `and` and `or`, which stop early.
#include <string.h>

#include "templates/eval_int.h"

static bool fits(const struct val *v, char type)
{
	switch (type) {
	case 's':
		return v->kind == VAL_STR;
	case 'n':
		return v->kind == VAL_INT && v->sub == INT_INT;
	case 'l':
		return v->kind == VAL_INT && v->sub == INT_64;
	case 'f':
		return v->kind == VAL_FLOAT;
	case 'b':
		return v->kind == VAL_BOOL;
	case 't':
		return v->kind == VAL_LIST &&
		       (v->list ? v->list->type == LIST_STR : v->sub == LIST_STR);
	case 'i':
		return v->kind == VAL_LIST && (!v->list || v->list->type == LIST_ANY);
	case 'm':
		return v->kind == VAL_MAP && (!v->map || v->map->type == MAP_ANY);
	default:
		return true;
	}
}

// A value as a parameter's type; no value becomes the type's nil where it has one.
static bool validate(struct run *r, char type, struct val *v)
{
	if (v->kind == VAL_NONE) {
		switch (type) {
		case 0:
		case 'v':
			return true;
		case 'a':
			v->kind = VAL_NIL;
			return true;
		case 't':
			*v = (struct val){ .kind = VAL_LIST, .sub = LIST_STR };
			return true;
		case 'i':
			*v = (struct val){ .kind = VAL_LIST };
			return true;
		case 'm':
			*v = (struct val){ .kind = VAL_MAP };
			return true;
		default:
			return run_fail(r, "invalid value; expected %s",
					func_type_name(type));
		}
	}
	if (fits(v, type))
		return true;
	return run_fail(r, "wrong type for value; expected %s; got %s",
			func_type_name(type), val_type(v));
}

static bool literal_arg(struct run *r, char type, const struct node *n, struct val *ret)
{
	const struct number *k = n->kind == NODE_NUMBER ? n->number : NULL;
	switch (type) {
	case 's':
		if (n->kind != NODE_STRING)
			return run_fail(r, "expected string");
		*ret = val_str(n->text.p, n->text.len);
		return true;
	case 'n':
	case 'l':
		if (!k || !k->is_int)
			return run_fail(r, "expected integer");
		*ret = type == 'n' ? val_int(k->i) : val_int64(k->i);
		return true;
	case 'f':
		if (!k || !k->is_float)
			return run_fail(r, "expected float");
		*ret = val_float(k->f);
		return true;
	case 'b':
		if (n->kind != NODE_BOOL)
			return run_fail(r, "expected bool");
		*ret = val_bool(n->truth);
		return true;
	case 't':
	case 'i':
	case 'm':
		return run_fail(r, "a constant cannot be an argument of type %s",
				func_type_name(type));
	default:
		break;
	}
	if (k)
		return eval_constant(r, n, ret);
	*ret = n->kind == NODE_BOOL ? val_bool(n->truth)
				    : val_str(n->text.p, n->text.len);
	return true;
}

bool eval_arg(struct run *r, const struct val *dot, char type, const struct node *n,
	      struct val *ret)
{
	bool ok = true;
	r->pos = n->pos;
	switch (n->kind) {
	case NODE_DOT:
		*ret = *dot;
		break;
	case NODE_NIL:
		*ret = (struct val){ .kind = VAL_NONE };
		if (strchr("snlfb", type) && type)
			return run_fail(r, "cannot assign nil to %s",
					func_type_name(type));
		break;
	case NODE_FIELD: {
		struct args self = { { .n = 1 }, NULL };
		ok = eval_field_node(r, dot, n, &self, ret);
		break;
	}
	case NODE_VARIABLE:
		ok = eval_variable(r, dot, n, NULL, ret);
		break;
	case NODE_PIPE:
		ok = eval_pipeline(r, dot, n->pipe, ret);
		break;
	case NODE_FUNC: {
		static const struct args none;
		ok = eval_call(r, &(struct call){ n->func, dot, n->pos, &none, NULL },
			       ret);
		break;
	}
	case NODE_CHAIN:
		ok = eval_chain(r, dot, n, NULL, ret);
		break;
	default:
		return literal_arg(r, type, n, ret);
	}
	return ok && validate(r, type, ret);
}

static bool denied(const struct run *r, const char *name)
{
	for (const char *const *p = r->opts->grants.denied; p && *p; p++)
		if (str_glob(*p, name))
			return true;
	return false;
}

static bool and_or(struct run *r, const struct call *c, struct val *ret)
{
	const struct node_list *nodes = &c->args->nodes;
	*ret = (struct val){ .kind = VAL_NONE };
	for (size_t i = 1; i < nodes->n; i++) {
		if (!eval_arg(r, c->dot, 'v', nodes->items[i], ret))
			return false;
		if (val_truth(ret) == (c->func->flags & FUNC_OR ? true : false))
			return true;
	}
	if (c->args->final)
		*ret = *c->args->final;
	return true;
}

struct shape {
	size_t fixed;
	bool variadic;
};

static struct shape shape_of(const char *params)
{
	size_t n = strlen(params);
	bool variadic = n && params[n - 1] == '*';
	return (struct shape){ variadic ? n - 2 : n, variadic };
}

static char type_of(const char *params, const struct shape *s, size_t i)
{
	return params[i < s->fixed || !s->variadic ? i : s->fixed];
}

static bool check_count(struct run *r, const struct func *f, const struct shape *s,
			size_t n)
{
	if (s->variadic ? n >= s->fixed : n == s->fixed)
		return true;
	return run_fail(r, "wrong number of args for %s: want %s%zu got %zu", f->name,
			s->variadic ? "at least " : "", s->fixed, n);
}

bool eval_call(struct run *r, const struct call *c, struct val *ret)
{
	enum { ARGS_FAST = 6 };
	struct val fast[ARGS_FAST];
	const struct func *f = c->func;
	const struct args *a = c->args;
	struct shape s = shape_of(f->params);
	size_t n_nodes = a->nodes.n ? a->nodes.n - 1 : 0;
	size_t n = n_nodes + (a->final ? 1 : 0);
	if (!check_count(r, f, &s, n))
		return false;
	if (r->opts->grants.denied && denied(r, f->name))
		return run_fail_kind(r, ERR_DENIED,
				     "the function %s is refused by policy", f->name);
	const struct tmpl_grants *g = &r->opts->grants;
	const char *by = g->refuses ? g->refuses(g->refuses_ctx, f->name) : NULL;
	if (by)
		return run_fail_kind(r, ERR_DENIED,
				     "the function %s is refused by policy '%s'", f->name,
				     by);
	if (f->flags & (FUNC_AND | FUNC_OR))
		return and_or(r, c, ret);
	if (++r->nest > RUN_NEST_MAX)
		return run_fail_kind(r, ERR_LIMIT, "nesting is too deep");
	struct val *argv =
		n <= ARGS_FAST ? fast : arena_calloc(&r->arena, n, sizeof(*argv));
	for (size_t i = 0; i < n_nodes; i++)
		if (!eval_arg(r, c->dot, type_of(f->params, &s, i), a->nodes.items[i + 1],
			      &argv[i]))
			return false;
	if (a->final) {
		argv[n_nodes] = *a->final;
		if (!validate(r, type_of(f->params, &s, n_nodes), &argv[n_nodes]))
			return false;
	}
	r->nest--;
	size_t pos = r->pos;
	r->pos = c->pos;
	r->func = f;
	r->receiver_value = c->receiver;
	if (c->receiver)
		r->receiver =
			c->receiver->kind == VAL_OBJECT ? c->receiver->object : NULL;
	if (!run_step(r) || !f->fn(r, argv, n, ret))
		return false;
	r->pos = pos;
	return true;
}
