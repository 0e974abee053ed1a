// SPDX-License-Identifier: Apache-2.0
// Pipelines to values: commands, fields, variables, constants. The order in which r->pos
// moves is Go's, since errors name that place. Calls of functions are in call.c.
#include <string.h>

#include "templates/eval_int.h"

void run_push(struct run *r, struct str name, struct val v)
{
	if (r->n_vars == r->cap_vars) {
		r->cap_vars = r->cap_vars ? r->cap_vars * 2 : 16;
		r->vars = arena_grow(&r->arena, r->vars, r->n_vars, r->cap_vars,
				     sizeof(*r->vars));
	}
	r->vars[r->n_vars++] = (struct var){ name, v };
}

static struct var *find_var(struct run *r, struct str name)
{
	for (size_t i = r->n_vars; i > r->first_var; i--) {
		struct str n = r->vars[i - 1].name;
		if (n.len == name.len && memcmp(n.p, name.p, n.len) == 0)
			return &r->vars[i - 1];
	}
	return NULL;
}

bool run_set(struct run *r, struct str name, struct val v)
{
	struct var *var = find_var(r, name);
	if (!var)
		return run_fail(r, "undefined variable %.*s", (int)name.len, name.p);
	var->value = v;
	return true;
}

static bool missing_entry(struct run *r, struct map *m, struct str name, struct val *ret)
{
	*ret = (struct val){ .kind = VAL_NONE };
	if (r->opts->missing_key == TMPL_MISSING_ERROR)
		return run_fail(r, "map has no entry for key \"%.*s\"", (int)name.len,
				name.p);
	if (r->opts->missing_key == TMPL_MISSING_ZERO)
		*ret = m && m->type == MAP_STR ? val_strz("")
					       : (struct val){ .kind = VAL_NIL };
	return true;
}

// .Field of a value, with arguments when it is a method.
static bool eval_field(struct run *r, const struct val *dot, struct str name, size_t pos,
		       const struct args *args, const struct val *receiver,
		       struct val *ret)
{
	bool has_args = args && (args->nodes.n > 1 || args->final);
	bool found = false;
	if (receiver->kind == VAL_NONE) {
		*ret = (struct val){ .kind = VAL_NONE };
		if (r->opts->missing_key == TMPL_MISSING_ERROR && !r->wanted)
			return run_fail(r, "nil data; no entry for key \"%.*s\"",
					(int)name.len, name.p);
		return true;
	}
	if (receiver->kind == VAL_MAP) {
		if (has_args)
			return run_fail(r, "%.*s is not a method but has arguments",
					(int)name.len, name.p);
		return map_get_str(&r->arena, receiver->map, name.p, name.len, ret) ||
		       missing_entry(r, receiver->map, name, ret);
	}
	const struct func *method = object_method(receiver, name);
	if (method) {
		static const struct args none;
		struct call c = { method, dot, pos, args ? args : &none, receiver };
		return eval_call(r, &c, ret);
	}
	if (receiver->kind == VAL_OBJECT && val_is_nil(receiver) && r->wanted) {
		*ret = (struct val){ .kind = VAL_NONE };
		return true;
	}
	if (receiver->kind == VAL_NIL)
		return run_fail(r, "nil pointer evaluating interface {}.%.*s",
				(int)name.len, name.p);
	if (!object_field(r, receiver, name, ret, &found))
		return false;
	if (found && has_args)
		return run_fail(r, "%.*s has arguments but cannot be invoked as function",
				(int)name.len, name.p);
	return found || run_fail(r, "can't evaluate field %.*s in type %s", (int)name.len,
				 name.p, val_type(receiver));
}

static bool eval_fields(struct run *r, const struct val *dot, const struct node *n,
			size_t from, struct val receiver, const struct args *args,
			struct val *ret)
{
	*ret = receiver;
	for (size_t i = from; i < n->n_names; i++) {
		struct val v = *ret;
		if (!eval_field(r, dot, n->names[i], n->pos,
				i + 1 == n->n_names ? args : NULL, &v, ret))
			return false;
	}
	return true;
}

static bool no_args(struct run *r, const struct args *args)
{
	if (args && (args->nodes.n > 1 || args->final))
		return run_fail(r, "can't give argument to non-function");
	return true;
}

bool eval_field_node(struct run *r, const struct val *dot, const struct node *n,
		     const struct args *args, struct val *ret)
{
	r->pos = n->pos;
	return eval_fields(r, dot, n, 0, *dot, args, ret);
}

bool eval_variable(struct run *r, const struct val *dot, const struct node *n,
		   const struct args *args, struct val *ret)
{
	r->pos = n->pos;
	const struct var *var = find_var(r, n->names[0]);
	if (!var)
		return run_fail(r, "undefined variable %.*s", (int)n->names[0].len,
				n->names[0].p);
	if (n->n_names == 1) {
		*ret = var->value;
		return no_args(r, args);
	}
	return eval_fields(r, dot, n, 1, var->value, args, ret);
}

bool eval_chain(struct run *r, const struct val *dot, const struct node *n,
		const struct args *args, struct val *ret)
{
	struct val receiver;
	r->pos = n->pos;
	if (n->of->kind == NODE_NIL)
		return run_fail(r, "indirection through explicit nil");
	if (!eval_arg(r, dot, 0, n->of, &receiver))
		return false;
	return eval_fields(r, dot, n, 0, receiver, args, ret);
}

bool eval_constant(struct run *r, const struct node *n, struct val *ret)
{
	const struct number *k = n->number;
	r->pos = n->pos;
	*ret = (struct val){ .kind = VAL_NONE };
	if (k->is_complex)
		*ret = (struct val){ .kind = VAL_COMPLEX, .c = { k->re, k->im } };
	else if (k->is_float && k->float_syntax)
		*ret = val_float(k->f);
	else if (k->is_int)
		*ret = val_int(k->i);
	else if (k->is_uint)
		return run_fail(r, "the constant overflows int");
	return true;
}

static bool eval_command(struct run *r, const struct val *dot, const struct command *cmd,
			 const struct val *final, struct val *ret)
{
	struct args args = { cmd->args, final };
	const struct node *n = cmd->args.items[0];
	if (!run_step(r))
		return false;
	switch (n->kind) {
	case NODE_FIELD:
		return eval_field_node(r, dot, n, &args, ret);
	case NODE_CHAIN:
		return eval_chain(r, dot, n, &args, ret);
	case NODE_FUNC:
		r->pos = n->pos;
		return eval_call(r, &(struct call){ n->func, dot, cmd->pos, &args, NULL },
				 ret);
	case NODE_PIPE:
		return no_args(r, &args) && eval_pipeline(r, dot, n->pipe, ret);
	case NODE_VARIABLE:
		return eval_variable(r, dot, n, &args, ret);
	default:
		break;
	}
	r->pos = n->pos;
	if (!no_args(r, &args))
		return false;
	switch (n->kind) {
	case NODE_BOOL:
		*ret = val_bool(n->truth);
		return true;
	case NODE_DOT:
		*ret = *dot;
		return true;
	case NODE_NUMBER:
		return eval_constant(r, n, ret);
	case NODE_STRING:
		*ret = val_str(n->text.p, n->text.len);
		return true;
	default:
		return run_fail(r, "nil is not a command");
	}
}

bool eval_pipeline(struct run *r, const struct val *dot, const struct pipe *pipe,
		   struct val *ret)
{
	*ret = (struct val){ .kind = VAL_NONE };
	if (!pipe)
		return true;
	r->pos = pipe->pos;
	if (++r->nest > RUN_NEST_MAX)
		return run_fail_kind(r, ERR_LIMIT, "nesting is too deep");
	for (size_t i = 0; i < pipe->n; i++) {
		struct val last = *ret;
		if (!eval_command(r, dot, &pipe->commands[i], i ? &last : NULL, ret))
			return false;
		*ret = val_unwrap(*ret);
	}
	r->nest--;
	for (size_t i = 0; i < pipe->n_decl; i++) {
		if (!pipe->assign)
			run_push(r, pipe->decl[i], *ret);
		else if (!run_set(r, pipe->decl[i], *ret))
			return false;
	}
	return true;
}
