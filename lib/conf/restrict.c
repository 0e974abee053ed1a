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

bool conf_restrict_path(const struct conf *c, const char *store, const char *path,
			struct err *e)
{
	char plain[PATH_RULE_MAX];
	for (size_t i = 0; i < c->n_restricts; i++) {
		const struct conf_restrict *r = &c->restricts[i];
		if (!r->allow_paths && !r->deny_paths)
			continue;
		if (!path_rule_plain(path, plain))
			return err_set(e, ERR_DENIED, 0,
				       "policy '%s' refuses the path '%s:%.200s': it is "
				       "not written plainly",
				       r->name, store, path);
		if (any(r->deny_paths, path_rule_denies, store, plain) &&
		    !any(r->except_paths, path_rule_denies, store, plain))
			return err_set(e, ERR_DENIED, 0,
				       "policy '%s' denies the path '%s:%.200s'", r->name,
				       store, path);
		if (r->allow_paths &&
		    !any(r->allow_paths, path_rule_allows, store, plain))
			return err_set(e, ERR_DENIED, 0,
				       "policy '%s' does not allow the path '%s:%.200s'",
				       r->name, store, path);
	}
	return true;
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

bool conf_restrict_option(const struct conf *c, const char *option, struct err *e)
{
	AUTO_FREE char *ttl = conf_lifetime(option);
	int64_t ms;
	for (size_t i = 0; ttl && i < c->n_restricts; i++) {
		const struct conf_restrict *r = &c->restricts[i];
		if (r->max_ttl_ms > 0 &&
		    (!str_duration_ms(ttl, &ms, NULL) || ms > r->max_ttl_ms))
			return err_set(e, ERR_DENIED, 0,
				       "policy '%s' allows a ttl of at most %lld s",
				       r->name, (long long)r->max_ttl_ms / 1000);
	}
	return true;
}

static bool is_name(const char *pattern, const char *store, const char *name)
{
	(void)store;
	return str_glob(pattern, name);
}

const char *conf_restrict_function(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_restricts; i++) {
		const struct conf_restrict *r = &c->restricts[i];
		if (any(r->deny_functions, is_name, NULL, name) ||
		    (r->allow_functions && !any(r->allow_functions, is_name, NULL, name)))
			return r->name;
	}
	return NULL;
}
