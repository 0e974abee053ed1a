// SPDX-License-Identifier: Apache-2.0
// Policies in CEL, the language of ValidatingAdmissionPolicy (and of Kyverno): each rule is an
// expression that gives the list of places where a pod breaks it, over variables that read the
// pod once. No expression may fail for any object that the API server lets through, since a
// failing one refuses the pod: every optional field is asked for with `.?` or has().
//
// Limits of the API server (k8s.io/apiserver/pkg/apis/cel): an expression may cost 1,000,000, a
// policy 10,000,000; so regular expressions meet short texts only.
#pragma once

#include "cmd/policy_export.h"
#include "lib/base/buf.h"

struct cel_variable {
	const char *name, *expression; // "variables.NAME" in later ones
};

struct cel_check {
	const char *rule; // "forbid.env_secrets"
	enum policy_mode mode;
	const char *places; // a list of texts: field, and what is there
	const char *remedy;
	const char *when; // where it is asked at all
};

// What becomes an object for each of its modes.
struct cel_set {
	const struct policy *policy; // NULL: a purpose, or what holds for injected pods
	const char *name;            // as in messages
	bool everywhere;             // also in namespaces without the label for policies
	enum policy_mode workloads;  // the hardest that a workload meets
	struct cel_variable *variables;
	size_t n_variables;
	struct cel_check *checks;
	size_t n_checks;
};

struct cel {
	struct pool pool; // of all texts
	const struct export_ask *ask;
	struct cel_set *sets;
	size_t n_sets;
};

void cel_make(const struct export_ask *ask, struct cel *ret);
void cel_release(struct cel *c);

// A regular expression that the keys of our annotations and the peers' match, quoted.
const char *cel_prefixes(struct cel *c);
// The variables of a set that the checks of one mode need, in order; mode POLICY_OFF: of all.
struct cel_variable *cel_needed(struct cel *c, const struct cel_set *set,
				enum policy_mode mode, size_t *ret_n);

// --- policy_export_text.c: CEL texts. Results live in the pool.
const char *cel_quote(struct pool *pool, const char *text); // 'it\'s'
const char *cel_list(struct pool *pool, const char *const *list, size_t n);
// A regular expression (RE2) that is the glob; `*` and `?` stop at the separators.
const char *cel_glob(struct pool *pool, const char *glob, const char *separators);
// "TEXT.matches('^(?:…)$')" for the patterns; "false" without any.
const char *cel_matches(struct pool *pool, const char *text, const struct patterns *p,
			const char *separators);
// The same for "store:path", with each spelling of a path that a store reads as the same.
const char *cel_matches_path(struct pool *pool, const char *text,
			     const struct patterns *p, bool deny);
// Whether a selector matches; `believed`: owners that the pod's author may have written count.
const char *cel_selector(struct pool *pool, const struct selector *s, bool believed);

// --- policy_export_rules.c
void cel_rules(struct cel *c, struct cel_set *set, const struct policy *p);
void cel_add_check(struct cel *c, struct cel_set *set, const struct cel_check *check);
// Containers of the application with the names of their variables (of `field`, env or envFrom)
// for which the condition over e holds.
const char *cel_env_where(struct cel *c, const char *field, const char *name,
			  const char *condition);
enum { CEL_FACTS = 39 };
extern const struct export_fact cel_facts[CEL_FACTS];

// --- policy_export_agent.c, policy_export_literal.c: lists of places
const char *cel_require_inject(struct cel *c);
const char *cel_forged_mark(struct cel *c);
const char *cel_changed_agent(struct cel *c);
const char *cel_overrides(struct cel *c);
const char *cel_env_literals(struct cel *c);
const char *cel_literal_tokens(struct cel *c); // its three variables
const char *cel_literal_inside(struct cel *c);
const char *cel_literal_names(struct cel *c);
void cel_update_rules(struct cel *c, struct cel_set *set);

// --- policy_export_facts.c
void cel_fact_rules(struct cel *c, struct cel_set *set, const struct policy *p);
void cel_limit_rules(struct cel *c, struct cel_set *set, const struct policy *p);
void cel_purpose_rules(struct cel *c, struct cel_set *set, const struct purpose *p);

// --- policy_export_vap.c: what its objects share with those of others. JSON is the caller's.
extern const char *const cel_actions[]; // of a mode: "Deny", …
const char *cel_object_name(struct cel *c, const struct cel_set *set,
			    enum policy_mode mode);
json_t *cel_metadata(const struct cel *c, const char *name, const struct cel_set *set);
json_t *cel_pod_rules(const struct cel_set *set); // and Bindings, if everywhere
json_t *cel_workload_rules(void);
// The checks of one mode with all that they need; takes `rules`, the resources.
json_t *cel_spec(struct cel *c, const struct cel_set *set, enum policy_mode mode,
		 json_t *rules);
// The objects that `add` makes of each mode of each set that has one.
typedef void cel_add_fn(struct cel *c, const struct cel_set *set, enum policy_mode mode,
			json_t *to);
json_t *cel_objects(const struct export_ask *ask, cel_add_fn *add);
