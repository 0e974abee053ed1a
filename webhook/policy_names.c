// SPDX-License-Identifier: Apache-2.0
// The names of rules, as policies write them, and the words of their refusals.
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "webhook/policy_read.h"

static const char *const mode_names[] = { "off", "audit", "warn", "enforce" };
static const char *const fact_names[FACT_COUNT] = {
	"stores",    "store_namespaces", "addresses",    "roles",       "paths",
	"functions", "images",           "agent_images", "annotations",
};
static const char *const forbid_names[FORBID_COUNT] = {
	"env_secrets", "env_literals",    "secret_volumes", "disk_volumes",
	"host_paths",  "default_account", "account_token",  "shared_processes",
	"forged_mark", "changed_agent",   "overrides",
};
static const char *const limit_names[LIMIT_COUNT] = { "min_interval", "max_files",
						      "max_template", "max_ttl" };

const struct policy_words policy_words[FACT_COUNT] = {
	[FACT_STORES] = { "", "the store",
			  "name another store by the annotation ampoule.dev/stores" },
	[FACT_STORE_NAMESPACES] = { "/", "the store's namespace",
				    "remove the annotation that sets the namespace" },
	[FACT_ADDRESSES] = { "/:", "the address",
			     "remove the annotation that sets the address" },
	[FACT_ROLES] = { "", "the role", "choose another role" },
	[FACT_PATHS] = { "/", "the path",
			 "choose another path, or ask the policy's owner" },
	[FACT_FUNCTIONS] = { "", "the function", "write the template without it" },
	[FACT_IMAGES] = { "/", "the image", "use another image" },
	[FACT_AGENT_IMAGES] = { "/", "the agent's image",
				"remove the annotation agent-image" },
	[FACT_ANNOTATIONS] = { "", "the annotation", "remove it" },
};

const char *policy_mode_name(enum policy_mode mode)
{
	return mode_names[mode];
}

const char *policy_fact_name(enum policy_fact fact)
{
	return fact_names[fact];
}

const char *policy_forbid_name(enum policy_forbid rule)
{
	return forbid_names[rule];
}

const char *policy_limit_name(enum policy_limit limit)
{
	return limit_names[limit];
}

const char *const *policy_fact_names(void)
{
	return fact_names;
}

const char *const *policy_forbid_names(void)
{
	return forbid_names;
}

const char *const *policy_limit_names(void)
{
	return limit_names;
}

bool policy_word_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool has(const char *pattern, const char *kind, const char *const *names, size_t n)
{
	char name[64];
	struct patterns one = { &pattern, 1, true };
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s.%s", kind, names[i]);
		if (patterns_match(&one, name, "."))
			return true;
	}
	return false;
}

bool policy_rule_exists(const char *pattern)
{
	static const char *const inject[] = { "inject" };
	return has(pattern, "require", inject, 1) ||
	       has(pattern, "forbid", forbid_names, FORBID_COUNT) ||
	       has(pattern, "allow", fact_names, FACT_COUNT) ||
	       has(pattern, "deny", fact_names, FACT_COUNT) ||
	       has(pattern, "limits", limit_names, LIMIT_COUNT);
}
