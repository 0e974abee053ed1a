// SPDX-License-Identifier: Apache-2.0
// What the policies' findings mean for an answer: refused or not, the words of the refusal,
// warnings, and the audit annotations that the API server writes into its own audit log.
#pragma once

#include <jansson.h>

#include "webhook/policy.h"

struct metrics;

struct verdict {
	struct policy_result result;
	char *message; // of the refusal; NULL: allowed
	json_t *audit; // {"decision": "deny", "policy": …, "rule": …}; NULL: nothing to say
	const char *decision; // "deny", "warn", "audit", "exempt", "allow"
};

// Warnings of the findings are added to `warnings`.
void verdict_make(const struct policies *ps, const struct policy_ask *ask,
		  json_t *warnings, struct verdict *ret);
// The same of findings that are there already (ret->result).
void verdict_word(json_t *warnings, struct verdict *ret);
void verdict_release(struct verdict *v);

// "policy 'baseline' (forbid.env_secrets): FIELD: what is wrong; what to do". The caller frees.
char *verdict_sentence(const struct policy_finding *f);

// One audit line of the log a finding, and its count in the metrics.
void verdict_report(const struct verdict *v, const char *namespace_, const char *pod,
		    const char *at, bool dry_run, struct metrics *m);
