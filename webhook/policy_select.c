// SPDX-License-Identifier: Apache-2.0
// Whom a policy is for. What the pod's author writes is never believed where the request says
// it too: the namespace is the request's, and an owner counts in favour of a pod only when the
// cluster's own controllers send it. Labels of the pod are its author's word.
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/path_rule.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

bool patterns_match(const struct patterns *p, const char *text, const char *separators)
{
	for (size_t i = 0; i < p->n; i++) {
		const char *pattern = p->list[i];
		if (*pattern != *text && *pattern != '*' && *pattern != '?')
			continue;
		if (path_rule_glob(pattern, text, separators))
			return true;
	}
	return false;
}

void policy_ask_user(struct policy_ask *ask, const char *user)
{
	const json_t *metadata = json_object_get(ask->pod, "metadata");
	ask->user = user;
	ask->mirror = json_object_get(json_object_get(metadata, "annotations"),
				      "kubernetes.io/config.mirror") &&
		      user && str_starts(user, "system:node:");
}

// A cluster whose controllers have no accounts of their own lets them share one user.
static bool is_controller(const char *user)
{
	return user && (str_starts(user, "system:serviceaccount:kube-system:") ||
			strcmp(user, "system:kube-controller-manager") == 0);
}

void identity_of(const struct policy_ask *ask, struct identity *ret)
{
	const json_t *metadata = json_object_get(ask->pod, "metadata"), *one;
	const json_t *spec = json_object_get(ask->pod, "spec");
	const char *account = pod_text(spec, "serviceAccountName");
	if (!*account)
		account = pod_text(spec, "serviceAccount"); // the field's old name
	*ret = (struct identity){
		.namespace_ = ask->namespace_ ? ask->namespace_ : "",
		.account = *account ? account : "default",
		.kind = ask->kind ? ask->kind : "Pod",
		.owner_kind = "",
		.labels = json_object_get(metadata, "labels"),
		.namespace_labels = ask->namespace_labels,
		.by_controller = is_controller(ask->user),
	};
	POD_EACH (json_object_get(metadata, "ownerReferences"), i, one)
		if (json_is_true(json_object_get(one, "controller")))
			ret->owner_kind = pod_text(one, "kind");
}

// A Deployment's pods belong to a ReplicaSet, a CronJob's to a Job.
static bool kind_matches(const struct patterns *kinds, const struct identity *id,
			 bool believed)
{
	static const char *const makers[][2] = { { "ReplicaSet", "Deployment" },
						 { "Job", "CronJob" } };
	if (patterns_match(kinds, id->kind, ""))
		return true;
	if (!believed && !id->by_controller)
		return false;
	if (*id->owner_kind && patterns_match(kinds, id->owner_kind, ""))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		if (strcmp(id->owner_kind, makers[i][0]) == 0 &&
		    patterns_match(kinds, makers[i][1], ""))
			return true;
	return false;
}

// "name", or "namespace/name".
static bool account_matches(const struct patterns *accounts, const struct identity *id)
{
	char whole[320];
	size_t ns = strlen(id->namespace_), name = strlen(id->account);
	if (ns + name + 2 > sizeof(whole))
		return false;
	memcpy(whole, id->namespace_, ns);
	whole[ns] = '/';
	memcpy(whole + ns + 1, id->account, name + 1);
	for (size_t i = 0; i < accounts->n; i++) {
		const char *pattern = accounts->list[i];
		if (path_rule_glob(pattern, strchr(pattern, '/') ? whole : id->account,
				   "/"))
			return true;
	}
	return false;
}

static bool labels_match(const struct label_rule *rules, size_t n, const json_t *labels)
{
	for (size_t i = 0; i < n; i++) {
		const char *value =
			json_string_value(json_object_get(labels, rules[i].key));
		if (!value || !path_rule_glob(rules[i].pattern, value, ""))
			return false;
	}
	return true;
}

bool selector_matches(const struct selector *s, const struct identity *id, bool unknown)
{
	if (s->namespaces.given && !patterns_match(&s->namespaces, id->namespace_, ""))
		return false;
	if (s->service_accounts.given && !account_matches(&s->service_accounts, id))
		return false;
	if (s->kinds.given && !kind_matches(&s->kinds, id, unknown))
		return false;
	if (!labels_match(s->labels, s->n_labels, id->labels))
		return false;
	if (s->n_namespace_labels == 0)
		return true;
	return id->namespace_labels
		       ? labels_match(s->namespace_labels, s->n_namespace_labels,
				      id->namespace_labels)
		       : unknown;
}
