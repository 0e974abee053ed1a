// SPDX-License-Identifier: Apache-2.0
// Trees of configuration documents: look-up, blocks in all their spellings, conversion.
#include "lib/conf/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/json.h"

void node_add(struct node *parent, struct node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->n++;
}

bool node_key_is(const struct node *n, const char *key)
{
	return strcasecmp(n->key, key) == 0;
}

const struct node *node_get(const struct node *object, const char *key)
{
	const struct node *found = NULL;
	if (object->kind == NODE_OBJECT)
		for (const struct node *n = object->first; n; n = n->next)
			if (node_key_is(n, key))
				found = n;
	return found;
}

const struct node *node_place(const struct node *object, const char *key)
{
	const struct node *member = node_get(object, key);
	return member ? member : object;
}

const char *node_kind_name(enum node_kind kind)
{
	static const char *const names[] = {
		[NODE_NULL] = "null",       [NODE_BOOL] = "a boolean",
		[NODE_INT] = "a number",    [NODE_REAL] = "a fraction",
		[NODE_STRING] = "a string", [NODE_LIST] = "a list",
		[NODE_OBJECT] = "a block",
	};
	return names[kind];
}

bool node_err(const struct node *n, struct err *e, const char *fmt, ...)
{
	char reason[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	const char *key = n->key ? n->key : "", *colon = n->key ? ": " : "";
	if (!e || e->kind != ERR_NONE)
		return false;
	if (n->file)
		err_set(e, ERR_CONFIG, 0, "%s:%u: %s%s%s", n->file, n->line, key, colon,
			reason);
	else
		err_set(e, ERR_CONFIG, 0, "%s%s%s", key, colon, reason);
	for (char *c = e->text; *c; c++) // keys are the document's: a terminal obeys none
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return false;
}

static void add_block(struct pool *p, struct node_blocks *to, const char *label,
		      const struct node *body)
{
	to->list = pool_append(p, to->list, &to->n, sizeof(*to->list));
	to->list[to->n - 1] = (struct node_block){ label, body };
}

static bool all_blocks(const struct node *n)
{
	if (n->kind == NODE_OBJECT)
		return true;
	if (n->kind != NODE_LIST || !n->first)
		return false;
	for (const struct node *c = n->first; c; c = c->next)
		if (c->kind != NODE_OBJECT)
			return false;
	return true;
}

// Whether `body` is {label: {…}, …}: some members, all of them blocks, none a known name.
static bool is_label_map(const struct node *body, node_known_fn *known)
{
	if (!known || !body->first)
		return false;
	for (const struct node *m = body->first; m; m = m->next)
		if (!all_blocks(m) || known(m->key))
			return false;
	return true;
}

static bool collect_body(struct pool *p, const struct node *body, const char *key,
			 node_known_fn *known, struct node_blocks *ret, struct err *e)
{
	if (body->kind != NODE_OBJECT) {
		struct node named = *body; // an element of a list has no key of its own
		named.key = key;
		return node_err(&named, e, "a block is wanted here, not %s",
				node_kind_name(body->kind));
	}
	if (body->labels && body->labels[1])
		return node_err(body, e, "a block takes one label, not several");
	if (body->labels || !is_label_map(body, known)) {
		add_block(p, ret, body->labels ? body->labels[0] : NULL, body);
		return true;
	}
	for (const struct node *m = body->first; m; m = m->next) {
		if (m->kind == NODE_OBJECT) {
			add_block(p, ret, m->key, m);
			continue;
		}
		for (const struct node *c = m->first; c; c = c->next)
			add_block(p, ret, m->key, c);
	}
	return true;
}

bool node_collect(struct pool *p, const struct node *object, const char *key,
		  node_known_fn *known, struct node_blocks *ret, struct err *e)
{
	for (const struct node *n = object->first; n; n = n->next) {
		if (!node_key_is(n, key) || n->kind == NODE_NULL)
			continue;
		if (n->kind != NODE_LIST) {
			if (!collect_body(p, n, key, known, ret, e))
				return false;
			continue;
		}
		for (const struct node *c = n->first; c; c = c->next)
			if (!collect_body(p, c, key, known, ret, e))
				return false;
	}
	return true;
}

static json_t *labelled(const struct node *n, json_t *body)
{
	size_t count = 0;
	while (n->labels && n->labels[count])
		count++;
	while (count-- > 0) {
		json_t *outer = json_object();
		json_object_set_new(outer, n->labels[count], body);
		body = outer;
	}
	return body;
}

static json_t *object_to_json(const struct node *n)
{
	json_t *o = json_object();
	for (const struct node *m = n->first; m; m = m->next) {
		json_t *value = node_to_json(m);
		json_t *before = json_object_get(o, m->key);
		if (!before) {
			json_object_set_new(o, m->key, value);
		} else if (json_is_array(before) && !json_is_array(value)) {
			json_array_append_new(before, value);
		} else {
			json_t *both = json_array();
			json_array_append(both, before);
			json_array_append_new(both, value);
			json_object_set_new(o, m->key, both);
		}
	}
	return labelled(n, o);
}

json_t *node_to_json(const struct node *n)
{
	json_t *list;
	switch (n->kind) {
	case NODE_NULL:
		return json_null();
	case NODE_BOOL:
		return json_boolean(n->truth);
	case NODE_INT:
		return json_integer(n->integer);
	case NODE_REAL:
		return json_real(n->real);
	case NODE_STRING:
		return json_str(n->text, strlen(n->text));
	case NODE_LIST:
		list = json_array();
		for (const struct node *c = n->first; c; c = c->next)
			json_array_append_new(list, node_to_json(c));
		return list;
	case NODE_OBJECT:
		return object_to_json(n);
	}
	return NULL;
}
