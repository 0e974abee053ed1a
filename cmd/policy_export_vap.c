// SPDX-License-Identifier: Apache-2.0
// ValidatingAdmissionPolicy and its binding: one of each for each mode of a policy, judged by the
// API server itself.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/policy_export_cel.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

const char *const cel_actions[] = {
	[POLICY_AUDIT] = "Audit",
	[POLICY_WARN] = "Warn",
	[POLICY_ENFORCE] = "Deny",
};

// A name of an object for any name of a policy.
const char *cel_object_name(struct cel *c, const struct cel_set *set,
			    enum policy_mode mode)
{
	char *name =
		pool_printf(&c->pool, "ampoule-%s-%s", set->name, policy_mode_name(mode));
	for (char *at = name; *at; at++)
		*at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at)
						  : '-';
	return name;
}

// Who answers for an exemption that counts, and until when: CEL cannot ask.
static void note_exemptions(const struct cel *c, const struct policy *p, json_t *to)
{
	for (size_t i = 0; i < p->n_exempt; i++) {
		const struct exemption *x = &p->exempt[i];
		char key[64], text[400], day[CLOCK_RFC3339_LEN];
		if (x->until_ms <= c->ask->now_ms)
			continue;
		clock_rfc3339(x->until_ms - 1, day);
		snprintf(key, sizeof(key), "ampoule.dev/exempt-%zu", i + 1);
		snprintf(text, sizeof(text), "%.100s: owner %.200s, until %.10s", x->name,
			 x->owner, day);
		json_object_set_new(to, key, json_string(text));
	}
}

json_t *cel_metadata(const struct cel *c, const char *name, const struct cel_set *set)
{
	json_t *annotations = json_object();
	const struct policy *p = set->policy;
	json_object_set_new(annotations, "ampoule.dev/policy", json_string(set->name));
	if (p && p->owner)
		json_object_set_new(annotations, "ampoule.dev/owner",
				    json_string(p->owner));
	if (p)
		note_exemptions(c, p, annotations);
	return json_pack("{s:s, s:{s:s}, s:o}", "name", name, "labels",
			 "app.kubernetes.io/part-of", "ampoule", "annotations",
			 annotations);
}

// once: the one operation; NULL: both.
static json_t *rule(const char *group, const char *const *resources, const char *once)
{
	json_t *list = json_array();
	for (; *resources; resources++)
		json_array_append_new(list, json_string(*resources));
	json_t *operations =
		once ? json_pack("[s]", once) : json_pack("[ss]", "CREATE", "UPDATE");
	return json_pack("{s:[s], s:[s], s:o, s:o, s:s}", "apiGroups", group,
			 "apiVersions", "v1", "operations", operations, "resources", list,
			 "scope", "Namespaced");
}

json_t *cel_pod_rules(const struct cel_set *set)
{
	static const char *const pods[] = { "pods", NULL },
				 *const parts[] = { "pods/ephemeralcontainers",
						    "pods/resize", "pods/status", NULL },
				 *const bindings[] = { "bindings", "pods/binding", NULL };
	json_t *list = json_pack("[oo]", rule("", pods, NULL), rule("", parts, "UPDATE"));
	if (set->everywhere)
		json_array_append_new(list, rule("", bindings, "CREATE"));
	return list;
}

json_t *cel_workload_rules(void)
{
	static const char *const core[] = { "replicationcontrollers", "podtemplates",
					    NULL },
				 *const apps[] = { "deployments", "statefulsets",
						   "daemonsets", "replicasets", NULL },
				 *const batch[] = { "jobs", "cronjobs", NULL };
	return json_pack("[ooo]", rule("", core, NULL), rule("apps", apps, NULL),
			 rule("batch", batch, NULL));
}

// As the webhook's own registrations: policies are for pods of namespaces that are labelled for
// them (a pod that asks elsewhere waits for the webhook); what is injected is kept everywhere.
static json_t *constraints(const struct cel_set *set, json_t *rules)
{
	json_t *where =
		json_pack("[{s:s, s:s, s:[ssss]}]", "key", "kubernetes.io/metadata.name",
			  "operator", "NotIn", "values", "kube-system", "kube-node-lease",
			  "kube-public", "ampoule-system");
	if (!set->everywhere)
		json_array_append_new(where, json_pack("{s:s, s:s}", "key", ENFORCE_LABEL,
						       "operator", "Exists"));
	return json_pack("{s:{s:o}, s:o}", "namespaceSelector", "matchExpressions", where,
			 "resourceRules", rules);
}

// A long text in a form that YAML shows without escapes.
static const char *block(struct cel *c, const char *text)
{
	return strlen(text) > 60 ? pool_printf(&c->pool, "%s\n", text) : text;
}

// What is never asked about: a node's own static pods, what goes, and updates that touch nothing
// that a rule speaks of.
static json_t *conditions(void)
{
	static const char *const rows[][2] = {
		{ "no-static-pod",
		  "!('kubernetes.io/config.mirror' in "
		  "object.metadata.?annotations.orValue({}) && "
		  "request.userInfo.username.startsWith('system:node:'))" },
		{ "stays", "!has(object.metadata.deletionTimestamp)" },
		{ "changed",
		  "oldObject == null || "
		  "object.?template != oldObject.?template || "
		  "object.?spec.?template != oldObject.?spec.?template || "
		  "object.?spec.?jobTemplate != oldObject.?spec.?jobTemplate || "
		  "(has(object.spec) && has(object.spec.containers) && "
		  "(object.spec != oldObject.spec || "
		  "object.metadata.?annotations != oldObject.metadata.?annotations || "
		  "object.metadata.?labels != oldObject.metadata.?labels))" },
	};
	json_t *list = json_array();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "name", rows[i][0],
						      "expression", rows[i][1]));
	return list;
}

static void add_validation(struct cel *c, const struct cel_set *set,
			   const struct cel_check *check, size_t i, json_t *variables,
			   json_t *validations)
{
	const char *name = pool_printf(&c->pool, "found_%zu", i + 1);
	const char *help = set->policy && set->policy->help
				   ? pool_printf(&c->pool, " (%s)", set->policy->help)
				   : "";
	const char *places = check->when ? pool_printf(&c->pool, "%s ? (%s) : []",
						       check->when, check->places)
					 : check->places;
	const char *head = pool_printf(&c->pool, "policy '%s' (%s): ", set->name,
				       check->rule),
		   *tail = pool_printf(&c->pool, "%s%s", check->remedy, help);
	json_array_append_new(variables, json_pack("{s:s, s:s}", "name", name,
						   "expression", block(c, places)));
	json_array_append_new(
		validations,
		json_pack("{s:s, s:s, s:s, s:s}", "expression",
			  pool_printf(&c->pool, "variables.%s.size() == 0", name),
			  "messageExpression",
			  pool_printf(&c->pool,
				      "%s + variables.%s[0] + (variables.%s.size() > 1 ? "
				      "' and ' + string(variables.%s.size() - 1) + ' "
				      "more: ' : ': ') + %s\n",
				      cel_quote(&c->pool, head), name, name, name,
				      cel_quote(&c->pool, tail)),
			  "message", pool_printf(&c->pool, "%s%s", head, tail), "reason",
			  "Forbidden"));
}

json_t *cel_spec(struct cel *c, const struct cel_set *set, enum policy_mode mode,
		 json_t *rules)
{
	size_t n;
	const struct cel_variable *needed = cel_needed(c, set, mode, &n);
	json_t *variables = json_array(), *validations = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(variables,
				      json_pack("{s:s, s:s}", "name", needed[i].name,
						"expression",
						block(c, needed[i].expression)));
	for (size_t i = 0; i < set->n_checks; i++)
		if (set->checks[i].mode == mode)
			add_validation(c, set, &set->checks[i], i, variables,
				       validations);
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "failurePolicy", "Fail",
			 "matchConstraints", constraints(set, rules), "matchConditions",
			 conditions(), "variables", variables, "validations",
			 validations);
}

static json_t *policy_of(struct cel *c, const struct cel_set *set, enum policy_mode mode)
{
	json_t *rules = cel_pod_rules(set), *more = cel_workload_rules();
	json_array_extend(rules, more);
	json_decref(more);
	return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion",
			 "admissionregistration.k8s.io/v1", "kind",
			 "ValidatingAdmissionPolicy", "metadata",
			 cel_metadata(c, cel_object_name(c, set, mode), set), "spec",
			 cel_spec(c, set, mode, rules));
}

static json_t *binding_of(const struct cel *c, const char *policy, const char *name,
			  const struct cel_set *set, enum policy_mode mode, json_t *rules)
{
	return json_pack("{s:s, s:s, s:o, s:{s:s, s:[s], s:{s:o}}}", "apiVersion",
			 "admissionregistration.k8s.io/v1", "kind",
			 "ValidatingAdmissionPolicyBinding", "metadata",
			 cel_metadata(c, name, set), "spec", "policyName", policy,
			 "validationActions", cel_actions[mode], "matchResources",
			 "resourceRules", rules);
}

// One policy for pods and workloads; what a mode becomes for each is its binding's.
static void add_objects(struct cel *c, const struct cel_set *set, enum policy_mode mode,
			json_t *to)
{
	const char *name = cel_object_name(c, set, mode);
	json_array_append_new(to, policy_of(c, set, mode));
	for (int workloads = 0; workloads < 2; workloads++) {
		const char *own = pool_printf(&c->pool, "%s-%s", name,
					      workloads ? "workloads" : "pods");
		enum policy_mode m =
			workloads && mode > set->workloads ? set->workloads : mode;
		if (m != POLICY_OFF)
			json_array_append_new(to,
					      binding_of(c, name, own, set, m,
							 workloads ? cel_workload_rules()
								   : cel_pod_rules(set)));
	}
}

static bool has_mode(const struct cel_set *set, enum policy_mode mode)
{
	for (size_t i = 0; i < set->n_checks; i++)
		if (set->checks[i].mode == mode)
			return true;
	return false;
}

json_t *cel_objects(const struct export_ask *ask, cel_add_fn *add)
{
	struct cel c;
	json_t *list = json_array();
	cel_make(ask, &c);
	for (size_t i = 0; i < c.n_sets; i++)
		for (enum policy_mode m = POLICY_ENFORCE; m > POLICY_OFF; m--)
			if (has_mode(&c.sets[i], m))
				add(&c, &c.sets[i], m, list);
	cel_release(&c);
	return list;
}

static json_t *make(const struct export_ask *ask)
{
	return cel_objects(ask, add_objects);
}

const struct export_form export_vap = {
	.name = "vap",
	.title = "ValidatingAdmissionPolicy",
	.help = "ValidatingAdmissionPolicy: CEL in the API server itself",
	.make = make,
	.facts = cel_facts,
	.n_facts = CEL_FACTS,
};
