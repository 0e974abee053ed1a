// SPDX-License-Identifier: Apache-2.0
// POST /validate without HTTP: the bytes of a review → a status and the bytes of the answer.
//
// It is to be registered (ValidatingWebhookConfiguration, failurePolicy Fail) for
//
//	pods                      CREATE, UPDATE
//	pods/ephemeralcontainers  UPDATE
//	pods/resize               UPDATE
//	pods/status               UPDATE, with the matchCondition
//	                          object.metadata.?annotations != oldObject.metadata.?annotations
//	                          || object.metadata.?labels != oldObject.metadata.?labels
//	bindings, pods/binding    CREATE, where they have annotations of ours: the API server
//	                          gives them to the pod
//	deployments, statefulsets, daemonsets, replicasets (apps), jobs, cronjobs (batch)
//	                          CREATE, UPDATE: warnings at kubectl apply
//
// A pod that is created must please every policy. An update is refused only for what it
// brings, so that finalizers, deletion and the kubelet never meet an old fault; and whatever
// the policies say, nobody may change the agent's container, the mark, or our annotations of a
// pod that is injected. Of a workload the pods are injected as they will be, and what the
// policies say of them becomes warnings, or refusals where a policy says workloads =
// "enforce".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "webhook/settings.h"
#include "webhook/verdict.h"

struct validate_note {
	const char *what; // "allowed", "refused", "bad review", …: fixed words
	char namespace_[64];
	char pod[320]; // KIND namespace/name, or …/generateName*
	bool dry_run;
	size_t warnings;
	struct verdict verdict; // released by the caller
};

// What is known of the world besides the review.
struct validate_world {
	int64_t now_ms;
	const json_t *namespace_labels, *namespace_annotations; // or NULL
};

// 0: as MUTATE_ASK_NAMESPACE.
enum { VALIDATE_ASK_NAMESPACE = 0 };
int validate_review(const struct settings *s, const struct validate_world *w,
		    const char *body, size_t len, struct buf *to,
		    struct validate_note *note);
