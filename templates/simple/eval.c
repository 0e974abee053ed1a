// SPDX-License-Identifier: Apache-2.0
// The first useful part of the language; the whole engine beside this folder replaces it: remove
// the folder when templates/ defines tmpl_parse() itself.
// Walks the tree over the data. Limits on steps and output.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "templates/simple/func.h"
#include "templates/simple/node.h"

enum { STEPS_MAX = 1000000, VARS_MAX = 256, ARGS_MAX = 64, OUTPUT_MAX = 1 << 20 };

struct var {
	const char *name;
	size_t len;
	json_t *value;
};

struct run {
	const struct tmpl *t;
	const struct tmpl_source *source;
	struct buf *out;
	struct var vars[VARS_MAX];
	size_t n_vars;
	unsigned long steps;
	bool waits;
	struct err *e;
};

static bool fail(struct run *r, const struct node *n, const char *why)
{
	return err_set(r->e, ERR_CONFIG, 0, "%s:%u:%u: %s", r->t->opts.name,
		       n->token->line, n->token->col, why);
}

static bool eval_pipe(struct run *r, const struct node *pipe, json_t *dot, json_t **ret);

static json_t *ref(const json_t *v)
{
	return json_incref((json_t *)(uintptr_t)v);
}

static bool field(struct run *r, const struct node *n, const json_t *base, json_t **ret)
{
	AUTO_FREE char *key = mem_strndup(n->token->p + 1, n->token->len - 1);
	if (!base) {
		if (r->waits) {
			*ret = NULL;
			return true;
		}
		return err_set(r->e, ERR_CONFIG, 0, "%s:%u:%u: nil has no field '%s'",
			       r->t->opts.name, n->token->line, n->token->col, key);
	}
	if (!json_is_object(base))
		return err_set(r->e, ERR_CONFIG, 0, "%s:%u:%u: %s has no field '%s'",
			       r->t->opts.name, n->token->line, n->token->col,
			       json_type_name(base), key);
	json_t *v = json_object_get(base, key);
	if (!v && r->t->opts.missing_key == TMPL_MISSING_ERROR)
		return err_set(r->e, ERR_CONFIG, 0, "%s:%u:%u: there is no key '%s'",
			       r->t->opts.name, n->token->line, n->token->col, key);
	*ret = ref(v);
	return true;
}

static bool variable(struct run *r, const struct node *n, json_t **ret)
{
	for (size_t i = r->n_vars; i > 0; i--)
		if (r->vars[i - 1].len == n->token->len &&
		    memcmp(r->vars[i - 1].name, n->token->p, n->token->len) == 0) {
			*ret = ref(r->vars[i - 1].value);
			return true;
		}
	return fail(r, n, "undefined variable");
}

static bool number(struct run *r, const struct node *n, json_t **ret)
{
	AUTO_FREE char *text = mem_strndup(n->token->p, n->token->len);
	int64_t i;
	double d;
	if (str_int64(text, &i, NULL))
		*ret = json_integer(i);
	else if (str_double(text, &d, NULL))
		*ret = json_real(d);
	else
		return fail(r, n, "bad number syntax");
	return true;
}

static bool call(struct run *r, const struct node *n, json_t **args, size_t n_args,
		 json_t **ret)
{
	const struct func *f = func_find(n->token->p, n->token->len);
	if ((int)n_args < f->min || (f->max >= 0 && (int)n_args > f->max))
		return err_set(r->e, ERR_CONFIG, 0,
			       "%s:%u:%u: wrong number of args for %s: want %d got %zu",
			       r->t->opts.name, n->token->line, n->token->col, f->name,
			       f->min, n_args);
	struct call c = {
		.source = r->source, .args = args, .n = n_args, .waits = &r->waits
	};
	if (f->fn(&c, ret, r->e))
		return true;
	return err_wrap(r->e, "%s:%u:%u: error calling %s", r->t->opts.name,
			n->token->line, n->token->col, f->name);
}

static bool eval_operand(struct run *r, const struct node *n, json_t *dot, json_t **ret)
{
	AUTO_JSON json_t *base = NULL;
	*ret = NULL;
	if (++r->steps > STEPS_MAX)
		return fail(r, n, "more than 1000000 steps");
	switch (n->type) {
	case NODE_DOT:
		*ret = ref(dot);
		return true;
	case NODE_FIELD:
		if (!n->pipe)
			return field(r, n, dot, ret);
		return eval_operand(r, n->pipe, dot, &base) && field(r, n, base, ret);
	case NODE_VAR:
		return variable(r, n, ret);
	case NODE_STRING:
		*ret = json_string(n->token->value);
		return true;
	case NODE_NUMBER:
		return number(r, n, ret);
	case NODE_BOOL:
		*ret = json_boolean(*n->token->p == 't');
		return true;
	case NODE_PIPE:
		return eval_pipe(r, n, dot, ret);
	case NODE_CALL:
		return call(r, n, NULL, 0, ret);
	default:
		return true;
	}
}

// One command; `last` is the value that came through the pipe (has_last).
static bool eval_command(struct run *r, const struct node *c, json_t *dot, bool has_last,
			 json_t *last, json_t **ret)
{
	const struct node *first = c->body;
	json_t *args[ARGS_MAX];
	size_t n = 0;
	bool ok = true;
	if (first->type != NODE_CALL) {
		if (first->next || has_last)
			return fail(r, first, "can't give argument to non-function");
		return eval_operand(r, first, dot, ret);
	}
	for (const struct node *a = first->next; ok && a; a = a->next) {
		ok = n < ARGS_MAX - 1 ? eval_operand(r, a, dot, &args[n])
				      : fail(r, a, "too many arguments");
		n += ok;
	}
	if (ok && has_last)
		args[n++] = ref(last);
	ok = ok && call(r, first, args, n, ret);
	while (n > 0)
		json_decref(args[--n]);
	return ok;
}

static bool bind(struct run *r, const struct node *pipe, const struct token *var,
		 json_t *v)
{
	if (pipe->assign) {
		for (size_t i = r->n_vars; i > 0; i--)
			if (r->vars[i - 1].len == var->len &&
			    memcmp(r->vars[i - 1].name, var->p, var->len) == 0) {
				json_decref(r->vars[i - 1].value);
				r->vars[i - 1].value = ref(v);
				return true;
			}
		return fail(r, pipe, "undefined variable");
	}
	if (r->n_vars == VARS_MAX)
		return fail(r, pipe, "too many variables");
	r->vars[r->n_vars++] =
		(struct var){ .name = var->p, .len = var->len, .value = ref(v) };
	return true;
}

static bool eval_pipe(struct run *r, const struct node *pipe, json_t *dot, json_t **ret)
{
	AUTO_JSON json_t *v = NULL;
	bool has_last = false;
	for (const struct node *c = pipe->body; c; c = c->next) {
		json_t *next = NULL;
		if (!eval_command(r, c, dot, has_last, v, &next))
			return false;
		json_decref(v);
		v = next;
		has_last = true;
	}
	if (pipe->n_vars == 1 && !bind(r, pipe, pipe->vars[0], v))
		return false;
	*ret = TAKE(v);
	return true;
}

static bool walk(struct run *r, const struct node *n, json_t *dot);

static void pop(struct run *r, size_t to)
{
	while (r->n_vars > to)
		json_decref(r->vars[--r->n_vars].value);
}

static bool range_one(struct run *r, const struct node *n, json_t *key, json_t *value)
{
	size_t mark = r->n_vars;
	const struct node *p = n->pipe;
	bool ok = ++r->steps <= STEPS_MAX || fail(r, n, "more than 1000000 steps");
	if (p->n_vars == 1)
		ok = ok && bind(r, p, p->vars[0], value);
	if (p->n_vars == 2)
		ok = ok && bind(r, p, p->vars[0], key) && bind(r, p, p->vars[1], value);
	ok = ok && walk(r, n->body, value);
	pop(r, mark);
	return ok;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool range_object(struct run *r, const struct node *n, json_t *v)
{
	size_t count = json_object_size(v), i = 0;
	AUTO_FREE const char **keys = mem_calloc(count, sizeof(*keys));
	const char *k;
	json_t *item;
	json_object_foreach(v, k, item) keys[i++] = k;
	qsort(keys, count, sizeof(*keys), by_text);
	for (i = 0; i < count; i++) {
		AUTO_JSON json_t *key = json_string(keys[i]);
		if (!range_one(r, n, key, json_object_get(v, keys[i])))
			return false;
	}
	return true;
}

static bool range_node(struct run *r, const struct node *n, json_t *dot, json_t *v)
{
	if (json_is_object(v) && json_object_size(v) > 0)
		return range_object(r, n, v);
	if (json_is_array(v) && json_array_size(v) > 0) {
		size_t i;
		json_t *item;
		json_array_foreach(v, i, item)
		{
			AUTO_JSON json_t *key = json_integer((json_int_t)i);
			if (!range_one(r, n, key, item))
				return false;
		}
		return true;
	}
	return n->other ? walk(r, n->other, dot) : true;
}

static bool branch(struct run *r, const struct node *n, json_t *dot)
{
	size_t mark = r->n_vars;
	AUTO_JSON json_t *v = NULL;
	struct node bare = *n->pipe;
	bool ok;
	if (n->type == NODE_RANGE) {
		bare.n_vars = 0;
		ok = eval_pipe(r, &bare, dot, &v) && range_node(r, n, dot, v);
	} else {
		ok = eval_pipe(r, n->pipe, dot, &v);
		if (ok && value_true(v))
			ok = walk(r, n->body, n->type == NODE_WITH ? v : dot);
		else if (ok)
			ok = walk(r, n->other, dot);
	}
	pop(r, mark);
	return ok;
}

static bool action(struct run *r, const struct node *n, json_t *dot)
{
	AUTO_JSON json_t *v = NULL;
	if (!eval_pipe(r, n->pipe, dot, &v))
		return false;
	return n->pipe->n_vars || value_print(v, true, r->out) ||
	       fail(r, n, "the output is longer than its limit");
}

static bool walk(struct run *r, const struct node *n, json_t *dot)
{
	for (; n; n = n->next) {
		bool ok = n->type == NODE_TEXT
				  ? buf_add(r->out, n->token->p, n->token->len) ||
					    fail(r, n, "the output is too long")
			  : n->type == NODE_ACTION ? action(r, n, dot)
						   : branch(r, n, dot);
		if (!ok)
			return false;
	}
	return true;
}

bool tmpl_run(const struct tmpl *t, const struct tmpl_source *source, const json_t *data,
	      struct buf *out, bool *ret_complete, struct err *e)
{
	struct err inner = ERR_INIT;
	struct run *r = mem_alloc(sizeof(*r));
	AUTO_BUF struct buf to =
		BUF_INIT(t->opts.max_output ? t->opts.max_output : OUTPUT_MAX);
	*r = (struct run){ .t = t, .source = source, .out = &to, .e = &inner };
	json_t *dot = (json_t *)(uintptr_t)data;
	r->vars[r->n_vars++] =
		(struct var){ .name = "$", .len = 1, .value = json_incref(dot) };
	bool ok = walk(r, t->root, dot);
	bool waits = r->waits;
	pop(r, 0);
	mem_free(r);
	*ret_complete = ok && !waits;
	if (waits)
		return true;
	if (!ok) {
		if (e && e->kind == ERR_NONE)
			*e = inner;
		return false;
	}
	return buf_add(out, buf_str(&to), to.len) ||
	       err_set(e, ERR_LIMIT, 0, "%s: the output is too long", t->opts.name);
}

bool tmpl_parse(const char *text, size_t len, const struct tmpl_opts *opts,
		struct tmpl **ret, struct err *e)
{
	struct tmpl *t = mem_alloc(sizeof(*t));
	t->text = mem_strndup(text, len);
	t->opts = *opts;
	t->opts.name = t->name = mem_strdup(opts->name);
	t->opts.left_delim = t->left = mem_strdup(opts->left_delim);
	t->opts.right_delim = t->right = mem_strdup(opts->right_delim);
	if (!lex(t->text, len, &t->opts, &t->tokens, e) || !parse_tree(t, e)) {
		tmpl_free(t);
		return false;
	}
	*ret = t;
	return true;
}

void tmpl_free(struct tmpl *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_nodes; i++)
		mem_free(t->nodes[i]);
	mem_free(t->nodes);
	token_list_release(&t->tokens);
	mem_free(t->text);
	mem_free(t->name);
	mem_free(t->left);
	mem_free(t->right);
	mem_free(t);
}
