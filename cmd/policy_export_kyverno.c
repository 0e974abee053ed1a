// SPDX-License-Identifier: Apache-2.0
// Kyverno's ValidatingPolicy (1.17 and newer): the same expressions as ValidatingAdmissionPolicy has.
// It knows no bindings, so that pods and workloads have a policy each; its own translation to
// workloads and to ValidatingAdmissionPolicy is off, since both are here already.
#include "cmd/policy_export_cel.h"
#include "lib/base/str.h"

static json_t *policy_of(struct cel *c, const struct cel_set *set,
			 enum policy_mode checks, enum policy_mode mode, bool workloads)
{
	const char *name = pool_printf(&c->pool, "%s-%s", cel_object_name(c, set, checks),
				       workloads ? "workloads" : "pods");
	json_t *spec = cel_spec(c, set, checks,
				workloads ? cel_workload_rules() : cel_pod_rules(set));
	json_object_set_new(spec, "validationActions",
			    json_pack("[s]", cel_actions[mode]));
	json_object_set_new(spec, "autogen",
			    json_pack("{s:{s:[]}, s:{s:b}}", "podControllers",
				      "controllers", "validatingAdmissionPolicy",
				      "enabled", 0));
	json_object_set_new(spec, "evaluation",
			    json_pack("{s:{s:b}}", "background", "enabled", 0));
	return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "policies.kyverno.io/v1",
			 "kind", "ValidatingPolicy", "metadata",
			 cel_metadata(c, name, set), "spec", spec);
}

static void add_objects(struct cel *c, const struct cel_set *set, enum policy_mode mode,
			json_t *to)
{
	enum policy_mode softer = mode > set->workloads ? set->workloads : mode;
	json_array_append_new(to, policy_of(c, set, mode, mode, false));
	if (softer != POLICY_OFF)
		json_array_append_new(to, policy_of(c, set, mode, softer, true));
}

static json_t *make(const struct export_ask *ask)
{
	return cel_objects(ask, add_objects);
}

const struct export_form export_kyverno = {
	.name = "kyverno",
	.title = "Kyverno (CEL)",
	.help = "Kyverno's ValidatingPolicy: the same CEL",
	.make = make,
	.facts = cel_facts,
	.n_facts = CEL_FACTS,
};
