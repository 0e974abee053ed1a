// SPDX-License-Identifier: Apache-2.0
// Recursive descent over the tokens.
#include <string.h>

#include "lib/base/mem.h"
#include "templates/simple/func.h"
#include "templates/simple/node.h"

enum { DEPTH_MAX = 64 };

struct parser {
	struct tmpl *t;
	const struct token *at;
	unsigned depth;
	struct err *e;
};

static bool fail(struct parser *p, const struct token *at, const char *why)
{
	return err_set(p->e, ERR_CONFIG, 0, "%s:%u:%u: %s", p->t->opts.name, at->line,
		       at->col, why);
}

static struct node *make(struct parser *p, enum node_type type)
{
	struct tmpl *t = p->t;
	struct node *n = mem_alloc(sizeof(*n));
	t->nodes = mem_realloc(t->nodes, (t->n_nodes + 1) * sizeof(struct node *));
	t->nodes[t->n_nodes++] = n;
	n->type = type;
	n->token = p->at;
	return n;
}

static bool is_word(const struct token *t, const char *word)
{
	return t->type == TOK_WORD && t->len == strlen(word) &&
	       memcmp(t->p, word, t->len) == 0;
}

static bool pipeline(struct parser *p, struct node **ret);

static bool fields(struct parser *p, struct node **n)
{
	while (p->at->type == TOK_FIELD && !p->at->space) {
		struct node *f = make(p, NODE_FIELD);
		f->pipe = *n;
		*n = f;
		p->at++;
	}
	return true;
}

static bool operand(struct parser *p, struct node **ret)
{
	static const enum node_type simple[] = { [TOK_FIELD] = NODE_FIELD,
						 [TOK_VAR] = NODE_VAR,
						 [TOK_DOT] = NODE_DOT,
						 [TOK_STRING] = NODE_STRING,
						 [TOK_NUMBER] = NODE_NUMBER };
	const struct token *t = p->at;
	if (t->type == TOK_OPEN) {
		p->at++;
		if (!pipeline(p, ret))
			return false;
		if (p->at->type != TOK_CLOSE)
			return fail(p, p->at, "unclosed left paren");
		p->at++;
		return fields(p, ret);
	}
	if (t->type == TOK_WORD) {
		bool boolean = is_word(t, "true") || is_word(t, "false");
		if (!boolean && !is_word(t, "nil") && !func_find(t->p, t->len)) {
			const char *near = func_nearest(t->p, t->len);
			return err_set(p->e, ERR_CONFIG, 0,
				       "%s:%u:%u: function \"%.*s\" not defined%s%s%s",
				       p->t->opts.name, t->line, t->col, (int)t->len,
				       t->p, near ? " (did you mean '" : "",
				       near ? near : "", near ? "'?)" : "");
		}
		*ret = make(p, boolean             ? NODE_BOOL
			       : is_word(t, "nil") ? NODE_NIL
						   : NODE_CALL);
	} else if (t->type >= TOK_FIELD && t->type <= TOK_NUMBER) {
		*ret = make(p, simple[t->type]);
	} else {
		return fail(p, t, "a value is expected here");
	}
	p->at++;
	return fields(p, ret);
}

static bool starts_operand(const struct token *t)
{
	return t->type == TOK_OPEN || (t->type >= TOK_WORD && t->type <= TOK_NUMBER);
}

static bool command(struct parser *p, struct node **ret)
{
	struct node *c = make(p, NODE_COMMAND), **tail = &c->body;
	if (!starts_operand(p->at))
		return fail(p, p->at, "missing value for command");
	while (starts_operand(p->at)) {
		if (!operand(p, tail))
			return false;
		tail = &(*tail)->next;
	}
	*ret = c;
	return true;
}

static void declaration(struct parser *p, struct node *pipe)
{
	const struct token *t = p->at;
	if (t->type != TOK_VAR)
		return;
	bool two = t[1].type == TOK_COMMA && t[2].type == TOK_VAR;
	const struct token *op = t + (two ? 3 : 1);
	if (op->type != TOK_DECLARE && op->type != TOK_ASSIGN)
		return;
	pipe->vars[0] = t;
	pipe->vars[1] = two ? t + 2 : NULL;
	pipe->n_vars = two ? 2 : 1;
	pipe->assign = op->type == TOK_ASSIGN;
	p->at = op + 1;
}

static bool pipeline(struct parser *p, struct node **ret)
{
	struct node *pipe = make(p, NODE_PIPE), **tail = &pipe->body;
	if (++p->depth > DEPTH_MAX)
		return fail(p, p->at, "nested too deep");
	declaration(p, pipe);
	for (;;) {
		if (!command(p, tail))
			return false;
		tail = &(*tail)->next;
		if (p->at->type != TOK_PIPE)
			break;
		p->at++;
	}
	p->depth--;
	*ret = pipe;
	return true;
}

static bool right(struct parser *p)
{
	if (p->at->type != TOK_RIGHT)
		return fail(p, p->at, "unexpected word in an action");
	p->at++;
	return true;
}

static bool list(struct parser *p, struct node **tail, const struct token **ret_end);

static bool control(struct parser *p, enum node_type type, struct node **ret)
{
	const struct token *end;
	struct node *n = make(p, type);
	*ret = n;
	if (++p->depth > DEPTH_MAX)
		return fail(p, p->at, "nested too deep");
	p->at++;
	if (!pipeline(p, &n->pipe) || !right(p) || !list(p, &n->body, &end))
		return false;
	if (is_word(end, "else")) {
		p->at++;
		if (is_word(p->at, "if") || is_word(p->at, "with")) {
			p->depth--;
			return control(p, is_word(p->at, "if") ? NODE_IF : NODE_WITH,
				       &n->other);
		}
		if (!right(p) || !list(p, &n->other, &end))
			return false;
		if (is_word(end, "else"))
			return fail(p, end, "expected end; found {{else}}");
	}
	p->at++;
	p->depth--;
	return right(p);
}

static bool statement(struct parser *p, struct node **ret)
{
	if (is_word(p->at, "if"))
		return control(p, NODE_IF, ret);
	if (is_word(p->at, "with"))
		return control(p, NODE_WITH, ret);
	if (is_word(p->at, "range"))
		return control(p, NODE_RANGE, ret);
	*ret = make(p, NODE_ACTION);
	return pipeline(p, &(*ret)->pipe) && right(p);
}

// Statements until {{end}} or {{else}} (or the text's end at the top).
static bool list(struct parser *p, struct node **tail, const struct token **ret_end)
{
	for (;; tail = &(*tail)->next) {
		if (p->at->type == TOK_END) {
			*ret_end = p->at;
			return p->depth == 0 ||
			       fail(p, p->at, "unexpected EOF: {{end}} is missing");
		}
		if (p->at->type == TOK_TEXT) {
			*tail = make(p, NODE_TEXT);
			p->at++;
			continue;
		}
		p->at++; // left delimiter
		if (is_word(p->at, "end") || is_word(p->at, "else")) {
			*ret_end = p->at;
			return p->depth > 0 ||
			       fail(p, p->at, "unexpected {{end}} or {{else}}");
		}
		if (!statement(p, tail))
			return false;
	}
}

bool parse_tree(struct tmpl *t, struct err *e)
{
	const struct token *end;
	struct parser p = { .t = t, .at = t->tokens.t, .e = e };
	return list(&p, &t->root, &end);
}
