// SPDX-License-Identifier: Apache-2.0
// Is the agent in this pod ours, whole and unchanged? Asked by doing it again: the pod without
// its agent is injected anew, and both agents must be the same but for what the API server and
// honest neighbours add: that is what a second injection would leave in the container. An
// update that does not touch the agents needs none of this.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "webhook/inject.h"
#include "webhook/patch.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

static const char *const lists[] = { "initContainers", "containers" };

static enum agent_state changed(struct facts *f, const char *field, const char *text)
{
	f->state_field = field;
	f->state_text = text;
	return f->state = AGENT_CHANGED;
}

// --- two versions of a pod

static bool same_agent(const json_t *one, const json_t *other)
{
	AUTO_JSON json_t *a = json_copy((json_t *)(uintptr_t)one);
	AUTO_JSON json_t *b = json_copy((json_t *)(uintptr_t)other);
	json_object_del(a, "resources"); // may be resized
	if (b)
		json_object_del(b, "resources");
	return b && json_equal(a, b);
}

bool agents_same(const json_t *before, const json_t *after, const char **ret)
{
	const json_t *old = json_object_get(before, "spec"),
		     *new = json_object_get(after, "spec"), *one;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(old, lists[i]), k, one) {
			*ret = pod_text(one, "name"); // no update moves one
			if (plan_has_config(one) &&
			    !same_agent(one, json_array_get(
						     json_object_get(new, lists[i]), k)))
				return false;
		}
	return true;
}

static bool is_untouched(const struct facts *f)
{
	const json_t *before = f->ask->before, *pod = f->ask->pod;
	const char *name;
	return before && agents_same(before, pod, &name) &&
	       agents_same(pod, before, &name);
}

// --- the agent that would be made

// The pod's metadata without the mark that it is injected.
static json_t *unmarked(const struct facts *f)
{
	json_t *metadata = json_is_object(f->metadata)
				   ? json_copy((json_t *)(uintptr_t)f->metadata)
				   : json_object();
	json_t *annotations = json_copy((json_t *)(uintptr_t)f->annotations);
	if (!annotations)
		return metadata;
	json_object_set_new(metadata, "annotations", annotations);
	for (enum annotation_prefix p = PREFIX_NONE + 1; p < PREFIX_COUNT; p++) {
		const char *key = pool_printf(f->pool, "%s%sinject-status",
					      annotation_prefix_text(p),
					      p == PREFIX_OURS ? "" : "agent-");
		json_object_del(annotations, key);
	}
	return metadata;
}

// The pod without any container of ours.
static json_t *stripped(const struct facts *f)
{
	json_t *pod = json_copy((json_t *)(uintptr_t)f->ask->pod), *one;
	json_t *spec = json_copy((json_t *)(uintptr_t)f->spec);
	json_object_set_new(pod, "spec", spec);
	json_object_set_new(pod, "metadata", unmarked(f));
	json_object_del(pod, "status");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (!json_object_get(f->spec, lists[i]))
			continue;
		json_t *list = json_array();
		POD_EACH (json_object_get(f->spec, lists[i]), k, one)
			if (!plan_has_config(one))
				json_array_append(list, one);
		json_object_set_new(spec, lists[i], list);
	}
	return pod;
}

// What the API server fills in, what other webhooks may bring, and what may be measured.
static bool may_differ(const char *key)
{
	static const char *const keys[] = {
		"terminationMessagePath", "terminationMessagePolicy",
		"imagePullPolicy",        "resources",
		"resizePolicy",           "securityContext",
		"volumeMounts",           "startupProbe"
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static bool covers(const json_t *now, const json_t *ours);

static bool covers_object(const json_t *now, const json_t *ours)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)ours, key, value)
	{
		const json_t *there = json_object_get(now, key);
		if (!there || !covers(there, value))
			return false;
	}
	return true;
}

// Whether everything of ours is there as it was made; defaults may have been added in objects.
static bool covers(const json_t *now, const json_t *ours)
{
	if (json_is_object(now) && json_is_object(ours))
		return covers_object(now, ours);
	if (!json_is_array(now) || !json_is_array(ours))
		return json_equal(now, ours);
	if (json_array_size(now) != json_array_size(ours))
		return false;
	for (size_t i = 0; i < json_array_size(ours); i++)
		if (!covers(json_array_get(now, i), json_array_get(ours, i)))
			return false;
	return true;
}

static bool is_our_volume(const char *name)
{
	static const char *const names[] = { SECRETS_VOLUME,   HOME_VOLUME,
					     HOME_INIT_VOLUME, STATE_VOLUME,
					     PROGRAM_VOLUME,   TOKEN_VOLUME };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

// `kept` is what a second injection leaves of the container.
static const char *mount_fault(struct facts *f, const json_t *now, const json_t *ours,
			       const json_t *kept)
{
	static const char account[] = "/var/run/secrets/kubernetes.io/serviceaccount";
	const json_t *list = json_object_get(now, "volumeMounts"),
		     *wanted = json_object_get(ours, "volumeMounts"),
		     *may = json_object_get(kept, "volumeMounts"), *one;
	POD_EACH (wanted, i, one) {
		const json_t *there =
			pod_find(list, "mountPath", pod_text(one, "mountPath"));
		if (!there || !covers(there, one))
			return pool_printf(f->pool, "its mount %.100s was changed",
					   pod_text(one, "mountPath"));
	}
	POD_EACH (list, i, one) {
		const char *path = pod_text(one, "mountPath");
		bool good = strcmp(path, account) == 0 ||
			    (pod_find(may, "mountPath", path) &&
			     !is_our_volume(pod_text(one, "name")));
		if (!pod_find(wanted, "mountPath", path) && !good)
			return pool_printf(f->pool, "it has a mount more, %.100s", path);
	}
	return NULL;
}

static const char *context_fault(struct facts *f, const json_t *now, const json_t *ours)
{
	const json_t *old = json_object_get(ours, "securityContext"),
		     *new = json_object_get(now, "securityContext");
	const char *key;
	json_t *value;
	if (!old && !new)
		return NULL;
	if (old && (!new || !covers(new, old)))
		return "its securityContext was loosened";
	json_object_foreach((json_t *)(uintptr_t) new, key, value)
	{
		if (!json_object_get(old, key) &&
		    (json_is_true(value) || strcmp(key, "capabilities") == 0 ||
		     strcmp(key, "procMount") == 0) &&
		    strcmp(key, "runAsNonRoot") != 0)
			return pool_printf(f->pool, "its securityContext has got %.60s",
					   key);
	}
	return NULL;
}

// As of a pod that is injected; each is looked for among the others.
static bool is_large(const json_t *now)
{
	enum { LIST_MAX = 1000 };
	return json_array_size(json_object_get(now, "env")) > LIST_MAX ||
	       json_array_size(json_object_get(now, "volumeMounts")) > LIST_MAX;
}

// The first difference, as a reason; NULL: none that counts.
static const char *fault(struct facts *f, const json_t *now, const json_t *ours)
{
	if (is_large(now))
		return "it has more variables or mounts than any agent";
	AUTO_JSON json_t *notes = json_array();
	const struct inject_ask ask = { .settings = f->made_by };
	const struct plan plan = { .ask = &ask, .warnings = notes };
	AUTO_JSON json_t *kept = patch_keep(&plan, now, ours);
	const char *key;
	json_t *value;
	json_object_foreach(kept, key, value)
	{
		const json_t *there = json_object_get(now, key);
		if (may_differ(key) && strcmp(key, "startupProbe") != 0)
			continue;
		if (!there || !covers(there, value))
			return pool_printf(f->pool,
					   "its %.60s differs from what the webhook "
					   "makes of the annotations",
					   key);
	}
	json_object_foreach((json_t *)(uintptr_t)now, key, value)
	{
		if (!json_object_get(kept, key) && !may_differ(key))
			return pool_printf(f->pool, "it has got %.60s", key);
	}
	const char *mounts = mount_fault(f, now, ours, kept);
	return mounts ? mounts : context_fault(f, now, kept);
}

// The agents of a list alone, so that a large pod is not looked through for each of them.
static json_t *agents_of(const json_t *list)
{
	json_t *ret = json_array(), *one;
	POD_EACH (list, i, one)
		if (plan_has_config(one))
			json_array_append(ret, one);
	return ret;
}

// Each agent that is there against the one that would be made.
static enum agent_state compare(struct facts *f, const json_t *made)
{
	const json_t *spec = json_object_get(made, "spec"), *one, *other;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		AUTO_JSON json_t *wanted = agents_of(json_object_get(spec, lists[i]));
		AUTO_JSON json_t *there = agents_of(json_object_get(f->spec, lists[i]));
		POD_EACH (there, k, one) {
			other = pod_find(wanted, "name", pod_text(one, "name"));
			if (!other || k >= json_array_size(wanted))
				return changed(f, facts_field(f, lists[i], one),
					       "it is an agent that the webhook has not "
					       "made; remove the container");
			const char *why = fault(f, one, other);
			if (why)
				return changed(
					f, facts_field(f, lists[i], one),
					pool_printf(f->pool,
						    "the agent was changed by hand: %s; "
						    "leave the container to the webhook "
						    "(if nobody has changed it, the "
						    "webhook's configuration was just "
						    "being replaced: try again)",
						    why));
		}
		POD_EACH (wanted, k, one)
			if (!pod_find(there, "name", pod_text(one, "name")))
				return changed(f, facts_field(f, lists[i], one),
					       "the agent is missing; leave the "
					       "container to the webhook");
	}
	return f->state = f->agent ? AGENT_OURS : AGENT_NONE;
}

// Held to what these settings make.
static enum agent_state look(struct facts *f, const struct settings *s)
{
	f->made_by = s;
	AUTO_JSON json_t *pod = stripped(f);
	struct inject_ask ask = { .pod = pod,
				  .namespace_ = f->ask->namespace_,
				  .namespace_annotations = f->ask->namespace_annotations,
				  .settings = s,
				  .namespace_labels = f->ask->namespace_labels,
				  .user = f->ask->user,
				  .now_ms = f->ask->now_ms };
	struct inject_result made;
	struct err e = ERR_INIT;
	bool ok = inject_pod(&ask, &made, &e);
	enum agent_state state;
	if (!ok)
		state = changed(f, facts_field(f, f->agent_list, f->agent),
				pool_printf(f->pool,
					    "the webhook would not make this "
					    "agent: %.200s",
					    e.text));
	else if (!made.pod)
		state = changed(f, facts_field(f, f->agent_list, f->agent),
				"it is an agent that nothing asks the webhook for; "
				"remove the container, or ask for injection by "
				"annotation");
	else
		state = compare(f, made.pod);
	inject_release(&made);
	return state;
}

// A pod that was made a moment before a reload, here or in another replica, holds the agent of
// the settings before. Nobody gains by that: he could have made the pod earlier. The policies
// that are asked are the present ones in any case.
enum agent_state agent_look(struct facts *f)
{
	if (f->state != AGENT_UNKNOWN)
		return f->state;
	if (!f->agent)
		return f->state = AGENT_NONE;
	if (f->ask->fresh || is_untouched(f))
		return f->state = AGENT_OURS;
	const struct settings *s = f->ask->settings;
	enum agent_state state = look(f, s);
	const char *field = f->state_field, *text = f->state_text;
	for (; state == AGENT_CHANGED && s->before && f->ask->now_ms < s->before_until_ms;
	     s = s->before)
		state = look(f, s->before);
	f->state_field = field;
	f->state_text = text;
	return f->state = state;
}
