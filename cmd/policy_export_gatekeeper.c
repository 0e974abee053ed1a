// SPDX-License-Identifier: Apache-2.0
// Constraints for OPA Gatekeeper: the policy itself as the parameters of one template, whose Rego
// (manifests/elsewhere/gatekeeper) interprets it. A constraint has one enforcementAction, and a
// policy's rules may have modes of their own: so a policy is one constraint for each action that
// can come of it, and each tells only what is its own.
#include <ctype.h>
#include <string.h>

#include "cmd/policy_export.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static const char *const actions[] = { "", "dryrun", "warn", "deny" };

// --- the policy as it is written, in JSON

static void put_text(json_t *to, const char *key, const char *text)
{
	if (text)
		json_object_set_new(to, key, json_string(text));
}

static void put_labels(json_t *to, const char *key, const struct label_rule *rules,
		       size_t n)
{
	json_t *o = json_object();
	for (size_t i = 0; i < n; i++)
		put_text(o, rules[i].key, rules[i].pattern);
	if (n > 0)
		json_object_set(to, key, o);
	json_decref(o);
}

static json_t *selector(const struct selector *s)
{
	json_t *o = json_object();
	patterns_put(o, "namespaces", &s->namespaces);
	patterns_put(o, "service_accounts", &s->service_accounts);
	patterns_put(o, "kinds", &s->kinds);
	put_labels(o, "labels", s->labels, s->n_labels);
	put_labels(o, "namespace_labels", s->namespace_labels, s->n_namespace_labels);
	return o;
}

static void put_day(json_t *to, int64_t until_ms)
{
	char text[CLOCK_RFC3339_LEN];
	clock_rfc3339(until_ms - DAY_MS, text);
	text[strlen("2026-01-31")] = '\0';
	put_text(to, "until", text);
}

static void put_exemptions(json_t *to, const struct policy *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->n_exempt; i++) {
		const struct exemption *x = &p->exempt[i];
		json_t *o = json_object();
		put_text(o, "name", x->name);
		put_text(o, "owner", x->owner);
		put_text(o, "reason", x->reason);
		put_day(o, x->until_ms);
		patterns_put(o, "rules", &x->rules);
		json_object_set_new(o, "who", selector(&x->who));
		json_array_append_new(list, o);
	}
	if (p->n_exempt > 0)
		json_object_set(to, "exempt", list);
	json_decref(list);
}

// Leaves an empty one out.
static void put_part(json_t *to, const char *key, json_t *part)
{
	if (json_object_size(part) > 0)
		json_object_set(to, key, part);
	json_decref(part);
}

static void put_facts(json_t *to, const char *key, const struct patterns *lists, size_t n)
{
	json_t *o = json_object();
	for (size_t i = 0; i < n; i++)
		patterns_put(o, policy_fact_name((enum policy_fact)i), &lists[i]);
	put_part(to, key, o);
}

static json_t *limits_of(const struct policy *p)
{
	json_t *o = json_object();
	for (enum policy_limit i = 0; i < LIMIT_COUNT; i++)
		if (p->limits[i] >= 0)
			json_object_set_new(o, policy_limit_name(i),
					    json_integer(p->limits[i]));
	return o;
}

static json_t *modes_of(const struct policy *p)
{
	json_t *o = json_object();
	for (enum policy_forbid i = 0; i < FORBID_COUNT; i++)
		if (p->forbid[i] != POLICY_OFF)
			put_text(o, policy_forbid_name(i),
				 policy_mode_name(p->forbid[i]));
	return o;
}

static json_t *policy_json(const struct policy *p)
{
	json_t *o = json_object(), *require = json_object();
	put_text(o, "name", p->name);
	put_text(o, "mode", policy_mode_name(p->mode));
	put_text(o, "workloads", policy_mode_name(p->workloads));
	put_text(o, "owner", p->owner);
	put_text(o, "help", p->help);
	put_part(o, "match", selector(&p->match));
	if (p->has_exclude)
		json_object_set_new(o, "exclude", selector(&p->exclude));
	if (p->require_inject != POLICY_OFF)
		put_text(require, "inject", policy_mode_name(p->require_inject));
	put_part(o, "require", require);
	put_part(o, "forbid", modes_of(p));
	put_facts(o, "allow", p->allow, FACT_COUNT);
	put_facts(o, "deny", p->deny, FACT_COUNT);
	put_part(o, "limits", limits_of(p));
	put_exemptions(o, p);
	return o;
}

static json_t *purposes_json(const struct policies *ps)
{
	json_t *list = json_array();
	for (size_t i = 0; i < ps->n_purposes; i++) {
		const struct purpose *p = &ps->purposes[i];
		json_t *o = json_object();
		put_text(o, "name", p->name);
		put_text(o, "mode", policy_mode_name(p->mode));
		json_object_set_new(o, "who", selector(&p->who));
		put_facts(o, "binds", p->binds, ARRAY_LEN(p->binds));
		json_array_append_new(list, o);
	}
	return list;
}

// --- constraints

// The namespaces where the webhook looks at every pod, as its registration has it.
static json_t *match(bool workloads)
{
	json_t *kinds = json_pack("[{s:[s], s:[s]}]", "apiGroups", "", "kinds", "Pod");
	json_t *o = json_pack("{s:o, s:[s,s,s,s]}", "kinds", kinds, "excludedNamespaces",
			      "kube-system", "kube-node-lease", "kube-public",
			      "ampoule-system");
	if (!workloads) {
		json_array_append_new(kinds, json_pack("{s:[s], s:[s]}", "apiGroups", "",
						       "kinds", "Binding"));
		return o;
	}
	json_array_append_new(kinds,
			      json_pack("{s:[s], s:[s,s]}", "apiGroups", "", "kinds",
					"ReplicationController", "PodTemplate"));
	json_array_append_new(kinds, json_pack("{s:[s], s:[s,s,s,s]}", "apiGroups",
					       "apps", "kinds", "Deployment",
					       "StatefulSet", "DaemonSet", "ReplicaSet"));
	json_array_append_new(kinds, json_pack("{s:[s], s:[s,s]}", "apiGroups", "batch",
					       "kinds", "Job", "CronJob"));
	json_object_set_new(o, "namespaceSelector",
			    json_pack("{s:[{s:s, s:s}]}", "matchExpressions", "key",
				      ENFORCE_LABEL, "operator", "Exists"));
	return o;
}

// A name that the API server takes; `i` tells those apart that became the same.
static json_t *name_of(const char *name, size_t i, const char *action)
{
	char text[160], plain[64];
	size_t n = 0;
	for (const char *c = name; *c && n + 1 < sizeof(plain); c++)
		plain[n++] = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c)
							: '-';
	plain[n] = '\0';
	if (strcmp(plain, name) == 0)
		snprintf(text, sizeof(text), "ampoule-%s-%s", plain, action);
	else
		snprintf(text, sizeof(text), "ampoule-%s-%zu-%s", plain, i, action);
	return json_string(text);
}

// `parameters` is taken.
static void add_constraint(const struct export_ask *ask, json_t *to, json_t *name,
			   const char *action, bool workloads, json_t *parameters)
{
	put_text(parameters, "action", action);
	if (ask->settings)
		put_text(parameters, "image", ask->settings->image);
	if (ask->settings && ask->settings->writable)
		json_object_set_new(parameters, "writable", json_true());
	json_array_append_new(to,
			      json_pack("{s:s, s:s, s:{s:o}, s:{s:s, s:o, s:o}}",
					"apiVersion", "constraints.gatekeeper.sh/v1beta1",
					"kind", "AmpoulePolicy", "metadata", "name", name,
					"spec", "enforcementAction", action, "match",
					match(workloads), "parameters", parameters));
}

struct wanted {
	bool mode[POLICY_ENFORCE + 1];
};

static void want(struct wanted *w, enum policy_mode mode, enum policy_mode workloads)
{
	w->mode[mode] = true;
	w->mode[mode < workloads ? mode : workloads] = true;
}

static struct wanted modes_wanted(const struct policy *p)
{
	struct wanted w = { { false } };
	bool lists = false;
	for (size_t i = 0; i < FACT_COUNT; i++)
		lists |= p->allow[i].given || p->deny[i].given;
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		lists |= p->limits[i] >= 0;
	if (lists)
		want(&w, p->mode, p->workloads);
	want(&w, p->require_inject, p->workloads);
	for (size_t i = 0; i < FORBID_COUNT; i++)
		want(&w, p->forbid[i], p->workloads);
	return w;
}

static void add_policy(const struct export_ask *ask, json_t *to, size_t i)
{
	const struct policy *p = &ask->policies->policies[i];
	struct wanted w = modes_wanted(p);
	for (int m = POLICY_ENFORCE; m > POLICY_OFF; m--)
		if (w.mode[m])
			add_constraint(ask, to, name_of(p->name, i, actions[m]),
				       actions[m], true,
				       json_pack("{s:o}", "policy", policy_json(p)));
}

static void add_purposes(const struct export_ask *ask, json_t *to)
{
	const struct policies *ps = ask->policies;
	struct wanted w = { { false } };
	for (size_t i = 0; i < ps->n_purposes; i++)
		want(&w, ps->purposes[i].mode, POLICY_WARN);
	for (int m = POLICY_ENFORCE; m > POLICY_OFF; m--)
		if (w.mode[m])
			add_constraint(ask, to, name_of("purposes", 0, actions[m]),
				       actions[m], true,
				       json_pack("{s:o}", "purposes", purposes_json(ps)));
}

static json_t *make(const struct export_ask *ask)
{
	json_t *to = json_array();
	add_constraint(ask, to, json_string("ampoule-injected-pods"), "deny", false,
		       json_pack("{s:b}", "injected", true));
	for (size_t i = 0; i < ask->policies->n_policies; i++)
		add_policy(ask, to, i);
	add_purposes(ask, to);
	return to;
}

// --- what Rego can say

#define AGENT_PART                                                                       \
	"a forged agent is known by name, program, image and privilege, not field for "  \
	"field"
#define PODS_ONLY "of pods; a workload has no agent's configuration yet"

static const struct export_fact facts[] = {
	{ "match", EXPORT_PART,
	  "`namespace_labels` need an older Gatekeeper to replicate Namespaces "
	  "(`sync.yaml`)" },
	{ "exempt", EXPORT_PART, "one that holds a rule back is not told" },
	{ "purpose", EXPORT_PART, PODS_ONLY },
	{ "update", EXPORT_WHOLE, NULL },
	{ "binding", EXPORT_WHOLE, NULL },
	{ "require.inject", EXPORT_PART, AGENT_PART },
	{ "forbid.env_secrets", EXPORT_WHOLE, NULL },
	{ "forbid.env_literals", EXPORT_WHOLE, NULL },
	{ "forbid.secret_volumes", EXPORT_WHOLE, NULL },
	{ "forbid.disk_volumes", EXPORT_WHOLE, NULL },
	{ "forbid.host_paths", EXPORT_WHOLE, NULL },
	{ "forbid.default_account", EXPORT_WHOLE, NULL },
	{ "forbid.account_token", EXPORT_WHOLE, NULL },
	{ "forbid.shared_processes", EXPORT_PART, AGENT_PART },
	{ "forbid.forged_mark", EXPORT_WHOLE, NULL },
	{ "forbid.changed_agent", EXPORT_PART, AGENT_PART },
	{ "forbid.overrides", EXPORT_WHOLE, NULL },
	{ "allow.stores", EXPORT_PART, PODS_ONLY },
	{ "deny.stores", EXPORT_PART, PODS_ONLY },
	{ "allow.store_namespaces", EXPORT_PART, PODS_ONLY },
	{ "deny.store_namespaces", EXPORT_PART, PODS_ONLY },
	{ "allow.addresses", EXPORT_PART, PODS_ONLY },
	{ "deny.addresses", EXPORT_PART, PODS_ONLY },
	{ "allow.roles", EXPORT_PART, PODS_ONLY },
	{ "deny.roles", EXPORT_PART, PODS_ONLY },
	{ "allow.paths", EXPORT_PART, PODS_ONLY },
	{ "deny.paths", EXPORT_PART, PODS_ONLY },
	{ "allow.functions", EXPORT_PART, PODS_ONLY },
	{ "deny.functions", EXPORT_PART, PODS_ONLY },
	{ "allow.images", EXPORT_WHOLE, NULL },
	{ "deny.images", EXPORT_WHOLE, NULL },
	{ "allow.agent_images", EXPORT_PART, PODS_ONLY ", and with `--config` alone" },
	{ "deny.agent_images", EXPORT_PART, PODS_ONLY ", and with `--config` alone" },
	{ "allow.annotations", EXPORT_WHOLE, NULL },
	{ "deny.annotations", EXPORT_WHOLE, NULL },
	{ "limits.min_interval", EXPORT_PART, PODS_ONLY },
	{ "limits.max_files", EXPORT_PART, PODS_ONLY },
	{ "limits.max_template", EXPORT_PART, PODS_ONLY },
	{ "limits.max_ttl", EXPORT_PART, PODS_ONLY },
};

const struct export_form export_gatekeeper = {
	.name = "gatekeeper",
	.title = "Gatekeeper (Rego)",
	.help = "constraints of manifests/elsewhere/gatekeeper/template.yaml",
	.make = make,
	.facts = facts,
	.n_facts = ARRAY_LEN(facts),
};
