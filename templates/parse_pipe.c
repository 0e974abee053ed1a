// SPDX-License-Identifier: Apache-2.0
// Pipelines, commands and operands.
#include <string.h>

#include "templates/func.h"
#include "templates/parse.h"
#include "templates/parse_int.h"

void parse_declare(struct parse *p, struct str name)
{
	if (p->n_vars == p->cap_vars) {
		p->cap_vars = p->cap_vars ? p->cap_vars * 2 : 8;
		p->vars = arena_grow(&p->tree->arena, p->vars, p->n_vars, p->cap_vars,
				     sizeof(*p->vars));
	}
	p->vars[p->n_vars++] = name;
}

static bool same(struct str a, struct str b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static bool variable(struct parse *p, const struct token *t, struct node **ret)
{
	bool known = same(t->text, str_of("$"));
	for (size_t i = p->first_var; i < p->n_vars; i++)
		known |= same(p->vars[i], t->text);
	if (!known)
		return parse_fail(p, t->pos, "undefined variable \"%.*s\"",
				  (int)t->text.len, t->text.p);
	*ret = parse_node(p, NODE_VARIABLE, t->pos);
	(*ret)->names = arena_alloc(&p->tree->arena, sizeof(struct str));
	(*ret)->names[0] = t->text;
	(*ret)->n_names = 1;
	return true;
}

static bool function(struct parse *p, const struct token *t, struct node **ret)
{
	*ret = parse_node(p, NODE_FUNC, t->pos);
	(*ret)->func_name = t->text;
	(*ret)->func = func_find(t->text);
	if ((*ret)->func)
		return true;
	const char *near = func_nearest(t->text);
	return parse_fail(p, t->pos, "function \"%.*s\" is not defined%s%s%s",
			  (int)t->text.len, t->text.p, near ? "; did you mean \"" : "",
			  near ? near : "", near ? "\"?" : "");
}

static bool number(struct parse *p, const struct token *t, struct node **ret)
{
	struct number n = { .is_int = false };
	const char *why = "malformed character constant";
	bool ok = t->kind == TOKEN_RUNE      ? literal_rune(t->text, &n)
		  : t->kind == TOKEN_COMPLEX ? literal_complex(t->text, &n)
					     : literal_number(t->text, &n, &why);
	if (!ok)
		return parse_fail(p, t->pos, "%s: %.*s", why,
				  t->text.len > 40 ? 40 : (int)t->text.len, t->text.p);
	*ret = parse_node(p, NODE_NUMBER, t->pos);
	(*ret)->number = arena_alloc(&p->tree->arena, sizeof(n));
	*(*ret)->number = n;
	return true;
}

static bool string(struct parse *p, const struct token *t, struct node **ret)
{
	AUTO_BUF struct buf text = BUF_INIT(t->text.len * UTF8_MAX + 1);
	if (!literal_string(t->text, &text))
		return parse_fail(p, t->pos, "invalid string");
	*ret = parse_node(p, NODE_STRING, t->pos);
	(*ret)->text = (struct str){ arena_dup(&p->tree->arena, buf_str(&text), text.len),
				     text.len };
	return true;
}

static bool parenthesized(struct parse *p, struct node **ret)
{
	size_t pos = parse_peek_solid(p)->pos;
	if (++p->depth > PARSE_DEPTH_MAX)
		return parse_too_deep(p, pos);
	*ret = parse_node(p, NODE_PIPE, pos);
	if (!parse_pipeline(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN,
			    &(*ret)->pipe))
		return false;
	p->depth--;
	return true;
}

// *ret stays NULL when the next token begins no operand; it is not eaten then.
static bool term(struct parse *p, struct node **ret)
{
	struct token t = *parse_peek_solid(p);
	*ret = NULL;
	switch (t.kind) {
	case TOKEN_NAME:
	case TOKEN_DOT:
	case TOKEN_NIL:
	case TOKEN_VARIABLE:
	case TOKEN_FIELD:
	case TOKEN_BOOL:
	case TOKEN_RUNE:
	case TOKEN_COMPLEX:
	case TOKEN_NUMBER:
	case TOKEN_LEFT_PAREN:
	case TOKEN_STRING:
	case TOKEN_RAW:
		(void)parse_next(p);
		break;
	default:
		return true;
	}
	switch (t.kind) {
	case TOKEN_NAME:
		return function(p, &t, ret);
	case TOKEN_VARIABLE:
		return variable(p, &t, ret);
	case TOKEN_RUNE:
	case TOKEN_COMPLEX:
	case TOKEN_NUMBER:
		return number(p, &t, ret);
	case TOKEN_LEFT_PAREN:
		return parenthesized(p, ret);
	case TOKEN_STRING:
	case TOKEN_RAW:
		return string(p, &t, ret);
	case TOKEN_BOOL:
		*ret = parse_node(p, NODE_BOOL, t.pos);
		(*ret)->truth = t.text.p[0] == 't';
		return true;
	case TOKEN_FIELD:
		*ret = parse_node(p, NODE_FIELD, t.pos);
		(*ret)->names = arena_alloc(&p->tree->arena, sizeof(struct str));
		(*ret)->names[0] = (struct str){ t.text.p + 1, t.text.len - 1 };
		(*ret)->n_names = 1;
		return true;
	default:
		*ret = parse_node(p, t.kind == TOKEN_DOT ? NODE_DOT : NODE_NIL, t.pos);
		return true;
	}
}

static void add_name(struct parse *p, struct node *n, struct str name)
{
	n->names = arena_grow(&p->tree->arena, n->names, n->n_names, n->n_names + 1,
			      sizeof(*n->names));
	n->names[n->n_names++] = name;
}

// A term and the fields behind it. A longer .a.b.c has the position of its second field:
// so does Go's, and errors name it.
static bool operand(struct parse *p, struct node **ret)
{
	if (!term(p, ret))
		return false;
	if (!*ret || parse_peek(p, 0)->kind != TOKEN_FIELD)
		return true;
	struct node *n = *ret;
	size_t pos = parse_peek(p, 0)->pos;
	switch (n->kind) {
	case NODE_FIELD:
	case NODE_VARIABLE:
		n->pos = (uint32_t)pos;
		break;
	case NODE_BOOL:
	case NODE_STRING:
	case NODE_NUMBER:
	case NODE_NIL:
	case NODE_DOT:
		return parse_fail(p, pos, "unexpected . after term");
	default:
		*ret = parse_node(p, NODE_CHAIN, pos);
		(*ret)->of = n;
		n = *ret;
		break;
	}
	while (parse_peek(p, 0)->kind == TOKEN_FIELD) {
		struct str field = parse_next(p).text;
		add_name(p, n, (struct str){ field.p + 1, field.len - 1 });
	}
	return true;
}

static bool command(struct parse *p, struct command *ret)
{
	ret->pos = (uint32_t)parse_peek_solid(p)->pos;
	for (;;) {
		struct node *n = NULL;
		if (!operand(p, &n))
			return false;
		if (n)
			parse_append(p, &ret->args, n);
		struct token t = *parse_peek(p, 0);
		if (t.kind == TOKEN_RIGHT || t.kind == TOKEN_RIGHT_PAREN)
			break;
		(void)parse_next(p);
		if (t.kind == TOKEN_PIPE)
			break;
		if (t.kind != TOKEN_SPACE)
			return parse_unexpected(p, &t, "operand");
	}
	return ret->args.n > 0 || parse_fail(p, ret->pos, "empty command");
}

enum { DECL_MAX = 2 };

// "$x :=", "$x =", and in range "$i, $x :=" at the start of a pipeline.
static bool declarations(struct parse *p, const char *where, struct pipe *pipe)
{
	bool range = strcmp(where, "range") == 0;
	for (;;) {
		if (parse_peek_solid(p)->kind != TOKEN_VARIABLE)
			return true;
		size_t i = parse_peek(p, 1)->kind == TOKEN_SPACE ? 2 : 1;
		struct token v = *parse_peek(p, 0), after = *parse_peek(p, i);
		bool comma = after.kind == TOKEN_CHAR && str_eq(after.text, ",");
		if (after.kind != TOKEN_ASSIGN && after.kind != TOKEN_DECLARE && !comma)
			return true;
		parse_drop(p, i + 1);
		pipe->assign = after.kind == TOKEN_ASSIGN;
		if (!pipe->decl)
			pipe->decl = arena_calloc(&p->tree->arena, DECL_MAX,
						  sizeof(*pipe->decl));
		if (pipe->n_decl < DECL_MAX)
			pipe->decl[pipe->n_decl++] = v.text;
		parse_declare(p, v.text);
		if (!comma)
			return true;
		if (!range || pipe->n_decl >= DECL_MAX)
			return parse_fail(p, after.pos, "too many declarations in %s",
					  where);
		struct token next = *parse_peek_solid(p);
		if (next.kind != TOKEN_VARIABLE && next.kind != TOKEN_RIGHT &&
		    next.kind != TOKEN_RIGHT_PAREN)
			return parse_fail(p, next.pos,
					  "range can only declare variables");
	}
}

static bool check(struct parse *p, const struct pipe *pipe, const char *where, size_t end)
{
	if (!pipe->n)
		return parse_fail(p, end, "missing value for %s", where);
	for (size_t i = 1; i < pipe->n; i++) {
		switch (pipe->commands[i].args.items[0]->kind) {
		case NODE_BOOL:
		case NODE_DOT:
		case NODE_NIL:
		case NODE_NUMBER:
		case NODE_STRING:
			return parse_fail(p, pipe->commands[i].pos,
					  "stage %zu of the pipeline cannot be called",
					  i + 1);
		default:
			break;
		}
	}
	return true;
}

bool parse_pipeline(struct parse *p, const char *where, enum token_kind end,
		    struct pipe **ret)
{
	struct pipe *pipe = arena_alloc(&p->tree->arena, sizeof(*pipe));
	pipe->pos = (uint32_t)parse_peek_solid(p)->pos;
	*ret = pipe;
	if (!declarations(p, where, pipe))
		return false;
	for (;;) {
		struct token t = *parse_peek_solid(p);
		if (t.kind == end) {
			(void)parse_next(p);
			return check(p, pipe, where, t.pos);
		}
		bool operand_follows = t.kind == TOKEN_BOOL || t.kind == TOKEN_RUNE ||
				       t.kind == TOKEN_COMPLEX || t.kind == TOKEN_DOT ||
				       t.kind == TOKEN_FIELD || t.kind == TOKEN_NAME ||
				       t.kind == TOKEN_NUMBER || t.kind == TOKEN_NIL ||
				       t.kind == TOKEN_RAW || t.kind == TOKEN_STRING ||
				       t.kind == TOKEN_VARIABLE ||
				       t.kind == TOKEN_LEFT_PAREN;
		if (!operand_follows)
			return parse_unexpected(p, &t, where);
		if (pipe->n == pipe->cap) {
			pipe->cap = pipe->cap ? pipe->cap * 2 : 1;
			pipe->commands =
				arena_grow(&p->tree->arena, pipe->commands, pipe->n,
					   pipe->cap, sizeof(*pipe->commands));
		}
		if (!command(p, &pipe->commands[pipe->n++]))
			return false;
	}
}
