// SPDX-License-Identifier: Apache-2.0
// Values, lists and selectors of policy files.
#include "webhook/policy_read.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/conf/path_rule.h"

enum { DAY_MS = 24 * 3600 * 1000 };

// --- values

bool read_unknown_key(struct reading *r, const struct node *n, const char *const *names,
		      size_t count)
{
	const char *near = str_nearest(n->key, names, count);
	return node_err(n, r->e, "there is no such key%s%s%s",
			near ? " (did you mean " : "", near ? near : "",
			near ? "?)" : "");
}

bool read_text(struct reading *r, const struct node *n, const char **ret)
{
	if (n->kind != NODE_STRING || !*n->text)
		return node_err(n, r->e, "a text is wanted");
	*ret = n->text;
	return true;
}

bool read_list(struct reading *r, const struct node *n, struct patterns *ret)
{
	ret->given = true;
	if (n->kind != NODE_LIST)
		return node_err(n, r->e, "a list of texts is wanted: [\"…\"]");
	for (const struct node *m = n->first; m; m = m->next) {
		if (m->kind != NODE_STRING || !*m->text ||
		    strlen(m->text) >= PATH_RULE_MAX)
			return node_err(n, r->e, "a list of texts is wanted: [\"…\"]");
		ret->list =
			pool_append(&r->ps->pool, ret->list, &ret->n, sizeof(*ret->list));
		ret->list[ret->n - 1] = m->text;
	}
	return true;
}

// "enforce", "warn" or "audit"; where `usual` is given also true and false.
bool read_mode(struct reading *r, const struct node *n, enum policy_mode usual,
	       enum policy_mode *ret)
{
	if (usual && n->kind == NODE_BOOL) {
		*ret = n->truth ? usual : POLICY_OFF;
		return true;
	}
	for (size_t i = POLICY_AUDIT; i <= POLICY_ENFORCE; i++)
		if (n->kind == NODE_STRING &&
		    strcmp(n->text, policy_mode_name((enum policy_mode)i)) == 0) {
			*ret = (enum policy_mode)i;
			return true;
		}
	return node_err(n, r->e, "%s\"enforce\", \"warn\" or \"audit\" is wanted",
			usual ? "true, false, " : "");
}

static bool read_labels(struct reading *r, const struct node *n, struct label_rule **ret,
			size_t *ret_n)
{
	if (n->kind != NODE_OBJECT)
		return node_err(n, r->e, "labels are wanted: { key = \"pattern\" }");
	for (const struct node *m = n->first; m; m = m->next) {
		const char *pattern = NULL;
		if (!read_text(r, m, &pattern))
			return false;
		*ret = pool_append(&r->ps->pool, *ret, ret_n, sizeof(**ret));
		(*ret)[*ret_n - 1] = (struct label_rule){ m->key, pattern };
	}
	return true;
}

bool policy_day(const char *text, int64_t *ret_ms)
{
	char whole[] = "2027-01-31T00:00:00Z";
	enum { DAY_LEN = 10 };
	if (strlen(text) != DAY_LEN)
		return false;
	memcpy(whole, text, DAY_LEN);
	return clock_rfc3339_parse(whole, ret_ms);
}

bool read_day(struct reading *r, const struct node *n, int64_t *ret)
{
	if (n->kind != NODE_STRING || !policy_day(n->text, ret))
		return node_err(n, r->e, "a day is wanted: \"2027-01-31\"");
	*ret += DAY_MS;
	return true;
}

// --- blocks

// The one block `key` of a body; *ret is NULL without it.
bool read_block(struct reading *r, const struct node *body, const char *key,
		const struct node **ret)
{
	struct node_blocks blocks = { 0 };
	*ret = NULL;
	if (!node_collect(&r->ps->pool, body, key, NULL, &blocks, r->e))
		return false;
	if (blocks.n > 1)
		return node_err(blocks.list[1].body, r->e,
				"a second block %s; put both into one", key);
	if (blocks.n == 1 && blocks.list[0].label)
		return node_err(blocks.list[0].body, r->e, "this block takes no label");
	if (blocks.n == 1)
		*ret = blocks.list[0].body;
	return true;
}

static const char *const selector_keys[] = { "namespaces", "service_accounts", "kinds",
					     "labels", "namespace_labels" };

bool read_selector_key(struct reading *r, const struct node *n, struct selector *s,
		       bool *ret_known)
{
	struct patterns *lists[] = { &s->namespaces, &s->service_accounts, &s->kinds };
	*ret_known = true;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (node_key_is(n, selector_keys[i]))
			return read_list(r, n, lists[i]);
	if (node_key_is(n, "labels"))
		return read_labels(r, n, &s->labels, &s->n_labels);
	if (node_key_is(n, "namespace_labels"))
		return read_labels(r, n, &s->namespace_labels, &s->n_namespace_labels);
	*ret_known = false;
	return true;
}

bool read_selector(struct reading *r, const struct node *policy, const char *key,
		   struct selector *s, bool *ret_there)
{
	const struct node *body;
	bool known;
	if (!read_block(r, policy, key, &body))
		return false;
	if (ret_there)
		*ret_there = body != NULL;
	for (const struct node *n = body ? body->first : NULL; n; n = n->next) {
		if (!read_selector_key(r, n, s, &known))
			return false;
		if (!known)
			return read_unknown_key(r, n, selector_keys,
						ARRAY_LEN(selector_keys));
	}
	if (body && ret_there && !body->first)
		return node_err(body, r->e,
				"it is empty, and would turn the policy off; name what "
				"is excluded");
	return true;
}
