// SPDX-License-Identifier: Apache-2.0
// Grammar of HCL version 1: a file is a list of items; an item is `keys = value` or `keys {`.
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/hcl_int.h"

enum { LABELS_MAX = 8 };

static bool is_punct(const struct token *t, char punct)
{
	return t->kind == TOKEN_PUNCT && t->punct == punct;
}

static bool unexpected(struct cursor *c, const struct token *t, const char *wanted)
{
	char punct[] = { '\'', t->punct, '\'', '\0' };
	const char *got = t->kind == TOKEN_END      ? "the end of the file"
			  : t->kind == TOKEN_WORD   ? "a word"
			  : t->kind == TOKEN_STRING ? "a string"
			  : t->kind == TOKEN_NUMBER ? "a number"
						    : punct;
	return err_set(c->e, ERR_CONFIG, 0, "%s:%u:%u: %s is wanted here, not %s",
		       c->file, t->line, t->column, wanted, got);
}

static bool parse_items(struct cursor *c, struct node *to, bool top);
static bool parse_value(struct cursor *c, const struct token *t, struct node **ret);

static bool parse_object(struct cursor *c, const struct token *t, struct node **ret)
{
	struct node *n = cursor_node(c, NODE_OBJECT, t->line, t->column);
	if (!n || !cursor_enter(c) || !parse_items(c, n, false))
		return false;
	cursor_leave(c);
	*ret = n;
	return true;
}

static bool parse_list(struct cursor *c, const struct token *open, struct node **ret)
{
	struct node *list = cursor_node(c, NODE_LIST, open->line, open->column);
	if (!list || !cursor_enter(c))
		return false;
	for (;;) {
		struct token t;
		struct node *item = NULL;
		if (!hcl_lex(c, &t))
			return false;
		if (is_punct(&t, ']'))
			break;
		if (!parse_value(c, &t, &item))
			return false;
		node_add(list, item);
		if (!hcl_lex(c, &t))
			return false;
		if (is_punct(&t, ']'))
			break;
		if (!is_punct(&t, ','))
			return unexpected(c, &t, "a comma or ']'");
	}
	cursor_leave(c);
	*ret = list;
	return true;
}

static bool parse_word(struct cursor *c, const struct token *t, struct node **ret)
{
	bool yes = strcmp(t->text, "true") == 0;
	if (!yes && strcmp(t->text, "false") != 0)
		return err_set(c->e, ERR_CONFIG, 0,
			       "%s:%u:%u: a bare word is no value; put \"quotes\" around "
			       "text, or write true or false",
			       c->file, t->line, t->column);
	*ret = cursor_node(c, NODE_BOOL, t->line, t->column);
	if (*ret)
		(*ret)->truth = yes;
	return *ret;
}

static bool parse_value(struct cursor *c, const struct token *t, struct node **ret)
{
	if (t->kind == TOKEN_WORD)
		return parse_word(c, t, ret);
	if (is_punct(t, '{'))
		return parse_object(c, t, ret);
	if (is_punct(t, '['))
		return parse_list(c, t, ret);
	if (t->kind != TOKEN_STRING && t->kind != TOKEN_NUMBER)
		return unexpected(c, t, "a value");
	struct node *n = cursor_node(c, NODE_STRING, t->line, t->column);
	if (!n)
		return false;
	n->text = t->kind == TOKEN_STRING ? t->text : t->value.text;
	if (t->kind == TOKEN_NUMBER) {
		n->kind = t->value.kind;
		n->integer = t->value.integer;
		n->real = t->value.real;
	}
	*ret = n;
	return true;
}

// The words before '=' or '{': a key, then labels. *t becomes the '=' or '{'.
static bool parse_keys(struct cursor *c, struct token *t, const char **keys,
		       size_t *ret_n)
{
	size_t n = 0;
	while (t->kind == TOKEN_WORD || t->kind == TOKEN_STRING) {
		if (n == LABELS_MAX)
			return err_set(c->e, ERR_LIMIT, 0,
				       "%s:%u:%u: more than %d labels", c->file, t->line,
				       t->column, LABELS_MAX);
		keys[n++] = t->text;
		if (!hcl_lex(c, t))
			return false;
	}
	if (!is_punct(t, '{') && !(is_punct(t, '=') && n == 1))
		return unexpected(c, t, n == 1 ? "'=' or '{'" : "'{'");
	*ret_n = n;
	return true;
}

static bool parse_item(struct cursor *c, struct token *t, struct node *to)
{
	const char *keys[LABELS_MAX];
	size_t n = 0;
	unsigned line = t->line, column = t->column;
	if (!parse_keys(c, t, keys, &n))
		return false;
	struct node *value = NULL;
	bool block = is_punct(t, '{');
	if (!block && !hcl_lex(c, t))
		return false;
	if (!parse_value(c, t, &value))
		return false;
	value->key = keys[0];
	value->line = line;
	value->column = column;
	value->is_block = block;
	if (n > 1) {
		const char **labels = pool_alloc(c->pool, n * sizeof(*labels));
		memcpy(labels, keys + 1, (n - 1) * sizeof(*labels));
		value->labels = labels;
	}
	node_add(to, value);
	return true;
}

static bool parse_items(struct cursor *c, struct node *to, bool top)
{
	for (;;) {
		struct token t;
		if (!hcl_lex(c, &t))
			return false;
		if (top ? t.kind == TOKEN_END : is_punct(&t, '}'))
			return true;
		if (is_punct(&t, ',') && to->first)
			continue; // between the members of an object on one line
		if (t.kind != TOKEN_WORD && t.kind != TOKEN_STRING)
			return unexpected(c, &t, top ? "a key" : "a key or '}'");
		if (!parse_item(c, &t, to))
			return false;
	}
}

bool hcl_read_hcl(struct cursor *c, struct node **ret)
{
	struct node *root = cursor_node(c, NODE_OBJECT, 1, 1);
	if (!root || !parse_items(c, root, true))
		return false;
	*ret = root;
	return true;
}
