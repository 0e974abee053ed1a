// SPDX-License-Identifier: Apache-2.0
// Values that fill two fields: notifications and commands, deadlines with a consequence,
// ranges of time.
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/value.h"

bool value_set_notify(struct load *l, const struct option_row *row, const struct node *n,
		      void *at)
{
	struct conf_notify **list = value_field(row, at);
	size_t *count = value_also(row, at);
	struct err why = ERR_INIT;
	if (n->kind == NODE_STRING)
		return notify_add(l->pool, n->text, list, count, &why) ||
		       value_wrong(l, n, &why);
	if (n->kind != NODE_LIST)
		return value_wrong_kind(l, n, "a string or a list of strings");
	for (const struct node *c = n->first; c; c = c->next) {
		if (c->kind != NODE_STRING)
			return node_err(n, l->e,
					"a list of strings is wanted; it holds %s",
					node_kind_name(c->kind));
		if (!notify_add(l->pool, c->text, list, count, &why))
			return value_wrong(l, n, &why);
	}
	return true;
}

bool value_set_command(struct load *l, const struct option_row *row, const struct node *n,
		       void *at)
{
	struct err why = ERR_INIT;
	const char *line[] = { n->text, NULL };
	const char *const *argv = line;
	if (n->kind == NODE_STRING && n->text[0] == '\0')
		return true; // no command, as the peer
	if (n->kind != NODE_STRING) {
		if (n->kind != NODE_LIST)
			return value_wrong_kind(l, n, "a string or an argument vector");
		if (!n->first)
			return true;
		for (const struct node *c = n->first; c; c = c->next)
			if (c->kind != NODE_STRING)
				return node_err(n, l->e,
						"a list of strings is wanted; it "
						"holds %s",
						node_kind_name(c->kind));
		const char **list = pool_alloc(l->pool, (n->n + 1) * sizeof(*list));
		size_t i = 0;
		for (const struct node *c = n->first; c; c = c->next)
			list[i++] = c->text;
		argv = list;
	}
	return notify_add_command(l->pool, argv, value_field(row, at),
				  value_also(row, at), &why) ||
	       value_wrong(l, n, &why);
}

// A list, or one line whose words a shell would find alike; any other line needs a shell.
bool value_set_argv(struct load *l, const struct node *n, const char *const **ret)
{
	const char **list = NULL;
	size_t count = 0;
	if (n->kind == NODE_STRING) {
		struct err why = ERR_INIT;
		char *words[WORDS_MAX];
		if (!notify_words(l->pool, n->text, words, &count, &why))
			return value_wrong(l, n, &why);
		list = pool_alloc(l->pool, (count + 1) * sizeof(*list));
		for (size_t i = 0; i < count; i++)
			list[i] = words[i];
	} else if (n->kind == NODE_LIST) {
		list = pool_alloc(l->pool, (n->n + 1) * sizeof(*list));
		for (const struct node *c = n->first; c; c = c->next) {
			if (c->kind != NODE_STRING)
				return node_err(n, l->e,
						"a list of strings is wanted; it "
						"holds %s",
						node_kind_name(c->kind));
			list[count++] = c->text;
		}
	} else {
		return value_wrong_kind(l, n, "an argument vector");
	}
	*ret = list;
	return (count > 0 && list[0][0]) ||
	       node_err(n, l->e, "it wants a program as its first word");
}

bool value_set_unread(struct load *l, const struct option_row *row, const struct node *n,
		      void *at)
{
	static const char *const words[] = { [UNREAD_ALARM] = "alarm",
					     [UNREAD_UNREADY] = "unready",
					     [UNREAD_ROLLBACK] = "rollback" };
	struct node part = *n;
	const char *colon = n->kind == NODE_STRING ? strchr(n->text, ':') : NULL;
	enum conf_unread then = UNREAD_ALARM;
	if (colon) {
		size_t i = 0;
		while (i < ARRAY_LEN(words) && strcmp(colon + 1, words[i]) != 0)
			i++;
		if (i == ARRAY_LEN(words))
			return node_err(n, l->e,
					"DURATION:alarm, :unready or :rollback is "
					"wanted, as 30s:alarm");
		then = (enum conf_unread)i;
		part.text = pool_strndup(l->pool, n->text, (size_t)(colon - n->text));
	}
	if (!value_duration(l, &part, value_field(row, at)))
		return false;
	*(enum conf_unread *)value_also(row, at) = then;
	return true;
}

// "2s", "2s:10s" or { min = "2s" max = "10s" }; without a most, four times the least.
bool value_set_wait(struct load *l, const struct option_row *row, const struct node *n,
		    void *at)
{
	int64_t *least = value_field(row, at), *most = value_also(row, at);
	struct node low = *n, high = *n;
	bool both = false;
	if (n->kind == NODE_OBJECT) {
		const struct node *min = node_get(n, "min"), *max = node_get(n, "max");
		for (const struct node *m = n->first; m; m = m->next)
			if (!node_key_is(m, "min") && !node_key_is(m, "max") &&
			    !node_key_is(m, "enabled"))
				return node_err(m, l->e, "wait knows min and max");
		if (!min)
			return node_err(n, l->e, "min is missing");
		low = *min;
		both = max;
		if (max)
			high = *max;
	} else if (n->kind == NODE_STRING && strchr(n->text, ':')) {
		const char *colon = strchr(n->text, ':');
		low.text = pool_strndup(l->pool, n->text, (size_t)(colon - n->text));
		high.text = colon + 1;
		both = true;
	}
	if (!value_duration(l, &low, least) || (both && !value_duration(l, &high, most)))
		return false;
	if (!both)
		*most = *least > INT64_MAX / 4 ? INT64_MAX : *least * 4;
	if (*most < *least)
		return node_err(n, l->e, "the most is less than the least");
	return true;
}
