// SPDX-License-Identifier: Apache-2.0
// restrict "policy" {…}: what the operator's policies leave to the agent, since only it sees the
// paths that a template computes and the functions in mounted files. Every one of them counts.
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/load.h"
#include "lib/conf/path_rule.h"

bool load_restricts(struct load *l)
{
	struct conf *c = l->conf;
	struct node_blocks blocks = { 0 };
	if (!stanza_all(l, "restrict", NULL, &blocks))
		return false;
	for (size_t i = 0; i < blocks.n; i++) {
		c->restricts = pool_append(l->pool, c->restricts, &c->n_restricts,
					   sizeof(*c->restricts));
		struct conf_restrict *r = &c->restricts[c->n_restricts - 1];
		if (!stanza_defaults(l, STANZA_RESTRICT, r) ||
		    !stanza_read(l, STANZA_RESTRICT, blocks.list[i].body, r, NULL))
			return false;
		if (blocks.list[i].label && *blocks.list[i].label)
			r->name = blocks.list[i].label;
		if (!r->name)
			return node_err(blocks.list[i].body, l->e,
					"the policy's name is missing: restrict \"name\" "
					"{…}");
	}
	return true;
}

typedef bool match_fn(const char *pattern, const char *store, const char *path);

static bool any(const char *const *patterns, match_fn *match, const char *store,
		const char *path)
{
	for (; patterns && *patterns; patterns++)
		if (match(*patterns, store, path))
			return true;
	return false;
}

// The restriction behind the one that was told of last, or NULL.
static const struct conf_restrict *next(const struct conf *c, const struct conf_breach *b)
{
	const struct conf_restrict *r = b->by ? b->by + 1 : c->restricts;
	return c->n_restricts && r < c->restricts + c->n_restricts ? r : NULL;
}

static bool breach(struct conf_breach *b, const char *rule, const char *verb,
		   const char *store, const char *path, const char *more)
{
	b->rule = rule;
	b->why = (struct err)ERR_INIT;
	err_set(&b->why, ERR_DENIED, 0, "policy '%s' %s the path '%s:%.200s'%s",
		b->by->name, verb, store, path, more);
	return true;
}

bool conf_breach_path(const struct conf *c, const char *store, const char *path,
		      struct conf_breach *b)
{
	char plain[PATH_RULE_MAX];
	for (; (b->by = next(c, b));) {
		const struct conf_restrict *r = b->by;
		if (!r->allow_paths && !r->deny_paths)
			continue;
		if (!path_rule_plain(path, plain))
			return breach(b, r->deny_paths ? "deny.paths" : "allow.paths",
				      "refuses", store, path,
				      ": it is not written plainly");
		if (any(r->deny_paths, path_rule_denies, store, plain) &&
		    !any(r->except_paths, path_rule_denies, store, plain))
			return breach(b, "deny.paths", "denies", store, path, "");
		if (r->allow_paths &&
		    !any(r->allow_paths, path_rule_allows, store, plain))
			return breach(b, "allow.paths", "does not allow", store, path,
				      "");
	}
	return false;
}

char *conf_lifetime(const char *option)
{
	static const char *const names[] = { "ttl",    "max_ttl",   "explicit_max_ttl",
					     "period", "increment", "not_after",
					     "lease" };
	size_t len = strcspn(option, "=");
	const char *value = option[len] ? option + len + 1 : "";
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], option, len) == 0)
			return mem_strndup(value, strcspn(value, "&#"));
	return memchr(option, '%', len) ? mem_strdup("") : NULL;
}

bool conf_breach_option(const struct conf *c, const char *option, struct conf_breach *b)
{
	AUTO_FREE char *ttl = conf_lifetime(option);
	int64_t ms;
	for (; ttl && (b->by = next(c, b));)
		if (b->by->max_ttl_ms > 0 &&
		    (!str_duration_ms(ttl, &ms, NULL) || ms > b->by->max_ttl_ms)) {
			b->rule = "limits.max_ttl";
			b->why = (struct err)ERR_INIT;
			err_set(&b->why, ERR_DENIED, 0,
				"policy '%s' allows a ttl of at most %lld s", b->by->name,
				(long long)b->by->max_ttl_ms / 1000);
			return true;
		}
	return false;
}

static bool is_name(const char *pattern, const char *store, const char *name)
{
	(void)store;
	return str_glob(pattern, name);
}

bool conf_breach_function(const struct conf *c, const char *name, struct conf_breach *b)
{
	for (; (b->by = next(c, b));) {
		const struct conf_restrict *r = b->by;
		bool denied = any(r->deny_functions, is_name, NULL, name);
		if (!denied &&
		    (!r->allow_functions || any(r->allow_functions, is_name, NULL, name)))
			continue;
		b->rule = denied ? "deny.functions" : "allow.functions";
		b->why = (struct err)ERR_INIT;
		err_set(&b->why, ERR_DENIED, 0, "policy '%s' refuses the function %s",
			r->name, name);
		return true;
	}
	return false;
}
