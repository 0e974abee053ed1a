// SPDX-License-Identifier: Apache-2.0
// The rules of `forbid` that look at the pod's own part: environment, volumes, identity.
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "webhook/plan.h"
#include "webhook/policy_int.h"

static const char *const lists[] = { "initContainers", "containers",
				     "ephemeralContainers" };

typedef void container_fn(struct judging *j, const char *list, const json_t *container);

// All containers but the webhook's own agent.
static void each_container(struct judging *j, container_fn *fn)
{
	struct facts *f = judge_facts(j);
	const json_t *one;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		POD_EACH (json_object_get(f->spec, lists[i]), k, one)
			if (!facts_is_ours(f, lists[i], one))
				fn(j, lists[i], one);
}

static const char *env_field(struct judging *j, const char *list, const json_t *container,
			     const json_t *entry)
{
	struct facts *f = judge_facts(j);
	return pool_printf(f->pool, "%s.env[%.100s]", facts_field(f, list, container),
			   pod_text(entry, "name"));
}

// --- volumes

static const char *const words[] = { "secret", "secrets",  "credential", "credentials",
				     "creds",  "password", "passwords",  "token",
				     "tokens", "vault",    "keys",       "private" };

const char *const *policy_secret_words(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(words);
	return words;
}

// Whether one of the words of a name or path says that secrets lie there.
static bool speaks_of_secrets(const char *text)
{
	for (const char *p = text; *p;) {
		size_t len = 0;
		while (isalnum((unsigned char)p[len]))
			len++;
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (strlen(words[i]) == len && strncasecmp(words[i], p, len) == 0)
				return true;
		p += len + (p[len] != '\0');
	}
	return false;
}

// Of a volume that a container mounts.
enum { MOUNTED = 1, MOUNTED_FOR_SECRETS = 2 };

static void note_mounts(struct facts *f, const json_t *container, bool ours)
{
	const json_t *one;
	POD_EACH (json_object_get(container, "volumeMounts"), i, one) {
		const char *name = pod_text(one, "name");
		json_int_t what = json_integer_value(json_object_get(f->mounted, name));
		if (!ours)
			what |= MOUNTED;
		if (speaks_of_secrets(pod_text(one, "mountPath")))
			what |= MOUNTED_FOR_SECRETS;
		json_object_set_new(f->mounted, name, json_integer(what));
	}
}

// The table is made once: a pod may have thousands of volumes and mounts.
static bool is_noted(struct facts *f, const char *volume, json_int_t what)
{
	const json_t *one;
	bool made = f->mounted;
	if (!made)
		f->mounted = json_object();
	for (size_t i = 0; i < ARRAY_LEN(lists) && !made; i++)
		POD_EACH (json_object_get(f->spec, lists[i]), k, one)
			note_mounts(f, one, facts_is_ours(f, lists[i], one));
	return json_integer_value(json_object_get(f->mounted, volume)) & what;
}

// Whether a container other than the agent mounts it.
static bool is_mounted(struct facts *f, const char *volume)
{
	return is_noted(f, volume, MOUNTED);
}

static const char *volume_field(struct facts *f, const json_t *volume)
{
	return pool_printf(f->pool, "spec.volumes[%.63s]", pod_text(volume, "name"));
}

static bool holds_secret(const json_t *volume)
{
	const json_t *one;
	if (json_object_get(volume, "secret"))
		return true;
	POD_EACH (json_object_get(json_object_get(volume, "projected"), "sources"), i,
		  one)
		if (json_object_get(one, "secret"))
			return true;
	return false;
}

void forbid_secret_volumes(struct judging *j)
{
	struct facts *f = judge_facts(j);
	const json_t *one;
	POD_EACH (json_object_get(f->spec, "volumes"), i, one)
		if (holds_secret(one) && is_mounted(f, pod_text(one, "name")))
			judge_found(j, volume_field(f, one),
				    "a Kubernetes Secret as a volume, which lies "
				    "unencrypted in the API; take it from a store: "
				    "annotation ampoule.dev/secret-<n>");
}

// Where the volume lies on a disk, or NULL.
static const char *disk_of(const json_t *volume)
{
	const json_t *empty = json_object_get(volume, "emptyDir");
	if (json_is_object(empty))
		return strcmp(pod_text(empty, "medium"), "Memory") == 0
			       ? NULL
			       : "an emptyDir without medium: Memory";
	if (json_object_get(volume, "hostPath"))
		return "a folder of the node";
	if (json_object_get(volume, "persistentVolumeClaim") ||
	    json_object_get(volume, "ephemeral"))
		return "a persistent volume";
	return NULL;
}

// A folder of secrets, by its name or because the agent delivers there.
static bool is_for_secrets(struct facts *f, const char *name)
{
	return speaks_of_secrets(name) || is_noted(f, name, MOUNTED_FOR_SECRETS);
}

void forbid_disk_volumes(struct judging *j)
{
	struct facts *f = judge_facts(j);
	const json_t *one;
	POD_EACH (json_object_get(f->spec, "volumes"), i, one) {
		const char *disk = disk_of(one);
		if (disk && is_for_secrets(f, pod_text(one, "name")))
			judge_found(j, volume_field(f, one),
				    "a volume for secrets lies on a disk: it is %s; use "
				    "the agent's memory volume",
				    disk);
	}
}

// --- the environment

static void look_for_refs(struct judging *j, const char *list, const json_t *container)
{
	const json_t *one;
	struct facts *f = judge_facts(j);
	POD_EACH (json_object_get(container, "env"), i, one) {
		const char *file = pod_text(pod_file_ref(one), "volumeName");
		if (*file && is_for_secrets(f, file))
			judge_found(j, env_field(j, list, container, one),
				    "a file of a volume for secrets in an environment "
				    "variable (fileKeyRef); let the application read "
				    "the file");
		if (json_object_get(json_object_get(one, "valueFrom"), "secretKeyRef"))
			judge_found(j, env_field(j, list, container, one),
				    "a Kubernetes Secret in an environment variable "
				    "(secretKeyRef); take it as a file: annotation "
				    "ampoule.dev/secret-<n>");
	}
	POD_EACH (json_object_get(container, "envFrom"), i, one)
		if (json_object_get(one, "secretRef"))
			judge_found(j,
				    pool_printf(f->pool, "%s.envFrom[%zu]",
						facts_field(f, list, container), i),
				    "a whole Kubernetes Secret in the environment "
				    "(secretRef); take it as a file: annotation "
				    "ampoule.dev/secret-<n>");
}

void forbid_env_secrets(struct judging *j)
{
	each_container(j, look_for_refs);
}

static void look_for_literals(struct judging *j, const char *list,
			      const json_t *container)
{
	const json_t *one;
	POD_EACH (json_object_get(container, "env"), i, one) {
		const char *why =
			literal_credential(pod_text(one, "name"), pod_text(one, "value"));
		if (why)
			judge_found(j, env_field(j, list, container, one),
				    "its value looks like %s; put it into a store and "
				    "take it as a file: annotation "
				    "ampoule.dev/secret-<n>",
				    why);
	}
}

void forbid_env_literals(struct judging *j)
{
	each_container(j, look_for_literals);
}

// --- the node's folders

// Where the secrets of other pods can be read, or their processes reached.
static const char *const guarded[] = {
	"/var/lib/kubelet",
	"/proc",
	"/run",
	"/var/run",
	"/var/lib/containerd",
	"/var/lib/containers",
	"/var/lib/docker",
	"/var/lib/etcd",
	"/etc/kubernetes",
	"/dev",
};

const char *const *policy_guarded_folders(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(guarded);
	return guarded;
}

// Whether one path is the other or lies below it.
static bool overlaps(const char *path, const char *folder)
{
	size_t a = strlen(path), b = strlen(folder);
	size_t len = a < b ? a : b;
	return len == 0 || (strncmp(path, folder, len) == 0 &&
			    (a == b || (a > b ? path[len] : folder[len]) == '/'));
}

// Without doubled slashes, ".", and a slash at the end; NULL with "..", which may lead anywhere.
static const char *plain_folder(struct facts *f, const char *path)
{
	char *to = pool_strdup(f->pool, path);
	size_t len = 0;
	struct str rest = str_of(path), part;
	while (str_next(&rest, '/', &part)) {
		if (str_eq(part, ".."))
			return NULL;
		if (part.len == 0 || str_eq(part, "."))
			continue;
		to[len++] = '/';
		memmove(to + len, part.p, part.len);
		len += part.len;
	}
	to[len] = '\0';
	return to;
}

void forbid_host_paths(struct judging *j)
{
	struct facts *f = judge_facts(j);
	const json_t *one;
	POD_EACH (json_object_get(f->spec, "volumes"), i, one) {
		const json_t *host = json_object_get(one, "hostPath");
		if (!host)
			continue;
		const char *path = plain_folder(f, pod_text(host, "path"));
		bool bad = !path || pod_text(host, "path")[0] != '/';
		for (size_t k = 0; !bad && k < ARRAY_LEN(guarded); k++)
			bad = overlaps(path, guarded[k]);
		if (bad)
			judge_found(j, volume_field(f, one),
				    "a folder of the node from which other pods' secrets "
				    "can be read (hostPath %.100s); use another volume",
				    pod_text(host, "path"));
	}
}

// --- identity

void forbid_default_account(struct judging *j)
{
	struct facts *f = judge_facts(j);
	if (strcmp(f->id.account, "default") == 0)
		judge_found(j, "spec.serviceAccountName",
			    "the default service account is shared by all pods of the "
			    "namespace; give the pod an account of its own");
}

static bool holds_token(const json_t *volume)
{
	const json_t *one;
	POD_EACH (json_object_get(json_object_get(volume, "projected"), "sources"), i,
		  one)
		if (json_object_get(one, "serviceAccountToken"))
			return true;
	return false;
}

void forbid_account_token(struct judging *j)
{
	struct facts *f = judge_facts(j);
	const json_t *one;
	if (!json_is_false(json_object_get(f->spec, "automountServiceAccountToken"))) {
		judge_found(j, "spec.automountServiceAccountToken",
			    "the application gets a token for the Kubernetes API; set "
			    "it to false (the agent gets its own token)");
		return;
	}
	POD_EACH (json_object_get(f->spec, "volumes"), i, one)
		if (holds_token(one) && is_mounted(f, pod_text(one, "name")))
			judge_found(j, volume_field(f, one),
				    "a projected service account token is mounted into "
				    "the application; remove the mount (the agent gets "
				    "its own token)");
}

void forbid_shared_processes(struct judging *j)
{
	struct facts *f = judge_facts(j);
	if (json_is_true(json_object_get(f->spec, "hostPID")))
		judge_found(j, "spec.hostPID",
			    "the pod sees the processes of the node; remove it");
	if (json_is_true(json_object_get(f->spec, "shareProcessNamespace")) &&
	    agent_look(f) != AGENT_OURS)
		judge_found(j, "spec.shareProcessNamespace",
			    "containers can look into each other's processes; remove it "
			    "(the webhook sets it where the agent must signal)");
}
