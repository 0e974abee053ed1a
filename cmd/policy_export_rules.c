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

// Names of variables of the environment of which the condition (over e, x) holds.
static const char *env_where(struct cel *c, const char *list, const char *field,
			     const char *name, const char *condition)
{
	return pool_printf(&c->pool,
			   "%s.map(x, x.at + '.%s[' + x.c.?%s.orValue([]).filter(e, "
			   "%s).map(e, string(%s)).join(', ') + ']')"
			   ".filter(t, !t.endsWith('.%s[]'))",
			   list, field, field, condition, name, field);
}

static const char *emit_env_secrets(struct cel *c)
{
	return pool_printf(&c->pool, "%s + %s",
			   env_where(c, "variables.apps", "env", "e.name",
				     "e.?valueFrom.?secretKeyRef.hasValue()"),
			   env_where(c, "variables.apps", "envFrom",
				     "e.secretRef.?name.orValue('?')",
				     "has(e.secretRef)"));
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

static const char *emit_disk_volumes(struct cel *c)
{
	size_t n;
	const char *const *words = policy_secret_words(&n);
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	buf_puts(&b, "(?i)(?:^|[^a-z0-9])(?:");
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? "|" : "", words[i]);
	buf_puts(&b, ")(?:[^a-z0-9]|$)");
	const char *re = cel_quote(&c->pool, buf_str(&b));
	return pool_printf(
		&c->pool,
		"variables.volumes.filter(v, (has(v.hostPath) || "
		"has(v.persistentVolumeClaim) || has(v.ephemeral) || "
		"(has(v.emptyDir) && v.emptyDir.?medium.orValue('') != 'Memory')) && "
		"(v.name.matches(%s) || variables.every.exists(x, "
		"x.c.?volumeMounts.orValue([]).exists(m, m.name == v.name && "
		"m.mountPath.matches(%s)))))"
		".map(v, 'spec.volumes[' + v.name + ']')",
		re, re);
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
	for (enum policy_forbid i = 0; i < FORBID_COUNT; i++) {
		const struct forbid_row *row = &forbids[i];
		if (p->forbid[i] == POLICY_OFF || !row->emit)
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
}

const struct export_fact cel_facts[] = {
	{ "match", EXPORT_WHOLE, NULL },
	{ "exempt", EXPORT_PART,
	  "CEL knows no clock: what has ended at the export is left out, its end is an "
	  "annotation of the policy" },
	{ "forbid.env_secrets", EXPORT_WHOLE, NULL },
	{ "forbid.secret_volumes", EXPORT_WHOLE, NULL },
	{ "forbid.disk_volumes", EXPORT_WHOLE, NULL },
	{ "forbid.host_paths", EXPORT_WHOLE, NULL },
	{ "forbid.default_account", EXPORT_WHOLE, NULL },
	{ "forbid.account_token", EXPORT_WHOLE, NULL },
	{ "forbid.shared_processes", EXPORT_WHOLE, NULL },
};
const size_t cel_n_facts = ARRAY_LEN(cel_facts);
