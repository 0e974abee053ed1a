// SPDX-License-Identifier: Apache-2.0
// The plan woven into the pod. What exists already in the wanted form stays as it is; only
// what changes is copied, the rest is shared with the old pod.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

static const struct plan_target *target_of(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_targets; i++)
		if (strcmp(p->targets[i].name, name) == 0)
			return &p->targets[i];
	return NULL;
}

// --- mounts of the application

// Our mount in the list, if it is there. Another at our folder would hide it or be hidden, and
// below it the runtime cannot make a folder, since it is read-only.
static bool find_mount(struct plan *p, const struct plan_target *t, const char *path,
		       const json_t *mounts, size_t *ret, struct err *e)
{
	const json_t *one;
	*ret = json_array_size(mounts);
	POD_EACH (mounts, i, one) {
		const char *below = plan_below(p, pod_text(one, "mountPath"), path);
		if (!below || (*below && p->ask->settings->writable))
			continue;
		if (*below || strcmp(pod_text(one, "name"), SECRETS_VOLUME) != 0)
			return err_set(e, ERR_CONFIG, 0,
				       "container '%.63s' mounts the volume '%.63s' at "
				       "%.100s, where its secrets go; choose another "
				       "folder by the annotation %ssecret-volume-path",
				       t->name, pod_text(one, "name"),
				       pod_text(one, "mountPath"),
				       annotation_prefix_text(p->prefix));
		*ret = i;
	}
	return true;
}

static bool add_mount(struct plan *p, const struct plan_target *t, size_t index,
		      json_t *mounts, struct err *e)
{
	size_t at;
	const char *path = p->mounts[index].path;
	if (!find_mount(p, t, path, mounts, &at, e))
		return false;
	json_t *ours = json_pack("{s:s, s:s}", "name", SECRETS_VOLUME, "mountPath", path);
	if (!p->ask->settings->writable)
		json_object_set_new(ours, "readOnly", json_true());
	if (!p->config_map) // which knows no folders of containers
		json_object_set_new(ours, "subPath",
				    json_string(plan_folder(p, t, index)));
	if (at == json_array_size(mounts))
		return json_array_append_new(mounts, ours) == 0;
	json_t *kept = pod_overlay(json_array_get(mounts, at), ours);
	json_object_del(kept, "subPathExpr"); // beside subPath it is refused
	json_array_set_new(mounts, at, kept);
	json_decref(ours);
	return true;
}

// A mount of the whole volume, made by hand: it shows the folders of all containers.
static void warn_strays(struct plan *p, const struct plan_target *t,
			const json_t *container)
{
	const json_t *mount;
	const char *name = pod_text(container, "name");
	POD_EACH (json_object_get(container, "volumeMounts"), i, mount) {
		bool ours = false;
		if (strcmp(pod_text(mount, "name"), SECRETS_VOLUME) != 0 ||
		    *pod_text(mount, "subPath"))
			continue;
		for (size_t m = 0; t && m < p->n_mounts; m++)
			ours |= strcmp(pod_text(mount, "mountPath"), p->mounts[m].path) ==
				0;
		if (!ours)
			notes_add(p->warnings,
				  "container '%s' mounts the whole volume %s at "
				  "%s and "
				  "sees the files of every container there",
				  name, SECRETS_VOLUME, pod_text(mount, "mountPath"));
	}
}

static bool weave_container(struct plan *p, json_t *container, struct err *e)
{
	const struct plan_target *t = target_of(p, pod_text(container, "name"));
	warn_strays(p, t, container);
	if (!t)
		return true;
	json_t *old = json_object_get(container, "volumeMounts");
	json_t *mounts = json_is_array(old) ? json_copy(old) : json_array();
	json_object_set_new(container, "volumeMounts", mounts);
	for (size_t m = 0; m < p->n_mounts; m++)
		if ((m == 0 || p->mounts[m].used) && !add_mount(p, t, m, mounts, e))
			return false;
	if (!t->env)
		return true;
	const json_t *there = pod_find(mounts, "mountPath", PROGRAM_MOUNT);
	if (there && strcmp(pod_text(there, "name"), PROGRAM_VOLUME) != 0)
		return err_set(
			e, ERR_CONFIG, 0,
			"container '%.63s' mounts a volume of its own at " PROGRAM_MOUNT
			", where mode exec needs the agent; mount "
			"it elsewhere",
			t->name);
	if (!there)
		json_array_append_new(mounts, json_pack("{s:s, s:s, s:b}", "name",
							PROGRAM_VOLUME, "mountPath",
							PROGRAM_MOUNT, "readOnly", 1));
	plan_wrap(p, t, container);
	return true;
}

static bool weave_list(struct plan *p, json_t *spec, const char *key, struct err *e)
{
	json_t *old = json_object_get(spec, key);
	if (!json_is_array(old))
		return true;
	json_t *list = json_array(), *one;
	json_object_set_new(spec, key, list);
	// `old` lives on in the pod, of which spec is a copy.
	POD_EACH (json_object_get(p->spec, key), i, one) {
		json_t *copy = plan_is_agent(one) ? json_incref(one) : json_copy(one);
		json_array_append_new(list, copy);
		if (!plan_is_agent(one) && !weave_container(p, copy, e))
			return false;
	}
	return true;
}

// --- the agent's containers

// Puts `agent` into the list `key`: over the one that is there, else first or last.
static bool place_agent(struct plan *p, json_t *spec, const char *key, json_t *agent,
			bool first, struct err *e)
{
	const char *name = pod_text(agent, "name");
	json_t *list = json_object_get(spec, key);
	if (!json_is_array(list)) { // absent, or null
		list = json_array();
		json_object_set_new(spec, key, list);
	}
	const char *other = *key == 'c' ? "initContainers" : "containers";
	json_t *there = pod_find(list, "name", name);
	if (there ? !plan_is_agent(there)
		  : pod_find(json_object_get(spec, other), "name", name) != NULL)
		return err_set(
			e, ERR_CONFIG, 0,
			"the pod has a container '%.63s' of its own; rename it, or "
			"do not ask for injection",
			name);
	AUTO_JSON json_t *kept = there ? patch_keep(p, there, agent) : json_incref(agent);
	size_t at = first ? 0 : json_array_size(list);
	for (size_t i = 0; there && i < json_array_size(list); i++)
		if (json_array_get(list, i) == there) {
			at = first ? 0 : i; // others may have put theirs before it
			json_array_remove(list, i);
			break;
		}
	json_array_insert(list, at, kept);
	p->agents[p->n_agents++] = kept;
	return true;
}

static bool add_agents(struct plan *p, json_t *spec, struct err *e)
{
	AUTO_JSON json_t *init = NULL;
	AUTO_JSON json_t *side = NULL;
	bool early = p->mode <= MODE_EXEC;
	if (p->no_agent)
		return true;
	if (p->mode > MODE_FIRST && p->populate &&
	    (!plan_container(p, true, &init, e) ||
	     !place_agent(p, spec, "initContainers", init, p->first, e)))
		return false;
	if (p->mode == MODE_INIT)
		return true;
	return plan_container(p, false, &side, e) &&
	       place_agent(p, spec, early ? "initContainers" : "containers", side,
			   p->mode == MODE_FIRST || (early && p->first), e);
}

// --- volumes

static bool is_placed(const struct plan *p, const json_t *container)
{
	for (size_t i = 0; i < p->n_agents; i++)
		if (p->agents[i] == container)
			return true;
	return false;
}

// Of a container's mounts, or of its variables, which may read a volume by fileKeyRef.
static bool guard_list(const json_t *container, bool env, struct err *e)
{
	const json_t *one;
	POD_EACH (json_object_get(container, env ? "env" : "volumeMounts"), i, one) {
		const char *volume = env ? pod_text(pod_file_ref(one), "volumeName")
					 : pod_text(one, "name");
		if (plan_is_private(volume))
			return err_set(e, ERR_DENIED, 0,
				       "container '%.63s' mounts the volume '%.63s', "
				       "which is the agent's alone; remove the %s",
				       pod_text(container, "name"), volume,
				       env ? "fileKeyRef" : "mount");
	}
	return true;
}

// Whatever passes for the agent: its token and home are seen by the placed ones alone.
static bool guard_volumes(const struct plan *p, const json_t *spec, struct err *e)
{
	static const char *const lists[] = { "containers", "initContainers" };
	const json_t *one;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(spec, lists[i]), k, one) {
			if (is_placed(p, one))
				continue;
			if (!guard_list(one, false, e) || !guard_list(one, true, e))
				return false;
		}
	return true;
}

// A volume of our name that is there may be larger.
static void keep_size(const json_t *there, json_t *ours)
{
	double old, own;
	const char *text = pod_text(json_object_get(there, "emptyDir"), "sizeLimit");
	json_t *dir = json_object_get(ours, "emptyDir");
	if (plan_quantity(text, &old) &&
	    plan_quantity(pod_text(dir, "sizeLimit"), &own) && old > own)
		json_object_set_new(dir, "sizeLimit", json_string(text));
}

static bool weave_volumes(const struct plan *p, json_t *spec, struct err *e)
{
	json_t *old = json_object_get(spec, "volumes");
	AUTO_JSON json_t *ours = plan_volumes(p);
	const char *kind;
	json_t *source;
	json_t *one;
	POD_EACH (ours, i, one) {
		const json_t *there = pod_find(old, "name", pod_text(one, "name"));
		bool fits = true;
		json_object_foreach((json_t *)(uintptr_t)one, kind, source)
		{
			fits &= !there || json_object_get(there, kind);
		}
		if (!fits)
			return err_set(e, ERR_CONFIG, 0,
				       "the pod has a volume '%.63s' of another kind; "
				       "rename it",
				       pod_text(one, "name"));
		keep_size(there, one);
	}
	if (json_is_array(old))
		json_object_set_new(spec, "volumes", pod_overlay(old, ours));
	else
		json_object_set(spec, "volumes", ours);
	return true;
}

static void mark(const struct plan *p, json_t *metadata)
{
	json_t *old = json_object_get(metadata, "annotations");
	json_t *annotations = json_is_object(old) ? json_copy(old) : json_object();
	char key[64] = "";
	snprintf(key, sizeof(key), "%s%sinject-status", annotation_prefix_text(p->prefix),
		 p->prefix == PREFIX_OURS ? "" : "agent-");
	json_object_set_new(annotations, key, json_string("injected"));
	if (plan_is_long(p))
		json_object_set_new(annotations, LONG_CONFIG,
				    json_str(p->config, p->config_len));
	// kubectl's logs and exec go to the first container unless told otherwise.
	if (p->mode == MODE_FIRST && p->targets &&
	    !json_object_get(annotations, DEFAULT_CONTAINER))
		json_object_set_new(annotations, DEFAULT_CONTAINER,
				    json_string(p->targets[0].name));
	json_object_set_new(metadata, "annotations", annotations);
}

bool plan_weave(struct plan *p, json_t **ret, struct err *e)
{
	json_t *pod = json_copy((json_t *)(uintptr_t)p->ask->pod);
	json_t *spec = json_copy((json_t *)(uintptr_t)p->spec);
	json_t *metadata = json_is_object(p->metadata)
				   ? json_copy((json_t *)(uintptr_t)p->metadata)
				   : json_object();
	json_object_set_new(pod, "spec", spec);
	json_object_set_new(pod, "metadata", metadata);
	bool ok = weave_list(p, spec, "containers", e) &&
		  weave_list(p, spec, "initContainers", e) && add_agents(p, spec, e) &&
		  (p->no_agent || guard_volumes(p, spec, e)) && weave_volumes(p, spec, e);
	if (p->share_processes)
		json_object_set(spec, "shareProcessNamespace", p->share_processes);
	if (!p->no_agent) // else it would claim what is not there
		mark(p, metadata);
	if (ok)
		*ret = json_incref(pod);
	json_decref(pod);
	return ok;
}
