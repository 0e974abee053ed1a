// SPDX-License-Identifier: Apache-2.0
// Whether a pod is injected at all; then plan and weave.
#include "webhook/inject.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/plan.h"

// No pod that runs has longer lists; each is looked through for each annotation.
enum { POD_LIST_MAX = 1000 };

static bool is_system(const char *namespace_)
{
	static const char *const names[] = { "kube-system", "kube-public",
					     "kube-node-lease" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(namespace_, names[i]) == 0)
			return true;
	return false;
}

bool inject_has_agent(const json_t *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	const json_t *one;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(spec, lists[i]), k, one)
			if (plan_is_agent(one))
				return true;
	return false;
}

// A fixed word why nothing is to be done; NULL: inject.
static bool reason_not_to(struct plan *p, const struct inject_ask *ask, const char **ret,
			  struct err *e)
{
	const json_t *spec = json_object_get(ask->pod, "spec"),
		     *annotations = json_object_get(json_object_get(ask->pod, "metadata"),
						    "annotations");
	const char *phase = pod_text(json_object_get(ask->pod, "status"), "phase");
	const struct asked_entry *asks = asked_find(&p->asked, "agent-inject", NULL);
	bool wanted = false;
	*ret = "not asked";
	if (!asked_bool(&p->asked, "agent-inject", &wanted, e))
		return false;
	if (!wanted)
		return true;
	p->prefix = asks->prefix;
	*ret = "already running";
	if (*phase && strcmp(phase, "Pending") != 0)
		return true;
	*ret = "mirror pod";
	if (json_object_get(annotations, "kubernetes.io/config.mirror"))
		return true;
	*ret = "already injected";
	if (strcmp(asked_text(&p->asked, "agent-inject-status", ""), "injected") == 0 &&
	    !inject_has_agent(spec)) {
		notes_add(p->warnings,
			  "nothing is injected: the pod is marked as injected, but has "
			  "no agent; remove that annotation");
		return true;
	}
	*ret = NULL;
	return true;
}

static const json_t *annotations_of(const json_t *pod)
{
	return json_object_get(json_object_get(pod, "metadata"), "annotations");
}

static bool check_size(const json_t *list, const char *name, struct err *e)
{
	return json_array_size(list) <= POD_LIST_MAX ||
	       err_set(e, ERR_LIMIT, 0, "%s has more than %d elements", name,
		       POD_LIST_MAX);
}

static bool check_shape(const json_t *pod, struct err *e)
{
	static const char *const lists[] = { "containers", "initContainers", "volumes" };
	const json_t *spec = json_object_get(pod, "spec"), *one;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const json_t *list = json_object_get(spec, lists[i]);
		if (list && !json_is_array(list) && !json_is_null(list))
			return err_set(e, ERR_CONFIG, 0, "spec.%s is no list", lists[i]);
		if (!check_size(list, lists[i], e))
			return false;
		POD_EACH (list, k, one)
			if (!json_is_object(one))
				return err_set(e, ERR_CONFIG, 0,
					       "spec.%s[%zu] is no object", lists[i], k);
			else if (!check_size(json_object_get(one, "volumeMounts"),
					     "a container's volumeMounts", e) ||
				 !check_size(json_object_get(one, "env"),
					     "a container's env", e))
				return false;
	}
	return json_is_object(spec) || err_set(e, ERR_CONFIG, 0, "the pod has no spec");
}

static bool run(struct plan *p, const struct inject_ask *ask, struct inject_result *ret,
		struct err *e)
{
	const char *own = pod_text(json_object_get(ask->pod, "metadata"), "namespace");
	p->namespace_ = ask->namespace_ && *ask->namespace_ ? ask->namespace_ : own;
	const struct asked_entry *said =
		asked_find(&p->asked, "agent-request-namespace", NULL);
	if (said && !*said->value)
		return asked_wrong(said, e, "the name of a namespace is wanted");
	const char *real = p->namespace_; // an annotation leads nobody out of it
	p->namespace_ = said ? said->value : real;
	if (is_system(real) || is_system(p->namespace_))
		return err_set(e, ERR_DENIED, 0,
			       "pods in the namespace %.63s are not injected; remove the "
			       "annotation that asks for it",
			       is_system(real) ? real : p->namespace_);
	if (!*p->namespace_)
		return err_set(e, ERR_CONFIG, 0, "the request names no namespace");
	if (p->asked.n > ASKED_MAX)
		return err_set(e, ERR_LIMIT, 0,
			       "the pod has more than %d annotations for injection; put "
			       "templates into a ConfigMap",
			       ASKED_MAX);
	if (p->asked.bytes > ASKED_BYTES_MAX)
		return err_set(e, ERR_LIMIT, 0,
			       "the annotations for injection are over %d KiB together, "
			       "more than Kubernetes stores; put templates into a "
			       "ConfigMap",
			       ASKED_BYTES_MAX / 1024);
	if (!check_shape(ask->pod, e) || !plan_make(ask, ret->warnings, p, e))
		return false;
	if (p->nothing) {
		notes_add(ret->warnings,
			  "nothing is injected: there is no annotation of a secret or a "
			  "template");
		ret->why = "nothing to inject";
		return true;
	}
	ret->why = "injected";
	ret->config = json_incref(p->document);
	return plan_weave(p, &ret->pod, e);
}

bool inject_pod(const struct inject_ask *ask, struct inject_result *ret, struct err *e)
{
	struct plan p = { .mode = MODE_NATIVE };
	const json_t *const layers[LAYER_COUNT] = {
		[LAYER_SETTINGS] = ask->settings->annotations,
		[LAYER_NAMESPACE] = ask->namespace_annotations,
		[LAYER_POD] = annotations_of(ask->pod),
	};
	*ret = (struct inject_result){ .warnings = json_array() };
	p.warnings = ret->warnings;
	asked_read(layers, &p.asked, ret->warnings);
	bool ok = reason_not_to(&p, ask, &ret->why, e);
	if (ok && !ret->why)
		ok = run(&p, ask, ret, e);
	plan_release(&p);
	return ok;
}

void inject_release(struct inject_result *r)
{
	json_decref(r->pod);
	json_decref(r->config);
	json_decref(r->warnings);
	*r = (struct inject_result){ .pod = NULL };
}
