// SPDX-License-Identifier: Apache-2.0
// The rules in CEL: one emitter each, over the variables of policy_export_cel.c.
#include <string.h>

#include "cmd/policy_export_cel.h"
#include "lib/base/str.h"
#include "webhook/plan.h"

enum { TEXT_MAX = 256 * 1024 };

void cel_add_check(struct cel *c, struct cel_set *set, const struct cel_check *check)
{
	set->checks =
		pool_append(&c->pool, set->checks, &set->n_checks, sizeof(*set->checks));
	set->checks[set->n_checks - 1] = *check;
}

// --- forbid

typedef const char *emit_fn(struct cel *c);

const char *cel_env_where(struct cel *c, const char *field, const char *name,
			  const char *condition)
{
	return pool_printf(
		&c->pool,
		"variables.apps.map(x, x.at + '.%s[' + x.c.?%s.orValue([]).filter(e, "
		"%s).map(e, string(%s)).join(', ') + ']')"
		".filter(t, !t.endsWith('.%s[]'))",
		field, field, condition, name, field);
}

static const char *emit_secret_volumes(struct cel *c)
{
	return pool_printf(
		&c->pool,
		"variables.volumes.filter(v, (has(v.secret) || "
		"v.?projected.?sources.orValue([]).exists(s, has(s.secret))) && "
		"variables.mounts.exists(m, v.name in m))"
		".map(v, 'spec.volumes[' + v.name + ']')");
}

// Whether the volume `name` of the expression is one for secrets.
static const char *for_secrets(struct cel *c, const char *name)
{
	size_t n;
	const char *const *words = policy_secret_words(&n);
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	buf_puts(&b, "(?i)(?:^|[^a-z0-9])(?:");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? "|" : "", words[i]);
	buf_puts(&b, ")(?:[^a-z0-9]|$)");
	const char *re = cel_quote(&c->pool, buf_str(&b));
	return pool_printf(&c->pool,
			   "(%s.matches(%s) || variables.every.exists(y, "
			   "y.c.?volumeMounts.orValue([]).exists(m, m.name == %s && "
			   "m.mountPath.matches(%s))))",
			   name, re, name, re);
}

static const char *emit_env_secrets(struct cel *c)
{
	return pool_printf(&c->pool, "%s + %s",
			   cel_env_where(c, "env", "e.name",
					 pool_printf(&c->pool,
						     "e.?valueFrom.?secretKeyRef"
						     ".hasValue() || "
						     "(e.?valueFrom.?fileKeyRef"
						     ".hasValue() && %s)",
						     for_secrets(c, "string(e.valueFrom"
								    ".fileKeyRef"
								    ".volumeName)"))),
			   cel_env_where(c, "envFrom", "e.secretRef.?name.orValue('?')",
					 "has(e.secretRef)"));
}

static const char *emit_disk_volumes(struct cel *c)
{
	return pool_printf(
		&c->pool,
		"variables.volumes.filter(v, (has(v.hostPath) || "
		"has(v.persistentVolumeClaim) || has(v.ephemeral) || "
		"(has(v.emptyDir) && v.emptyDir.?medium.orValue('') != 'Memory')) && %s)"
		".map(v, 'spec.volumes[' + v.name + ']')",
		for_secrets(c, "v.name"));
}

static const char *emit_host_paths(struct cel *c)
{
	size_t n;
	const char *const *folders = policy_guarded_folders(&n);
	return pool_printf(
		&c->pool,
		"variables.volumes.filter(v, has(v.hostPath))"
		".map(v, {'at': 'spec.volumes[' + v.name + ']', 'path': "
		"string(v.hostPath.path)})"
		".filter(v, !v.path.startsWith('/') || v.path.split('/').exists(p, p == "
		"'..') || [v.path.split('/').filter(p, p != '' && p != '.').map(p, '/' + "
		"p).join()].exists(p, p == '' || %s.exists(g, p == g || "
		"p.startsWith(g + '/') || g.startsWith(p + '/'))))"
		".map(v, v.at + ': hostPath ' + v.path)",
		cel_list(&c->pool, folders, n));
}

static const char *emit_default_account(struct cel *c)
{
	(void)c;
	return "variables.account == 'default' ? ['spec.serviceAccountName'] : []";
}

static const char *emit_account_token(struct cel *c)
{
	(void)c;
	return "variables.spec.?automountServiceAccountToken.orValue(true) ? "
	       "['spec.automountServiceAccountToken'] : variables.volumes.filter(v, "
	       "v.?projected.?sources.orValue([]).exists(s, "
	       "has(s.serviceAccountToken)) && variables.mounts.exists(m, v.name in m))"
	       ".map(v, 'spec.volumes[' + v.name + ']')";
}

static const char *emit_shared_processes(struct cel *c)
{
	(void)c;
	return "(variables.spec.?hostPID.orValue(false) ? ['spec.hostPID'] : []) + "
	       "(variables.spec.?shareProcessNamespace.orValue(false) && "
	       "variables.ours.size() == 0 ? ['spec.shareProcessNamespace'] : [])";
}

// --- the table

static const struct forbid_row {
	emit_fn *emit;
	const char *remedy;
	bool once; // looks at what an update of a pod cannot change
} forbids[FORBID_COUNT] = {
	[FORBID_ENV_SECRETS] = { emit_env_secrets,
				 "a Kubernetes Secret in the environment; take it as a "
				 "file: annotation ampoule.dev/secret-<n>",
				 false },
	[FORBID_ENV_LITERALS] = { cel_env_literals,
				  "the value looks like a credential; put it into a "
				  "store and "
				  "take it as a file: annotation ampoule.dev/secret-<n>",
				  false },
	[FORBID_FORGED_MARK] = { cel_forged_mark,
				 "the pod says that it is injected, but has no agent; "
				 "remove the annotation, which the webhook sets itself",
				 true },
	[FORBID_CHANGED_AGENT] = { cel_changed_agent,
				   "leave the agent and what is its own to the webhook",
				   false },
	[FORBID_OVERRIDES] = { cel_overrides,
			       "what it sets is the operator's; remove it, or ask for a "
			       "store in the webhook's configuration",
			       false },
	[FORBID_SECRET_VOLUMES] = { emit_secret_volumes,
				    "a Kubernetes Secret as a volume, which lies "
				    "unencrypted in the API; take it from a store: "
				    "annotation ampoule.dev/secret-<n>",
				    true },
	[FORBID_DISK_VOLUMES] = { emit_disk_volumes,
				  "a volume for secrets lies on a disk; use the agent's "
				  "memory volume",
				  true },
	[FORBID_HOST_PATHS] = { emit_host_paths,
				"a folder of the node from which other pods' secrets can "
				"be read; use another volume",
				true },
	[FORBID_DEFAULT_ACCOUNT] = { emit_default_account,
				     "the default service account is shared by all pods "
				     "of the namespace; give the pod an account of its "
				     "own",
				     true },
	[FORBID_ACCOUNT_TOKEN] = { emit_account_token,
				   "the application gets a token for the Kubernetes API; "
				   "set automountServiceAccountToken to false and mount "
				   "none (the agent gets its own token)",
				   true },
	[FORBID_SHARED_PROCESSES] = { emit_shared_processes,
				      "the pod sees other processes; remove it (the "
				      "webhook sets shareProcessNamespace where the "
				      "agent "
				      "must signal)",
				      true },
};

void cel_rules(struct cel *c, struct cel_set *set, const struct policy *p)
{
	const struct cel_check inject = {
		.rule = "require.inject",
		.mode = p->require_inject,
		.places = cel_require_inject(c),
		.remedy =
			"pods here must be injected; add the annotation "
			"ampoule.dev/inject: \"true\" and the secrets that the pod needs",
		.when = "variables.fresh",
	};
	if (p->require_inject != POLICY_OFF)
		cel_add_check(c, set, &inject);
	for (enum policy_forbid i = 0; i < FORBID_COUNT; i++) {
		const struct forbid_row *row = &forbids[i];
		if (p->forbid[i] == POLICY_OFF)
			continue;
		struct cel_check check = {
			.rule = pool_printf(&c->pool, "forbid.%s", policy_forbid_name(i)),
			.mode = p->forbid[i],
			.places = row->emit(c),
			.remedy = row->remedy,
			.when = row->once ? "variables.fresh" : NULL,
		};
		cel_add_check(c, set, &check);
	}
	cel_fact_rules(c, set, p);
	cel_limit_rules(c, set, p);
}

#define ANNOTATIONS                                                                      \
	"by what the pod's annotations say; the operator's settings are not seen"
#define AGENT                                                                            \
	"the agent is known by name, program and image, and not compared with what the " \
	"webhook would make"
#define TEMPLATES                                                                        \
	"by annotations and literals in templates; a path without a store counts as "    \
	"one of "                                                                        \
	"the store 'vault'"

const struct export_fact cel_facts[CEL_FACTS] = {
	{ "match", EXPORT_WHOLE, NULL },
	{ "exempt", EXPORT_PART,
	  "CEL knows no clock: what has ended at the export is left out, the end of "
	  "others "
	  "is an annotation" },
	{ "purpose", EXPORT_PART, ANNOTATIONS },
	{ "update", EXPORT_PART, "of an agent its image and name" },
	{ "binding", EXPORT_WHOLE, NULL },
	{ "require.inject", EXPORT_PART, AGENT },
	{ "forbid.env_secrets", EXPORT_PART, AGENT },
	{ "forbid.env_literals", EXPORT_PART,
	  "no measure of randomness, nothing behind base64 or percent escapes" },
	{ "forbid.secret_volumes", EXPORT_WHOLE, NULL },
	{ "forbid.disk_volumes", EXPORT_WHOLE, NULL },
	{ "forbid.host_paths", EXPORT_WHOLE, NULL },
	{ "forbid.default_account", EXPORT_WHOLE, NULL },
	{ "forbid.account_token", EXPORT_WHOLE, NULL },
	{ "forbid.shared_processes", EXPORT_PART, AGENT },
	{ "forbid.forged_mark", EXPORT_WHOLE, NULL },
	{ "forbid.changed_agent", EXPORT_PART, AGENT },
	{ "forbid.overrides", EXPORT_WHOLE, NULL },
	{ "allow.stores", EXPORT_PART, ANNOTATIONS },
	{ "deny.stores", EXPORT_PART, ANNOTATIONS },
	{ "allow.store_namespaces", EXPORT_PART, ANNOTATIONS },
	{ "deny.store_namespaces", EXPORT_PART, ANNOTATIONS },
	{ "allow.addresses", EXPORT_PART, ANNOTATIONS },
	{ "deny.addresses", EXPORT_PART, ANNOTATIONS },
	{ "allow.roles", EXPORT_PART, ANNOTATIONS },
	{ "deny.roles", EXPORT_PART, ANNOTATIONS },
	{ "allow.paths", EXPORT_PART, TEMPLATES },
	{ "deny.paths", EXPORT_PART, TEMPLATES },
	{ "deny.functions", EXPORT_PART,
	  "by the template's text, which CEL cannot parse" },
	{ "allow.functions", EXPORT_NO, "CEL cannot parse templates" },
	{ "allow.images", EXPORT_WHOLE, NULL },
	{ "deny.images", EXPORT_WHOLE, NULL },
	{ "allow.agent_images", EXPORT_PART, ANNOTATIONS },
	{ "deny.agent_images", EXPORT_PART, ANNOTATIONS },
	{ "allow.annotations", EXPORT_WHOLE, NULL },
	{ "deny.annotations", EXPORT_WHOLE, NULL },
	{ "limits.min_interval", EXPORT_PART, ANNOTATIONS },
	{ "limits.max_files", EXPORT_PART, "counts annotations" },
	{ "limits.max_template", EXPORT_PART, ANNOTATIONS },
	{ "limits.max_ttl", EXPORT_PART,
	  "by the template's text, which CEL cannot parse" },
};
