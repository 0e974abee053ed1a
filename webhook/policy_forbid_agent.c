// SPDX-License-Identifier: Apache-2.0
// The rules of `forbid` about the agent: a mark without it, an agent that is not ours, what is
// named or mounted so as to pass for it, and annotations that are the operator's.
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

static const char *const lists[] = { "initContainers", "containers",
				     "ephemeralContainers" };

void forbid_forged_mark(struct judging *j)
{
	struct facts *f = judge_facts(j);
	for (enum annotation_prefix p = PREFIX_NONE + 1; p < PREFIX_COUNT; p++) {
		const char *key = pool_printf(f->pool, "%s%sinject-status",
					      annotation_prefix_text(p),
					      p == PREFIX_OURS ? "" : "agent-");
		if (strcmp(pod_text(f->annotations, key), "injected") == 0 &&
		    agent_look(f) == AGENT_NONE)
			judge_found(j,
				    pool_printf(f->pool, "metadata.annotations[%s]", key),
				    "the pod says that it is injected, but has no agent; "
				    "remove the annotation, which the webhook sets "
				    "itself");
	}
}

// --- what passes for the agent

static bool is_agent_name(const char *name)
{
	return strcmp(name, AGENT_NAME) == 0 || strcmp(name, AGENT_INIT_NAME) == 0;
}

// A container's own folder of the secrets' volume: its name, with a number behind a dot for
// further mounts.
static bool is_own_folder(const char *folder, size_t n, const char *container)
{
	size_t len = strlen(container);
	if (len == 0 || strncmp(folder, container, len) != 0)
		return false;
	const char *rest = folder + len;
	return len == n || (*rest == '.' && len + 1 < n &&
			    len + 1 + strspn(rest + 1, "0123456789") == n);
}

// Of a mount; or of the fileKeyRef of a variable, for which the kubelet reads.
static const char *mount_fault(const struct facts *f, const json_t *mount, bool file,
			       const char *container)
{
	const char *volume = pod_text(mount, file ? "volumeName" : "name"),
		   *path = pod_text(mount, file ? "path" : "subPath");
	bool locked = file || json_is_true(json_object_get(mount, "readOnly"));
	if (plan_is_private(volume))
		return "mounts a volume that is the agent's alone";
	if (strcmp(volume, PROGRAM_VOLUME) == 0 && !locked)
		return "could change the agent's program";
	if (strcmp(volume, SECRETS_VOLUME) != 0 || f->config_map)
		return NULL;
	if (!is_own_folder(path, file ? strcspn(path, "/") : strlen(path), container))
		return "mounts more of the secrets' volume than its own folder";
	return locked || f->ask->settings->writable ? NULL
						    : "could write where the agent does";
}

static void look_at_mounts(struct judging *j, const char *list, const json_t *c,
			   bool file)
{
	struct facts *f = judge_facts(j);
	const json_t *one;
	POD_EACH (json_object_get(c, file ? "env" : "volumeMounts"), i, one) {
		const json_t *mount = file ? pod_file_ref(one) : one;
		const char *why = mount_fault(f, mount, file, pod_text(c, "name"));
		if (why)
			judge_found(
				j,
				pool_printf(f->pool, "%s.%s[%.150s]",
					    facts_field(f, list, c),
					    file ? "env" : "volumeMounts",
					    pod_text(one, file ? "name" : "mountPath")),
				"the container %s (%.63s); remove the %s", why,
				pod_text(mount, file ? "volumeName" : "name"),
				file ? "fileKeyRef" : "mount");
	}
}

// The agent is never one, so that none of them is spared.
static bool is_ephemeral(const char *list)
{
	return strcmp(list, "ephemeralContainers") == 0;
}

static void look_at_container(struct judging *j, const char *list, const json_t *c)
{
	struct facts *f = judge_facts(j);
	const char *field = facts_field(f, list, c), *image = pod_text(c, "image");
	const char *target = pod_text(c, "targetContainerName");
	bool ephemeral = is_ephemeral(list);
	if (is_agent_name(pod_text(c, "name")) && !plan_has_config(c))
		judge_found(j, field,
			    "it has the agent's name, but is not the agent; rename it");
	if (ephemeral && plan_has_config(c))
		judge_found(j, field, "it is a second agent; remove it");
	if (is_agent_name(target))
		judge_found(j, field,
			    "it looks into the agent's processes "
			    "(targetContainerName); choose another container");
	if (!plan_has_config(c) && f->agent &&
	    (strcmp(image, f->ask->settings->image) == 0 ||
	     strcmp(image, pod_text(f->agent, "image")) == 0))
		judge_found(j, field,
			    "it runs the agent's image on its own account; leave the "
			    "agent to the webhook");
	if (!f->agent && strcmp(image, f->ask->settings->image) == 0)
		judge_found(j, field,
			    "it runs the agent's image by hand; ask for injection by "
			    "annotation");
	look_at_mounts(j, list, c, false);
	look_at_mounts(j, list, c, true);
}

// A volume with the name of one of ours is of our kind.
static void look_at_volumes(struct judging *j)
{
	static const char *const names[] = { SECRETS_VOLUME, HOME_VOLUME,
					     HOME_INIT_VOLUME, STATE_VOLUME,
					     PROGRAM_VOLUME };
	struct facts *f = judge_facts(j);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const json_t *one =
			pod_find(json_object_get(f->spec, "volumes"), "name", names[i]);
		if (one && strcmp(pod_text(json_object_get(one, "emptyDir"), "medium"),
				  "Memory") != 0)
			judge_found(j, pool_printf(f->pool, "spec.volumes[%s]", names[i]),
				    "it has the name of a volume of the webhook's, but "
				    "is another one; rename it");
	}
}

void forbid_changed_agent(struct judging *j)
{
	struct facts *f = judge_facts(j);
	const json_t *one;
	if (agent_look(f) == AGENT_CHANGED)
		judge_found(j, f->state_field, "%s", f->state_text);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(f->spec, lists[i]), k, one)
			if (is_ephemeral(lists[i]) ||
			    (one != f->agent && !(plan_has_config(one) &&
						  is_agent_name(pod_text(one, "name")))))
				look_at_container(j, lists[i], one);
	look_at_volumes(j);
}

// --- the operator's own

static const char *const operators[] = {
	"service",
	"ca-cert",
	"ca-key",
	"tls-skip-verify",
	"tls-server-name",
	"tls-secret",
	"proxy-address",
	"auth-type",
	"auth-path",
	"auth-config-token-path",
	"auth-config-token_path",
	"auth-config-path",
	"auth-config-ca-cert",
	"auth-config-ca_cert",
	"agent-image",
	"agent-configmap",
	"agent-json-patch",
	"agent-init-json-patch",
	"agent-extra-secret",
	"agent-service-account-token-volume-name",
};

const char *const *policy_override_names(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(operators);
	return operators;
}

void forbid_overrides(struct judging *j)
{
	struct facts *f = judge_facts(j);
	for (size_t i = 0; i < f->uses[FACT_ANNOTATIONS].n; i++) {
		const struct fact *fact = &f->uses[FACT_ANNOTATIONS].list[i];
		bool hit = false;
		for (size_t k = 0; k < ARRAY_LEN(operators); k++)
			hit |= strcasecmp(fact->value, operators[k]) == 0 ||
			       (fact->also[1] &&
				strcasecmp(fact->also[1], operators[k]) == 0);
		if (hit)
			judge_found(j, fact->field,
				    "what it sets is the operator's; remove it, or ask "
				    "for a store in the webhook's configuration");
	}
}
