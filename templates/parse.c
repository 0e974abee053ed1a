// SPDX-License-Identifier: Apache-2.0
// The parser of actions and control structures. Pipelines and operands are in
// parse_pipe.c.
#include "templates/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "templates/parse_int.h"

enum { DEFS_MAX = 10000 }; // a name is looked for one by one

const struct definition *tree_find(const struct tree *t, struct str name)
{
	for (size_t i = 0; i < t->n_defs; i++)
		if (t->defs[i].name.len == name.len &&
		    memcmp(t->defs[i].name.p, name.p, name.len) == 0)
			return &t->defs[i];
	return NULL;
}

void tree_position(const struct tree *t, size_t pos, unsigned *ret_line,
		   unsigned *ret_col)
{
	size_t start = 0;
	*ret_line = 1;
	for (size_t i = 0; i < pos && i < t->len; i++)
		if (t->text[i] == '\n') {
			(*ret_line)++;
			start = i + 1;
		}
	*ret_col = (unsigned)(pos - start);
}

bool parse_fail(struct parse *p, size_t pos, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	unsigned line = 0, col = 0;
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tree_position(p->tree, pos, &line, &col);
	return err_set(p->e, ERR_CONFIG, 0, "%s:%u:%u: %s", p->name, line, col, text);
}

bool parse_too_deep(struct parse *p, size_t pos)
{
	return parse_fail(p, pos, "more than %d levels of nesting", PARSE_DEPTH_MAX);
}

bool parse_unexpected(struct parse *p, const struct token *t, const char *where)
{
	enum { SHOWN = 24 };
	if (t->kind == TOKEN_ERROR)
		return parse_fail(p, t->pos, "%s", t->text.p);
	if (t->kind == TOKEN_EOF)
		return parse_fail(p, t->pos, "unexpected end of the template in %s",
				  where);
	return parse_fail(p, t->pos, "unexpected \"%.*s\"%s in %s",
			  t->text.len > SHOWN ? SHOWN : (int)t->text.len, t->text.p,
			  t->text.len > SHOWN ? "..." : "", where);
}

const struct token *parse_peek(struct parse *p, size_t i)
{
	while (p->n_ahead <= i)
		p->ahead[p->n_ahead++] = lex_next(&p->lex);
	return &p->ahead[i];
}

struct token parse_next(struct parse *p)
{
	struct token t = *parse_peek(p, 0);
	p->n_ahead--;
	memmove(p->ahead, p->ahead + 1, p->n_ahead * sizeof(*p->ahead));
	return t;
}

void parse_drop(struct parse *p, size_t n)
{
	while (n--)
		(void)parse_next(p);
}

const struct token *parse_peek_solid(struct parse *p)
{
	while (parse_peek(p, 0)->kind == TOKEN_SPACE)
		(void)parse_next(p);
	return parse_peek(p, 0);
}

struct token parse_next_solid(struct parse *p)
{
	(void)parse_peek_solid(p);
	return parse_next(p);
}

struct node *parse_node(struct parse *p, enum node_kind kind, size_t pos)
{
	struct node *n = arena_alloc(&p->tree->arena, sizeof(*n));
	n->kind = (uint8_t)kind;
	n->pos = (uint32_t)pos;
	return n;
}

void parse_append(struct parse *p, struct node_list *l, struct node *n)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4;
		l->items = arena_grow(&p->tree->arena, l->items, l->n, l->cap,
				      sizeof(struct node *));
	}
	l->items[l->n++] = n;
}

static bool expect(struct parse *p, enum token_kind kind, const char *where)
{
	struct token t = parse_next_solid(p);
	return t.kind == kind || parse_unexpected(p, &t, where);
}

static bool item_list(struct parse *p, struct node_list **ret, struct node **ret_end);

// A name in quotes behind define, block or template.
static bool template_name(struct parse *p, const struct token *t, const char *where,
			  struct str *ret)
{
	if (t->kind != TOKEN_STRING && t->kind != TOKEN_RAW)
		return parse_unexpected(p, t, where);
	AUTO_BUF struct buf text = BUF_INIT(t->text.len * UTF8_MAX + 1);
	if (!literal_string(t->text, &text))
		return parse_fail(p, t->pos, "invalid string");
	*ret = (struct str){ arena_dup(&p->tree->arena, buf_str(&text), text.len),
			     text.len };
	return true;
}

static bool is_empty(const struct node_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->items[i]->kind != NODE_TEXT)
			return false;
		struct str text = l->items[i]->text;
		for (size_t k = 0; k < text.len; k++)
			if (!strchr(" \t\r\n\v\f", text.p[k]) || !text.p[k])
				return false;
	}
	return true;
}

// A later definition may replace an empty one only.
static bool define(struct parse *p, struct str name, struct node_list *root, size_t pos)
{
	struct tree *t = p->tree;
	struct definition *old = (struct definition *)(uintptr_t)tree_find(t, name);
	if (old && old->root) {
		if (is_empty(old->root))
			old->root = root;
		else if (!is_empty(root))
			return parse_fail(p, pos, "template \"%.*s\" is defined twice",
					  (int)name.len, name.p);
		return true;
	}
	if (old) {
		old->root = root;
		return true;
	}
	if (t->n_defs == DEFS_MAX)
		return parse_fail(p, pos, "more than %d templates are defined", DEFS_MAX);
	if (t->n_defs == t->cap_defs) {
		t->cap_defs = t->cap_defs ? t->cap_defs * 2 : 4;
		t->defs = arena_grow(&t->arena, t->defs, t->n_defs, t->cap_defs,
				     sizeof(*t->defs));
	}
	t->defs[t->n_defs++] = (struct definition){ name, root };
	return true;
}

// The body of a define or block: variables and `range` of the outside are not seen.
static bool body(struct parse *p, struct str name, const char *where)
{
	size_t n = p->n_vars, first = p->first_var;
	unsigned ranges = p->ranges;
	struct node_list *list = NULL;
	struct node *end = NULL;
	if (++p->depth > PARSE_DEPTH_MAX)
		return parse_too_deep(p, parse_peek(p, 0)->pos);
	p->first_var = p->n_vars;
	p->ranges = 0;
	bool ok = item_list(p, &list, &end);
	p->depth--;
	p->n_vars = n;
	p->first_var = first;
	p->ranges = ranges;
	if (!ok)
		return false;
	if (end->kind != NODE_END)
		return parse_fail(p, end->pos, "unexpected {{else}} in %s", where);
	return define(p, name, list, end->pos);
}

static bool definition(struct parse *p)
{
	static const char where[] = "define clause";
	struct token t = parse_next_solid(p);
	struct str name = { NULL, 0 };
	return template_name(p, &t, where, &name) && expect(p, TOKEN_RIGHT, where) &&
	       body(p, name, where);
}

static bool block(struct parse *p, struct node **ret)
{
	static const char where[] = "block clause";
	struct token t = parse_next_solid(p);
	struct node *n = parse_node(p, NODE_TEMPLATE, t.pos);
	if (!template_name(p, &t, where, &n->name) ||
	    !parse_pipeline(p, where, TOKEN_RIGHT, &n->pipe) || !body(p, n->name, where))
		return false;
	*ret = n;
	return true;
}

static bool call_template(struct parse *p, struct node **ret)
{
	static const char where[] = "template clause";
	struct token t = parse_next_solid(p);
	struct node *n = parse_node(p, NODE_TEMPLATE, t.pos);
	if (!template_name(p, &t, where, &n->name))
		return false;
	*ret = n;
	if (parse_peek_solid(p)->kind == TOKEN_RIGHT) {
		(void)parse_next(p);
		return true;
	}
	return parse_pipeline(p, where, TOKEN_RIGHT, &n->pipe);
}

static bool control(struct parse *p, enum node_kind kind, const char *word,
		    struct node **ret);

static bool otherwise(struct parse *p, enum node_kind kind, const char *word,
		      struct node *n)
{
	enum token_kind again = kind == NODE_IF ? TOKEN_IF : TOKEN_WITH;
	struct node *end = NULL;
	// "else if" stands for an else with an if inside that shares its end.
	if (kind != NODE_RANGE && parse_peek(p, 0)->kind == again) {
		(void)parse_next(p);
		struct node *inner = NULL;
		if (!control(p, kind, word, &inner))
			return false;
		n->otherwise = arena_alloc(&p->tree->arena, sizeof(*n->otherwise));
		parse_append(p, n->otherwise, inner);
		return true;
	}
	if (!item_list(p, &n->otherwise, &end))
		return false;
	return end->kind == NODE_END ||
	       parse_fail(p, end->pos, "expected end; found {{else}}");
}

// if, with, range: the word is past.
static bool control(struct parse *p, enum node_kind kind, const char *word,
		    struct node **ret)
{
	size_t mark = p->n_vars;
	struct node *n = parse_node(p, kind, parse_peek_solid(p)->pos);
	struct node *end = NULL;
	if (++p->depth > PARSE_DEPTH_MAX)
		return parse_too_deep(p, n->pos);
	if (!parse_pipeline(p, word, TOKEN_RIGHT, &n->pipe))
		return false;
	p->ranges += kind == NODE_RANGE;
	bool ok = item_list(p, &n->list, &end);
	p->ranges -= kind == NODE_RANGE;
	if (!ok || (end->kind == NODE_ELSE && !otherwise(p, kind, word, n)))
		return false;
	p->depth--;
	p->n_vars = mark;
	*ret = n;
	return true;
}

static bool jump(struct parse *p, enum node_kind kind, const char *word, size_t pos,
		 struct node **ret)
{
	if (!expect(p, TOKEN_RIGHT, word))
		return false;
	if (!p->ranges)
		return parse_fail(p, pos, "%s outside of range", word);
	*ret = parse_node(p, kind, pos);
	return true;
}

static bool end_or_else(struct parse *p, const struct token *word, struct node **ret)
{
	bool is_else = word->kind == TOKEN_ELSE;
	*ret = parse_node(p, is_else ? NODE_ELSE : NODE_END, word->pos);
	enum token_kind next = parse_peek_solid(p)->kind;
	// "else if" and "else with" stay for the control that waits for the else.
	if (is_else && (next == TOKEN_IF || next == TOKEN_WITH))
		return true;
	return expect(p, TOKEN_RIGHT, is_else ? "else" : "end");
}

// The left delimiter is past.
static bool action(struct parse *p, struct node **ret)
{
	struct token t = *parse_peek_solid(p);
	if (t.kind >= TOKEN_BLOCK && t.kind != TOKEN_NIL && t.kind != TOKEN_DEFINE)
		(void)parse_next(p);
	switch (t.kind) {
	case TOKEN_BLOCK:
		return block(p, ret);
	case TOKEN_BREAK:
		return jump(p, NODE_BREAK, "{{break}}", t.pos, ret);
	case TOKEN_CONTINUE:
		return jump(p, NODE_CONTINUE, "{{continue}}", t.pos, ret);
	case TOKEN_ELSE:
	case TOKEN_END:
		return end_or_else(p, &t, ret);
	case TOKEN_IF:
		return control(p, NODE_IF, "if", ret);
	case TOKEN_RANGE:
		return control(p, NODE_RANGE, "range", ret);
	case TOKEN_TEMPLATE:
		return call_template(p, ret);
	case TOKEN_WITH:
		return control(p, NODE_WITH, "with", ret);
	default:
		*ret = parse_node(p, NODE_ACTION, t.pos);
		return parse_pipeline(p, "command", TOKEN_RIGHT, &(*ret)->pipe);
	}
}

static bool text_or_action(struct parse *p, struct node **ret)
{
	struct token t = parse_next_solid(p);
	if (t.kind == TOKEN_TEXT) {
		*ret = parse_node(p, NODE_TEXT, t.pos);
		(*ret)->text = t.text;
		return true;
	}
	return t.kind == TOKEN_LEFT ? action(p, ret) : parse_unexpected(p, &t, "input");
}

// Up to {{end}} or {{else}}, which is returned apart.
static bool item_list(struct parse *p, struct node_list **ret, struct node **ret_end)
{
	struct node_list *list = arena_alloc(&p->tree->arena, sizeof(*list));
	*ret = list;
	while (parse_peek_solid(p)->kind != TOKEN_EOF) {
		struct node *n = NULL;
		if (!text_or_action(p, &n))
			return false;
		if (n->kind == NODE_END || n->kind == NODE_ELSE) {
			*ret_end = n;
			return true;
		}
		parse_append(p, list, n);
	}
	return parse_fail(p, parse_peek(p, 0)->pos,
			  "unexpected end of the template: {{end}} is missing");
}

static bool top(struct parse *p)
{
	struct node_list *root = arena_alloc(&p->tree->arena, sizeof(*root));
	p->tree->defs = arena_calloc(&p->tree->arena, 4, sizeof(*p->tree->defs));
	p->tree->cap_defs = 4;
	p->tree->defs[p->tree->n_defs++].name = str_of("");
	for (;;) {
		const struct token *t = parse_peek(p, 0);
		if (t->kind == TOKEN_EOF)
			return define(p, str_of(""), root, t->pos);
		if (t->kind == TOKEN_LEFT) {
			size_t i = 1;
			while (parse_peek(p, i)->kind == TOKEN_SPACE)
				i++;
			if (parse_peek(p, i)->kind == TOKEN_DEFINE) {
				parse_drop(p, i + 1);
				if (!definition(p))
					return false;
				continue;
			}
		}
		struct node *n = NULL;
		if (!text_or_action(p, &n))
			return false;
		if (n->kind == NODE_END || n->kind == NODE_ELSE)
			return parse_fail(p, n->pos, "unexpected {{%s}}",
					  n->kind == NODE_END ? "end" : "else");
		parse_append(p, root, n);
	}
}

bool tree_parse(const char *text, size_t len, const struct parse_opts *opts,
		struct tree *ret, struct err *e)
{
	*ret = (struct tree){ .arena = ARENA_INIT(SIZE_MAX), .len = len };
	if (len > TEXT_MAX)
		return err_set(e, ERR_LIMIT, 0,
			       "%s:1:0: the template is larger than %d bytes", opts->name,
			       TEXT_MAX);
	ret->text = arena_dup(&ret->arena, text, len);
	struct parse p = { .tree = ret, .name = opts->name, .e = e };
	lex_init(&p.lex, ret->text, len, opts->left_delim, opts->right_delim);
	parse_declare(&p, str_of("$"));
	return top(&p);
}

void tree_release(struct tree *t)
{
	arena_release(&t->arena);
}
