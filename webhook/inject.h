// SPDX-License-Identifier: Apache-2.0
// Injection: a pod and what its annotations ask for → the pod with an agent. Pure: no clock,
// no network, no file; the same pod gives the same bytes.
//
//	result.pod == NULL   nothing to do, `why` says why
//	false                refused; the error names annotation or field, and the remedy
//
// Injecting twice changes nothing, by content: what is already there in the form that this
// code would write stays, containers that came later get what they lack, and fields that
// others added to the agent's container are left alone.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "webhook/settings.h"

struct inject_ask {
	const json_t *pod;
	const char *namespace_;              // the request's, or NULL
	const json_t *namespace_annotations; // or NULL
	const struct settings *settings;
	const json_t *namespace_labels; // or NULL: not known; for policies
	const char *user;               // who sends it, or NULL; for policies
	int64_t now_ms;                 // for exemptions of policies, 0: none counts
};

struct inject_result {
	json_t *pod;      // the changed pod, which shares what did not change; or NULL
	json_t *config;   // of the agent in it, which is never to be changed; or NULL
	json_t *warnings; // an array of strings; set by refusals too
	const char *why;  // a fixed word: "injected", "not asked", …
};

MUST_CHECK bool inject_pod(const struct inject_ask *ask, struct inject_result *ret,
			   struct err *e);
// Whether a pod's spec has an agent already.
bool inject_has_agent(const json_t *spec);
void inject_release(struct inject_result *r);
