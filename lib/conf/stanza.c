// SPDX-License-Identifier: Apache-2.0
// Stanzas: blocks of the documents, found and merged; their keys looked up in the table.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "lib/conf/load.h"

bool load_warn(struct load *l, const struct node *at, const char *fmt, ...)
{
	char reason[ERR_TEXT_MAX];
	struct err text = ERR_INIT;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	node_err(at, &text, "%s", reason);
	if (l->opts->strict)
		return err_set(l->e, ERR_CONFIG, 0, "%s", text.text);
	if (l->opts->warn)
		l->opts->warn(l->opts->warn_ctx, text.text);
	return true;
}

// Rows whose value is a field of the stanza's struct.
static bool has_field(const struct option_row *r, enum option_stanza stanza)
{
	return r->key && options_stanza(stanza)->size > 0 && r->type != OPTION_BLOCK &&
	       r->type != OPTION_ANY && r->type != OPTION_IGNORED &&
	       (r->stanza == stanza || (stanza == STANZA_VAULT && r->vault));
}

static bool set_from_text(struct load *l, const struct option_row *row, const char *name,
			  const char *text, void *at)
{
	struct node n = {
		.kind = NODE_STRING,
		.key = name,
		.text = text,
		.from_text = true,
	};
	if (row->type == OPTION_IGNORED)
		return load_warn(l, &n, "it has no meaning here: %s", row->ignored);
	return value_set(l, row, &n, at);
}

bool stanza_defaults(struct load *l, enum option_stanza stanza, void *at)
{
	const struct option_row *const *rows;
	size_t n = options_of(stanza, &rows);
	for (size_t i = 0; i < n; i++)
		if (rows[i]->default_ && has_field(rows[i], stanza) && !rows[i]->alias &&
		    !set_from_text(l, rows[i], rows[i]->key, rows[i]->default_, at))
			return false;
	return true;
}

static bool unknown_key(struct load *l, enum option_stanza stanza, const struct node *m)
{
	const struct option_stanza_info *s = options_stanza(stanza);
	const char *near = options_nearest(stanza, m->key);
	char hint[96] = "";
	if (near)
		snprintf(hint, sizeof(hint), "; did you mean '%s'?", near);
	if (s->unknown == UNKNOWN_FATAL)
		return node_err(m, l->e, "%s has no such key%s", s->name, hint);
	if (!s->name[0])
		return load_warn(l, m, "no such key or block%s", hint);
	return load_warn(l, m, "%s has no such key%s", s->name, hint);
}

static bool is_repeated(const struct node *body, const struct node *m)
{
	for (const struct node *b = body->first; b != m; b = b->next)
		if (strcasecmp(b->key, m->key) == 0 && b->kind != NODE_NULL)
			return true;
	return false;
}

static bool read_member(struct load *l, enum option_stanza stanza,
			const struct node *body, const struct node *m, void *at,
			bool keeps)
{
	const struct option_row *row = options_find(stanza, m->key);
	if (m->kind == NODE_NULL)
		return true; // as if it were not there
	if (!row && !keeps && options_stanza(stanza)->unknown != UNKNOWN_KEEP)
		return unknown_key(l, stanza, m);
	if (row && strcmp(row->key, m->key) != 0 &&
	    !load_warn(l, m, "written as '%s'", row->key))
		return false;
	if (row && row->type != OPTION_BLOCK && is_repeated(body, m) &&
	    !load_warn(l, m, "given twice in one block; the last one counts"))
		return false;
	if (!row || row->type == OPTION_BLOCK)
		return true;
	if (row->type == OPTION_IGNORED)
		return load_warn(l, m, "it has no meaning here: %s", row->ignored);
	// The last list counts: of one block, and at the top of several documents.
	if (row->type == OPTION_NOTIFY && (stanza == STANZA_TOP || is_repeated(body, m)))
		*(size_t *)(void *)((char *)at + row->also) = 0;
	return !has_field(row, stanza) || value_set(l, row, m, at);
}

// What the table does not know goes on in its own form, repeated keys as lists.
static void keep_others(enum option_stanza stanza, const struct node *body, json_t *keep)
{
	json_t *all = node_to_json(body), *inner = all;
	for (size_t i = 0; body->labels && body->labels[i]; i++)
		inner = json_object_get(inner, body->labels[i]);
	const char *key;
	json_t *value;
	json_object_foreach(inner, key, value)
	{
		const struct option_row *row = options_find(stanza, key);
		if (!row)
			json_object_set(keep, key, value);
		else if (row->kept) // of several the last, as everywhere
			json_object_set_new(keep, row->key,
					    node_to_json(node_get(body, row->key)));
	}
	json_decref(all);
}

bool stanza_read(struct load *l, enum option_stanza stanza, const struct node *body,
		 void *at, json_t *keep)
{
	for (const struct node *m = body->first; m; m = m->next)
		if (!read_member(l, stanza, body, m, at, keep) && !load_goes_on(l))
			return false;
	if (keep)
		keep_others(stanza, body, keep);
	return true;
}

// The variable's value and its full name, or NULL.
static const char *from_environ(struct load *l, const struct option_row *row,
				const char **ret_name)
{
	static const char *const prefixes[] = { "AMPOULE_", "BAO_", "VAULT_" };
	size_t n = row->env_own ? 1 : ARRAY_LEN(prefixes);
	for (size_t i = 0; row->env && l->opts->environ_ && i < n; i++) {
		char *name = pool_printf(l->pool, "%s%s", prefixes[i], row->env);
		size_t len = strlen(name);
		for (const char *const *v = l->opts->environ_; *v; v++)
			if (strncmp(*v, name, len) == 0 && (*v)[len] == '=' &&
			    (*v)[len + 1] != '\0') {
				*ret_name = name;
				return *v + len + 1;
			}
	}
	return NULL;
}

static const char *from_flags(const struct load *l, const struct option_row *row)
{
	const char *found = NULL;
	size_t len = row->flag ? strlen(row->flag) : 0;
	for (const char *const *o = l->opts->overrides; len && o && *o; o++)
		if (strncmp(*o, row->flag, len) == 0 && (*o)[len] == '=')
			found = *o + len + 1;
	return found;
}

bool stanza_override(struct load *l, enum option_stanza stanza, void *at)
{
	const struct option_row *const *rows;
	size_t n = options_of(stanza, &rows);
	for (size_t i = 0; i < n; i++) {
		const struct option_row *r = rows[i];
		const char *name = NULL;
		const char *flag = from_flags(l, r), *env = from_environ(l, r, &name);
		if ((!flag && !env) ||
		    (!has_field(r, stanza) &&
		     !(r->type == OPTION_IGNORED && r->stanza == stanza)))
			continue;
		name = flag ? pool_printf(l->pool, "--%s", r->flag)
			    : pool_printf(l->pool, "environment: %s", name ? name : "");
		if (!set_from_text(l, r, name, flag ? flag : env, at))
			return false;
	}
	return true;
}

bool stanza_is_overridden(const struct load *l, enum option_stanza stanza,
			  const char *key)
{
	const struct option_row *row = options_find(stanza, key);
	const char *name;
	struct load look = *l;
	return row && (from_flags(l, row) || from_environ(&look, row, &name));
}

bool stanza_inner(struct load *l, const struct node *body, const char *key,
		  node_known_fn *known, struct node_block *ret)
{
	struct node_blocks blocks = { 0 };
	*ret = (struct node_block){ 0 };
	if (!node_collect(l->pool, body, key, known, &blocks, l->e))
		return false;
	if (blocks.n > 1)
		return node_err(blocks.list[1].body, l->e,
				"a second %s block; exactly one is allowed", key);
	if (blocks.n == 1)
		*ret = blocks.list[0];
	return true;
}

bool stanza_single(struct load *l, const char *key, const struct node **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < l->n_documents; i++) {
		struct node_block block;
		if (!stanza_inner(l, l->documents[i], key, NULL, &block))
			return false;
		if (block.label)
			return node_err(block.body, l->e, "this block takes no label");
		if (block.body)
			*ret = block.body;
	}
	return true;
}

const struct node *stanza_place(const struct load *l, const char *key)
{
	for (size_t i = l->n_documents; i-- > 0;)
		if (node_get(l->documents[i], key))
			return node_get(l->documents[i], key);
	return l->documents[0];
}

bool stanza_all(struct load *l, const char *key, node_known_fn *known,
		struct node_blocks *ret)
{
	for (size_t i = 0; i < l->n_documents; i++)
		if (!node_collect(l->pool, l->documents[i], key, known, ret, l->e))
			return false;
	return true;
}
