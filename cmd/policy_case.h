// SPDX-License-Identifier: Apache-2.0
// Cases for policies: what a security team expects of its policies, as files that anybody can
// add and that other engines can read. One YAML document a file, NAME.yaml:
//
//	case: a Secret in the environment is refused     # what is tried, one line
//	policies: [../../manifests/policies/baseline.hcl] # files, folders; from the case's folder
//	policy: |                                        # or policies in place, or both
//	  policy "x" { forbid { env_secrets = true } }
//	settings: |                                      # the webhook's own configuration; without
//	  image = "registry.example/ampoule:1"           # it: this image, a Vault address, a role
//	now: 2026-06-01              # the day on which it is asked (2026-06-01), for exemptions
//	namespace: shop              # the request's (shop)
//	namespaceLabels: {tier: gold}   # as far as the webhook knows them; without it: unknown
//	user: system:serviceaccount:kube-system:replicaset-controller
//	operation: UPDATE            # CREATE when it is missing
//	subResource: ephemeralcontainers
//	inject: false                # the object does not pass /mutate first
//	object: {…}                  # Pod, Deployment, Job, … as its author sends it
//	after: [{op: add, …}]        # a JSON patch of the injected pod, before /validate sees it
//	update: [{op: replace, …}]   # a JSON patch of the stored pod: the case is this UPDATE
//	oldObject: {…}               # or an UPDATE with both objects written out
//	expect:
//	  decision: deny             # deny, warn, audit, exempt or allow
//	  policy: x                  # the policy and rule that say so; none for allow
//	  rule: forbid.env_secrets
//	  text: secretKeyRef         # a part of the reason
//
// A pod that is created goes the whole way: injected as /mutate does it, `after`, /validate. A
// refusal of /mutate itself (a wrong annotation) is a deny without policy and rule.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "webhook/settings.h"

struct policy_case {
	const char *file, *title; // title lives in `document`
	json_t *document;
	json_t *review;       // the AdmissionReview of /validate; NULL: /mutate refused
	const char *decision; // what came out
	char *reasons;        // all findings, one a line
	bool passed;
	char *difference; // of a failed one: what was expected, what came
};

// False, with an error, when the file is no case. *ret is released by the caller either way.
MUST_CHECK bool policy_case_run(const char *file, struct policy_case *ret, struct err *e);
// The same for a document that is there already, under the settings' own policies; what is
// expected need not be said.
MUST_CHECK bool policy_case_judge(const struct settings *s, struct policy_case *c,
				  struct err *e);
void policy_case_release(struct policy_case *c);

// Calls fn for each *.yaml below a folder whose document is a case (has `expect`), sorted;
// or for the one file. Errors of a single file are fn's business.
typedef void policy_case_fn(void *ctx, const char *file);
MUST_CHECK bool policy_cases_each(const char *path, policy_case_fn *fn, void *ctx,
				  struct err *e);
