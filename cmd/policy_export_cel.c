// SPDX-License-Identifier: Apache-2.0
// Policies → sets of checks, and the variables that read an object once.
#include "cmd/policy_export_cel.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"
#include "webhook/plan.h"
#include "webhook/settings.h"

// --- the variables; a later one may use those before it

#define AGENT_ENV "['" CONFIG_ENV "', '" SOCKET_ENV "']"
#define EACH(list)                                                                       \
	"variables.spec.?" list ".orValue([]).map(c, {'at': dyn('spec." list             \
	"[' + c.name + ']'), 'c': c})"

static const struct cel_variable library[] = {
	// A pod, or the template of a workload.
	{ "pod", "has(object.template) ? object.template : "
		 "has(object.spec.jobTemplate) ? object.spec.jobTemplate.spec.template : "
		 "has(object.spec.template) ? object.spec.template : object" },
	{ "is_pod", "has(object.spec) && has(object.spec.containers)" },
	// Of an update: what was there before is not asked about again.
	{ "old", "variables.is_pod && oldObject != null ? oldObject : {}" },
	{ "fresh", "!variables.is_pod || oldObject == null" },
	{ "spec", "variables.pod.spec" },
	{ "labels", "variables.pod.?metadata.?labels.orValue({})" },
	{ "annotations", "variables.pod.?metadata.?annotations.orValue({})" },
	{ "old_annotations", "variables.old.?metadata.?annotations.orValue({})" },
	{ "namespace_labels", "namespaceObject.?metadata.?labels.orValue({})" },
	{ "account", "[variables.spec.?serviceAccountName.orValue(''), "
		     "variables.spec.?serviceAccount.orValue(''), dyn('default')]"
		     ".filter(a, a != '')[0]" },
	// The object's kind and those of the pod's controllers and of their makers.
	{ "owners", "variables.pod.?metadata.?ownerReferences.orValue([])"
		    ".filter(o, o.?controller.orValue(false)).map(o, string(o.kind))" },
	{ "kinds",
	  "[request.kind.kind] + variables.owners + "
	  "(variables.owners.exists(k, k == 'ReplicaSet') ? ['Deployment'] : []) "
	  "+ (variables.owners.exists(k, k == 'Job') ? ['CronJob'] : [])" },
	// Owners count where the cluster's own controllers send the pod.
	{ "true_kinds",
	  "request.userInfo.username.startsWith('system:serviceaccount:kube-system:') || "
	  "request.userInfo.username == 'system:kube-controller-manager' ? "
	  "variables.kinds : [request.kind.kind]" },
	// Containers, each with the name of its field.
	{ "every", EACH("initContainers") " + " EACH("containers") " + " EACH(
			   "ephemeralContainers") },
	{ "old_containers", "variables.old.?spec.?initContainers.orValue([]) + "
			    "variables.old.?spec.?containers.orValue([]) + "
			    "variables.old.?spec.?ephemeralContainers.orValue([])" },
	{ "containers", "variables.every.filter(x, !(x.c in variables.old_containers))" },
	// What has the agent's environment; and what is the agent as the webhook makes it.
	{ "agents", "variables.every.filter(x, !x.at.startsWith('spec.eph') && "
		    "x.c.?env.orValue([]).exists(e, e.name in " AGENT_ENV "))" },
	{ "ours", NULL },
	{ "apps", "variables.containers.filter(x, !variables.ours.exists(o, o.at == "
		  "x.at))" },
	{ "mounts",
	  "variables.apps.map(x, x.c.?volumeMounts.orValue([]).map(m, m.name))" },
	{ "volumes", "variables.spec.?volumes.orValue([])" },
};

static void add_variable(struct cel *c, struct cel_set *set, const char *name,
			 const char *expression)
{
	set->variables = pool_append(&c->pool, set->variables, &set->n_variables,
				     sizeof(*set->variables));
	set->variables[set->n_variables - 1] = (struct cel_variable){ name, expression };
}

// The agent by its name, program and, where the settings are known, image.
static const char *ours(struct cel *c)
{
	const struct settings *s = c->ask->settings;
	const char *image = s && s->image ? cel_quote(&c->pool, s->image) : NULL;
	return pool_printf(&c->pool,
			   "variables.agents.filter(x, x.c.name in ['" AGENT_NAME
			   "', '" AGENT_INIT_NAME
			   "'] && x.c.?command.orValue([]) == ['" AGENT_PATH "']%s%s)",
			   image ? " && x.c.image == " : "", image ? image : "");
}

void cel_library(struct cel *c, struct cel_set *set)
{
	for (size_t i = 0; i < ARRAY_LEN(library); i++)
		add_variable(c, set, library[i].name,
			     library[i].expression ? library[i].expression : ours(c));
}

// --- what of it is needed

static bool names(const char *text, const char *variable)
{
	static const char prefix[] = "variables.";
	size_t len = strlen(variable);
	for (const char *at = text; at && (at = strstr(at, prefix));) {
		at += sizeof(prefix) - 1;
		if (strncmp(at, variable, len) == 0 && !isalnum((unsigned char)at[len]) &&
		    at[len] != '_')
			return true;
	}
	return false;
}

struct cel_variable *cel_needed(struct cel *c, const struct cel_set *set,
				enum policy_mode mode, size_t *ret_n)
{
	bool *needed = pool_alloc(&c->pool, set->n_variables + 1);
	struct cel_variable *list =
		pool_alloc(&c->pool, (set->n_variables + 1) * sizeof(*list));
	memset(needed, 0, set->n_variables + 1);
	for (size_t i = set->n_variables; i-- > 0;) {
		const char *name = set->variables[i].name;
		for (size_t k = 0; k < set->n_checks && !needed[i]; k++) {
			const struct cel_check *one = &set->checks[k];
			needed[i] = (mode == POLICY_OFF || one->mode == mode) &&
				    (names(one->places, name) || names(one->when, name));
		}
		for (size_t k = i + 1; k < set->n_variables && !needed[i]; k++)
			needed[i] =
				needed[k] && names(set->variables[k].expression, name);
	}
	*ret_n = 0;
	for (size_t i = 0; i < set->n_variables; i++)
		if (needed[i])
			list[(*ret_n)++] = set->variables[i];
	return list;
}

// --- policies

static struct cel_set *add_set(struct cel *c, const char *name)
{
	c->sets = pool_append(&c->pool, c->sets, &c->n_sets, sizeof(*c->sets));
	struct cel_set *set = &c->sets[c->n_sets - 1];
	*set = (struct cel_set){ .name = name, .workloads = POLICY_WARN };
	cel_library(c, set);
	return set;
}

static void add_when(struct cel *c, struct cel_check *check, const char *condition)
{
	check->when = check->when
			      ? pool_printf(&c->pool, "%s && %s", check->when, condition)
			      : condition;
}

// Exemptions that still count, as variables that their rules ask first.
static void add_exemptions(struct cel *c, struct cel_set *set)
{
	const struct policy *p = set->policy;
	for (size_t i = 0; i < p->n_exempt; i++) {
		const struct exemption *x = &p->exempt[i];
		const char *name = pool_printf(&c->pool, "exempt_%zu", i + 1);
		if (x->until_ms <= c->ask->now_ms)
			continue;
		add_variable(c, set, name, cel_selector(&c->pool, &x->who, false));
		for (size_t k = 0; k < set->n_checks; k++)
			if (!x->rules.given ||
			    patterns_match(&x->rules, set->checks[k].rule, "."))
				add_when(c, &set->checks[k],
					 pool_printf(&c->pool, "!variables.%s", name));
	}
}

// Whether the policy is for the object: asked by each check, before all else.
static void add_applies(struct cel *c, struct cel_set *set)
{
	const struct policy *p = set->policy;
	const char *match = cel_selector(&c->pool, &p->match, true);
	const char *text =
		p->has_exclude ? pool_printf(&c->pool, "%s && !(%s)", match,
					     cel_selector(&c->pool, &p->exclude, false))
			       : match;
	if (strcmp(text, "true") == 0)
		return;
	add_variable(c, set, "applies", text);
	for (size_t k = 0; k < set->n_checks; k++)
		add_when(c, &set->checks[k], "variables.applies");
}

void cel_make(const struct export_ask *ask, struct cel *ret)
{
	const struct policies *ps = ask->policies;
	*ret = (struct cel){ .ask = ask };
	for (size_t i = 0; i < ps->n_policies; i++) {
		struct cel_set *set = add_set(ret, ps->policies[i].name);
		set->policy = &ps->policies[i];
		set->workloads = ps->policies[i].workloads;
		cel_rules(ret, set, set->policy);
		add_exemptions(ret, set);
		add_applies(ret, set);
	}
}

void cel_release(struct cel *c)
{
	pool_release(&c->pool);
}
