// SPDX-License-Identifier: Apache-2.0
// Actions and control structures: walks the tree and writes the output.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "templates/format.h"
#include "templates/run.h"

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_FAILED };

static PRINTF_LIKE(4, 0) bool vfail(struct run *r, enum err_kind kind, const char *prefix,
				    const char *fmt, va_list args)
{
	char text[ERR_TEXT_MAX];
	unsigned line = 0, col = 0;
	vsnprintf(text, sizeof(text), fmt, args);
	tree_position(r->tree, r->pos, &line, &col);
	return err_set(r->e, kind, 0, "%s:%u:%u: %s%s%s", r->name, line, col, prefix,
		       *prefix ? ": " : "", text);
}

bool run_fail(struct run *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vfail(r, ERR_CONFIG, "", fmt, args);
	va_end(args);
	return false;
}

bool run_fail_kind(struct run *r, enum err_kind kind, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vfail(r, kind, "", fmt, args);
	va_end(args);
	return false;
}

bool func_fail(struct run *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vfail(r, ERR_CONFIG, r->func->name, fmt, args);
	va_end(args);
	return false;
}

bool func_fail_kind(struct run *r, enum err_kind kind, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vfail(r, kind, r->func->name, fmt, args);
	va_end(args);
	return false;
}

bool run_step(struct run *r)
{
	return run_steps(r, 1);
}

bool run_steps(struct run *r, unsigned long n)
{
	enum { LOOK_AT_CLOCK = 1024 };
	unsigned long before = r->steps;
	r->steps += n;
	if (r->steps > r->max_steps)
		return run_fail_kind(r, ERR_LIMIT, "more than %lu steps", r->max_steps);
	if (before / LOOK_AT_CLOCK == r->steps / LOOK_AT_CLOCK)
		return true;
	if (clock_mono_ms() > r->deadline_ms)
		return run_fail_kind(r, ERR_LIMIT, "the run takes too long");
	if (arena_over(&r->arena))
		return run_fail_kind(r, ERR_LIMIT, "the run needs too much memory");
	return true;
}

bool run_take(struct run *r, struct buf *b, struct val *ret)
{
	if (buf_failed(b))
		return run_fail_kind(r, ERR_LIMIT, "a value is larger than %zu bytes",
				     r->max_output);
	*ret = val_str(arena_dup(&r->arena, buf_str(b), b->len), b->len);
	return !arena_over(&r->arena) ||
	       run_fail_kind(r, ERR_LIMIT, "the run needs too much memory");
}

static bool output_ok(struct run *r)
{
	if (buf_failed(r->out))
		return run_fail_kind(r, ERR_LIMIT, "the output is larger than %zu bytes",
				     r->max_output);
	return true;
}

static enum flow walk_list(struct run *r, const struct val *dot,
			   const struct node_list *l);

static enum flow walk_if_with(struct run *r, const struct val *dot, const struct node *n)
{
	size_t mark = r->n_vars;
	struct val v;
	enum flow flow = FLOW_ON;
	if (!eval_pipeline(r, dot, n->pipe, &v))
		return FLOW_FAILED;
	if (val_truth(&v))
		flow = walk_list(r, n->kind == NODE_WITH ? &v : dot, n->list);
	else if (n->otherwise)
		flow = walk_list(r, dot, n->otherwise);
	r->n_vars = mark;
	return flow;
}

// Sets the variables of a range and walks its body once.
static enum flow iterate(struct run *r, const struct node *n, struct val index,
			 const struct val *item)
{
	const struct pipe *p = n->pipe;
	size_t mark = r->n_vars;
	if (!run_step(r))
		return FLOW_FAILED;
	if (p->n_decl && p->assign) {
		if (p->n_decl > 1 && !run_set(r, p->decl[0], index))
			return FLOW_FAILED;
		if (!run_set(r, p->decl[p->n_decl - 1], *item))
			return FLOW_FAILED;
	} else if (p->n_decl) {
		r->vars[r->n_vars - 1].value = *item;
		if (p->n_decl > 1)
			r->vars[r->n_vars - 2].value = index;
	}
	enum flow flow = walk_list(r, item, n->list);
	r->n_vars = mark;
	return flow == FLOW_CONTINUE ? FLOW_ON : flow;
}

static enum flow range_ints(struct run *r, const struct node *n, const struct val *v,
			    size_t *ret_runs)
{
	if (n->pipe->n_decl > 1) {
		run_fail(r, "an integer cannot fill more than one variable");
		return FLOW_FAILED;
	}
	bool huge = val_is_unsigned(v) && v->i < 0;
	for (int64_t i = 0; huge || i < v->i; i++, (*ret_runs)++) {
		struct val item = *v;
		item.i = i;
		enum flow flow = iterate(r, n, (struct val){ .kind = VAL_NONE }, &item);
		if (flow != FLOW_ON) {
			(*ret_runs)++;
			return flow;
		}
	}
	return FLOW_ON;
}

static enum flow range_over(struct run *r, const struct node *n, struct val *v,
			    size_t *ret_runs)
{
	enum flow flow = FLOW_ON;
	switch ((enum val_kind)v->kind) {
	case VAL_INT:
		return range_ints(r, n, v, ret_runs);
	case VAL_LIST:
		for (; *ret_runs < list_len(v->list) && flow == FLOW_ON; (*ret_runs)++) {
			struct val item = list_at(&r->arena, v->list, *ret_runs);
			flow = iterate(r, n, val_int((int64_t)*ret_runs), &item);
		}
		return flow;
	case VAL_MAP: {
		const struct entry *entries = map_entries(&r->arena, v->map);
		size_t len = map_len(v->map);
		for (; *ret_runs < len && flow == FLOW_ON; (*ret_runs)++) {
			struct entry e = entries[*ret_runs];
			flow = iterate(r, n, e.key, &e.value);
		}
		return flow;
	}
	case VAL_CHAN:
		for (; v->chan->next < v->chan->end && flow == FLOW_ON; (*ret_runs)++) {
			struct val item = val_int64(v->chan->next++);
			flow = iterate(r, n, val_int((int64_t)*ret_runs), &item);
		}
		return flow;
	case VAL_NONE:
		return FLOW_ON;
	default:
		if (val_is_nil(v) && r->wanted)
			return FLOW_ON;
		run_fail(r, "range can't iterate over a value of type %s", val_type(v));
		return FLOW_FAILED;
	}
}

static enum flow walk_range(struct run *r, const struct val *dot, const struct node *n)
{
	size_t mark = r->n_vars, runs = 0;
	struct val v;
	r->pos = n->pos;
	if (!eval_pipeline(r, dot, n->pipe, &v))
		return FLOW_FAILED;
	enum flow flow = range_over(r, n, &v, &runs);
	if (flow == FLOW_BREAK)
		flow = FLOW_ON;
	else if (flow == FLOW_ON && runs == 0 && n->otherwise)
		flow = walk_list(r, dot, n->otherwise);
	r->n_vars = mark;
	return flow;
}

bool run_template(struct run *r, const struct definition *def, struct val dot)
{
	unsigned max = r->opts->max_depth ? r->opts->max_depth : 64;
	if (r->depth >= max)
		return run_fail_kind(r, ERR_LIMIT,
				     "templates call each other more than %u deep", max);
	size_t first = r->first_var, n = r->n_vars;
	r->depth++;
	r->first_var = n;
	run_push(r, str_of("$"), dot);
	enum flow flow = def->root ? walk_list(r, &dot, def->root) : FLOW_ON;
	r->depth--;
	r->first_var = first;
	r->n_vars = n;
	return flow != FLOW_FAILED;
}

static bool no_template(struct run *r, struct str name)
{
	const struct tree *t = r->tree;
	const char **names = arena_calloc(&r->arena, t->n_defs, sizeof(*names));
	for (size_t i = 0; i < t->n_defs; i++)
		names[i] = arena_dup(&r->arena, t->defs[i].name.p, t->defs[i].name.len);
	const char *near =
		str_nearest(arena_dup(&r->arena, name.p, name.len), names, t->n_defs);
	return run_fail(r, "template \"%.*s\" not defined%s%s%s", (int)name.len, name.p,
			near ? "; did you mean \"" : "", near ? near : "",
			near ? "\"?" : "");
}

static enum flow walk_template(struct run *r, const struct val *dot, const struct node *n)
{
	struct val v;
	r->pos = n->pos;
	const struct definition *def = tree_find(r->tree, n->name);
	if (!def) {
		no_template(r, n->name);
		return FLOW_FAILED;
	}
	if (!eval_pipeline(r, dot, n->pipe, &v) || !run_template(r, def, v))
		return FLOW_FAILED;
	return FLOW_ON;
}

static enum flow walk_action(struct run *r, const struct val *dot, const struct node *n)
{
	struct val v;
	r->pos = n->pos;
	if (!eval_pipeline(r, dot, n->pipe, &v))
		return FLOW_FAILED;
	if (n->pipe->n_decl)
		return FLOW_ON;
	r->pos = n->pos;
	if (v.kind == VAL_CHAN) {
		run_fail(r, "can't print a value of type %s", val_type(&v));
		return FLOW_FAILED;
	}
	format_action(r->out, &r->arena, &v);
	return output_ok(r) ? FLOW_ON : FLOW_FAILED;
}

static enum flow walk_node(struct run *r, const struct val *dot, const struct node *n)
{
	r->pos = n->pos;
	switch (n->kind) {
	case NODE_TEXT:
		buf_add(r->out, n->text.p, n->text.len);
		return output_ok(r) ? FLOW_ON : FLOW_FAILED;
	case NODE_ACTION:
		return walk_action(r, dot, n);
	case NODE_IF:
	case NODE_WITH:
		return walk_if_with(r, dot, n);
	case NODE_RANGE:
		return walk_range(r, dot, n);
	case NODE_TEMPLATE:
		return walk_template(r, dot, n);
	case NODE_BREAK:
		return FLOW_BREAK;
	default:
		return FLOW_CONTINUE;
	}
}

static enum flow walk_list(struct run *r, const struct val *dot,
			   const struct node_list *l)
{
	if (++r->nest > RUN_NEST_MAX) {
		run_fail_kind(r, ERR_LIMIT, "nesting is too deep");
		return FLOW_FAILED;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (!run_step(r))
			return FLOW_FAILED;
		enum flow flow = walk_node(r, dot, l->items[i]);
		if (flow != FLOW_ON) {
			r->nest -= flow != FLOW_FAILED;
			return flow;
		}
	}
	r->nest--;
	return FLOW_ON;
}
