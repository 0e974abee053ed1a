// SPDX-License-Identifier: Apache-2.0
// A review and its answer: is the object as the policies want it?
#include "webhook/validate.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"
#include "webhook/inject.h"
#include "webhook/notes.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"
#include "webhook/review.h"

enum { GOOD = 200, BAD_REQUEST = 400 };

struct validating {
	const struct settings *settings;
	const struct validate_world *world;
	const struct review *r;
	struct validate_note *note;
	json_t *warnings;
};

static const json_t *metadata_of(const json_t *object)
{
	return json_object_get(object, "metadata");
}

static void name_object(const struct review *r, struct validate_note *note)
{
	const json_t *metadata = metadata_of(r->object);
	const char *name = *r->name ? r->name : pod_text(metadata, "name");
	bool whole = *name;
	if (!whole)
		name = pod_text(metadata, "generateName");
	snprintf(note->namespace_, sizeof(note->namespace_), "%.63s", r->namespace_);
	snprintf(note->pod, sizeof(note->pod), "%s%s%.63s/%.200s%s",
		 strcmp(r->kind, "Pod") == 0 ? "" : r->kind,
		 strcmp(r->kind, "Pod") == 0 ? "" : " ", r->namespace_, name,
		 whole ? "" : "*");
}

// --- updates: what holds whatever the policies say

// The policy in whose name an injected pod is kept as it is.
static const char keeper[] = "injected-pods";

// What an update may not break, as a policy.
static void judge_kept(const struct policy_ask *ask, struct policy_result *to)
{
	struct policy policy = { .name = keeper,
				 .file = "",
				 .mode = POLICY_ENFORCE,
				 .workloads = POLICY_WARN,
				 .limits = { -1, -1, -1, -1 },
				 .forbid = { [FORBID_CHANGED_AGENT] = POLICY_ENFORCE,
					     [FORBID_FORGED_MARK] = POLICY_ENFORCE } };
	struct policies kept = { .policies = &policy,
				 .n_policies = policy_ready(&policy) };
	policies_judge(&kept, ask, to);
}

static bool is_injected(const json_t *pod)
{
	static const char *const lists[] = { "initContainers", "containers" };
	const json_t *spec = json_object_get(pod, "spec"), *one;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(spec, lists[i]), k, one)
			if (plan_has_config(one))
				return true;
	return false;
}

// The first of our annotations that one has otherwise than the other, the mark before all
// others, or NULL.
static const char *changed_annotation(const json_t *one, const json_t *two, bool *mark)
{
	const char *key, *suffix, *first = NULL;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)one, key, value)
	{
		const json_t *other = json_object_get(two, key);
		if (annotation_prefix_of(key, &suffix) == PREFIX_NONE ||
		    (other && json_equal(value, other)))
			continue;
		*mark = str_ends(suffix, "inject-status");
		if (*mark)
			return key;
		first = first ? first : key;
	}
	return first;
}

static void refuse(struct verdict *v, const char *rule, const char *field,
		   const char *text)
{
	struct policy_finding f = { .policy = keeper,
				    .rule = rule,
				    .field = field,
				    .text = text,
				    .mode = POLICY_ENFORCE };
	policy_result_add(&v->result, &f);
}

// What no update may do.
static void guard(const json_t *before, const json_t *after, struct verdict *v)
{
	const json_t *old = json_object_get(metadata_of(before), "annotations"),
		     *new = json_object_get(metadata_of(after), "annotations");
	bool mark = false;
	const char *key = changed_annotation(old, new, &mark), *container;
	if (!mark) {
		const char *added = changed_annotation(new, old, &mark);
		key = !key || mark ? added : key;
	}
	AUTO_FREE char *field =
		mem_printf("metadata.annotations[%.150s]", key ? key : "");
	if (key && (mark || is_injected(before)))
		refuse(v, "update.annotations", field,
		       "it cannot be changed on a pod that exists; change the template "
		       "of its controller, so that a new pod is made");
	if (agents_same(before, after, &container))
		return;
	AUTO_FREE char *place = mem_printf("container '%.63s'", container);
	refuse(v, "update.agent", place,
	       "the agent of a pod that exists cannot be changed; change the template of "
	       "its controller, so that a new pod is made");
}

// --- pods

static void fill_ask(const struct validating *v, const json_t *pod,
		     struct policy_ask *ask)
{
	*ask = (struct policy_ask){
		.settings = v->settings,
		.pod = pod,
		.namespace_ = v->r->namespace_,
		.namespace_labels = v->world->namespace_labels,
		.namespace_annotations = v->world->namespace_annotations,
		.kind = v->r->kind,
		.now_ms = v->world->now_ms,
	};
	policy_ask_user(ask, v->r->user);
}

static void answer_update(struct validating *v, struct policy_ask *ask)
{
	const struct review *r = v->r;
	struct verdict *verdict = &v->note->verdict;
	if (json_object_get(metadata_of(r->object), "deletionTimestamp"))
		return; // it goes; nothing holds it back
	ask->before = r->old_object;
	guard(r->old_object, r->object, verdict);
	if (verdict->result.n == 0 && is_injected(r->old_object))
		judge_kept(ask, &verdict->result);
	if (verdict->result.n > 0) {
		verdict_word(v->warnings, verdict);
		return;
	}
	verdict_release(verdict);
	verdict_make(v->settings->policies, ask, v->warnings, verdict);
}

static bool same_member(const json_t *a, const json_t *b, const char *key)
{
	const json_t *one = json_object_get(a, key), *two = json_object_get(b, key);
	return one == two || (one && two && json_equal(one, two));
}

static void answer_pod(struct validating *v)
{
	const struct review *r = v->r;
	struct policy_ask ask;
	fill_ask(v, r->object, &ask);
	if (!r->old_object || strcmp(r->operation, "UPDATE") != 0)
		verdict_make(v->settings->policies, &ask, v->warnings, &v->note->verdict);
	else if (!same_member(r->object, r->old_object, "spec") ||
		 !same_member(metadata_of(r->object), metadata_of(r->old_object),
			      "annotations") ||
		 !same_member(metadata_of(r->object), metadata_of(r->old_object),
			      "labels"))
		answer_update(v, &ask);
}

// A Binding gives its annotations to a pod that exists.
static void answer_binding(struct validating *v)
{
	struct verdict *verdict = &v->note->verdict;
	bool mark;
	const char *key = changed_annotation(
		json_object_get(metadata_of(v->r->object), "annotations"), NULL, &mark);
	if (!key)
		return;
	AUTO_FREE char *field = mem_printf("metadata.annotations[%.150s]", key);
	refuse(verdict, "update.annotations", field,
	       "a Binding would give it to a pod that exists; remove it");
	verdict_word(v->warnings, verdict);
}

// --- workloads

static const json_t *template_of(const json_t *object)
{
	const json_t *spec = json_object_get(object, "spec");
	const json_t *job = json_object_get(json_object_get(spec, "jobTemplate"), "spec");
	const json_t *places[] = { json_object_get(spec, "template"),
				   json_object_get(job, "template"),
				   json_object_get(object, "template") };
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (json_is_object(json_object_get(places[i], "spec")))
			return places[i];
	return NULL;
}

static void answer_workload(struct validating *v, const json_t *pod)
{
	struct policy_ask ask;
	struct inject_result made;
	struct err e = ERR_INIT;
	struct inject_ask inject = { .pod = pod,
				     .namespace_ = v->r->namespace_,
				     .namespace_annotations =
					     v->world->namespace_annotations,
				     .settings = v->settings,
				     .namespace_labels = v->world->namespace_labels,
				     .user = v->r->user,
				     .now_ms = v->world->now_ms };
	const json_t *note;
	if (v->r->old_object && template_of(v->r->old_object) &&
	    json_equal(template_of(v->r->old_object), pod))
		return; // scaled, or marked: nothing new
	bool ok = inject_pod(&inject, &made, &e);
	POD_EACH (made.warnings, i, note)
		notes_add(v->warnings, "%s", json_string_value(note));
	if (!ok)
		notes_add(v->warnings, "its pods will be refused: %s", e.text);
	fill_ask(v, made.pod ? made.pod : pod, &ask);
	ask.fresh = made.pod && !is_injected(pod);
	ask.config = ask.fresh ? made.config : NULL;
	verdict_make(v->settings->policies, &ask, v->warnings, &v->note->verdict);
	inject_release(&made);
}

// --- the review

static bool concerns_us(const struct review *r)
{
	static const char *const pod_parts[] = { "", "ephemeralcontainers", "resize",
						 "status" };
	if (!r->object || (*r->operation && strcmp(r->operation, "CREATE") != 0 &&
			   strcmp(r->operation, "UPDATE") != 0))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(pod_parts); i++)
		if (strcmp(r->sub_resource, pod_parts[i]) == 0)
			return i == 0 || strcmp(r->kind, "Pod") == 0;
	return false;
}

static void answer(struct validating *v, struct buf *to)
{
	const struct review *r = v->r;
	struct verdict *verdict = &v->note->verdict;
	const json_t *pod = template_of(r->object);
	v->note->what = "allowed";
	if (strcmp(r->kind, "Binding") == 0)
		answer_binding(v);
	else if (!concerns_us(r))
		v->note->what = "not asked";
	else if (strcmp(r->kind, "Pod") == 0)
		answer_pod(v);
	else if (pod)
		answer_workload(v, pod);
	else
		v->note->what = "not asked";
	struct review_answer a = { .allowed = !verdict->message,
				   .message = verdict->message,
				   .warnings = v->warnings,
				   .audit = verdict->audit };
	if (verdict->message)
		v->note->what = "refused";
	v->note->warnings = json_array_size(v->warnings);
	review_write(r, &a, to);
}

int validate_review(const struct settings *s, const struct validate_world *w,
		    const char *body, size_t len, struct buf *to,
		    struct validate_note *note)
{
	struct review r;
	struct err e = ERR_INIT;
	AUTO_JSON json_t *warnings = json_array();
	*note = (struct validate_note){ .what = "bad review" };
	if (!review_parse(body, len, &r, &e)) {
		buf_printf(to, "%s\n", e.text);
		review_release(&r);
		return BAD_REQUEST;
	}
	if (!*r.kind && r.object)
		r.kind = pod_text(r.object, "kind");
	note->dry_run = r.dry_run;
	name_object(&r, note);
	const json_t *about;
	if (!settings_namespace(s, r.namespace_, &about)) {
		review_release(&r);
		return VALIDATE_ASK_NAMESPACE;
	}
	struct validate_world world = *w;
	if (about) {
		world.namespace_annotations = json_object_get(about, "annotations");
		world.namespace_labels = json_object_get(about, "labels");
	}
	struct validating v = { s, &world, &r, note, warnings };
	answer(&v, to);
	review_release(&r);
	return GOOD;
}
