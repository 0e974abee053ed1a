// SPDX-License-Identifier: Apache-2.0
// The agent's containers and the pod's volumes, small and closed by default.
#include <limits.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

enum {
	CONFIG_ENV_MAX = 128 * 1024,
	TOKEN_SECONDS = 3600,
	FILE_ROOM = 64 * 1024, // of the volume, for each file beside its template's text
	VERSIONS = 3,          // the present one, the one before, the one being written
	MIB = 1 << 20,
	PROGRAM_MIB = 4,
	GATE_SECONDS = 300, // the agent's own deadline ends it first, with the reason
	GATE_GRACE = 30,
	PROBE_SECONDS = 15, // more than PROBE_WAIT
	MAP_ROOM = MIB,     // when the files are the user's own
};

#define PROBE_WAIT "10s"
#define CONFIG_MAP_VOLUME "vault-config"
#define CONFIG_MAP_MOUNT "/vault/configs"

// --- environment

static void put_field(json_t *env, const char *name, const char *path)
{
	json_array_append_new(env, json_pack("{s:s, s:{s:{s:s}}}", "name", name,
					     "valueFrom", "fieldRef", "fieldPath", path));
}

static bool put_config(const struct plan *p, json_t *env, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(CONFIG_ENV_MAX);
	if (plan_is_long(p) ? !plan_long_value(p, &b, e)
			    : !codec_b64_encode(p->config, p->config_len, B64_STD, &b))
		return false;
	json_array_append_new(env, json_pack("{s:s, s:s%}", "name", CONFIG_ENV, "value",
					     buf_str(&b), b.len));
	return true;
}

static void put_variable(json_t *env, const char *name, const char *value)
{
	json_array_append_new(env, json_pack("{s:s, s:s}", "name", name, "value", value));
}

// Beside the user's configuration files: what annotations say of the connection, by the
// peer's variables.
static void put_variables(const struct plan *p, json_t *env)
{
	put_variable(env, SOCKET_ENV, AGENT_SOCKET);
	for (size_t i = 0; i < p->asked.n; i++) {
		const struct asked_entry *entry = &p->asked.entries[i];
		const struct option_row *row = entry->row;
		AUTO_FREE char *name = row->env ? mem_printf("VAULT_%s", row->env) : NULL;
		bool off = false, truth = true;
		if (row->type == OPTION_BOOL && str_bool(entry->value, &truth, NULL))
			off = !truth; // any text but an empty one is true to the peer
		if (name && *entry->value && !row->env_own && !off)
			put_variable(env, name, entry->value);
	}
}

static bool environment(const struct plan *p, json_t **ret, struct err *e)
{
	*ret = json_array();
	put_field(*ret, "NAMESPACE", "metadata.namespace");
	put_field(*ret, "HOST_IP", "status.hostIP");
	put_field(*ret, "POD_IP", "status.podIP");
	put_field(*ret, "POD_NAME", "metadata.name");
	plan_workload_env(p, *ret);
	if (!p->config_map)
		return put_config(p, *ret, e);
	put_variables(p, *ret);
	return true;
}

// --- resources

static double power(double base, size_t n)
{
	double value = 1;
	while (n-- > 0)
		value *= base;
	return value;
}

bool plan_quantity(const char *s, double *ret)
{
	static const char small[] = "mun", large[] = "KMGTPE";
	size_t digits = strspn(s, "0123456789"), all = digits;
	if (s[all] == '.') {
		size_t more = strspn(s + all + 1, "0123456789");
		all += more + 1;
		digits += more;
	}
	const char *unit = s + all, *at;
	char number[40] = "";
	if (digits == 0 || all >= sizeof(number))
		return false;
	if ((*unit == 'e' || *unit == 'E') && unit[1])
		return str_double(s, ret, NULL);
	memcpy(number, s, all);
	if (!str_double(number, ret, NULL))
		return false;
	if (!*unit)
		return true;
	bool two = strcmp(unit + 1, "i") == 0;
	if (unit[1] && !two)
		return false;
	if (!two && (at = strchr(small, *unit))) {
		*ret /= power(1000, (size_t)(at - small) + 1);
		return true;
	}
	at = *unit == 'k' && !two   ? large
	     : *unit == 'K' && !two ? NULL
				    : strchr(large, *unit);
	if (at)
		*ret *= power(two ? 1024 : 1000, (size_t)(at - large) + 1);
	return at;
}

static bool put_quantity(const struct plan *p, const char *name, const char *key,
			 json_t *to, struct err *e)
{
	const struct asked_entry *entry = asked_find(&p->asked, name, NULL);
	const char *unused;
	const char *value =
		entry ? entry->value
		      : annotation_find(PREFIX_VAULT, name, &unused)->default_;
	if (!value || !*value)
		return true; // an empty annotation takes the entry away
	double amount;
	if (!plan_quantity(value, &amount))
		return asked_wrong(entry, e,
				   "'%.40s' is no quantity; examples: 250m, 64Mi", value);
	json_object_set_new(to, key, json_string(value));
	return true;
}

// A default gives way to an annotation that contradicts it: no request is above its limit.
static void settle(const struct plan *p, json_t *requests, json_t *limits,
		   const char *const names[2], const char *key)
{
	double least, most;
	json_t *request = json_object_get(requests, key),
	       *limit = json_object_get(limits, key);
	if (!request || !limit || !plan_quantity(json_string_value(request), &least) ||
	    !plan_quantity(json_string_value(limit), &most) || least <= most)
		return;
	if (!asked_find(&p->asked, names[0], NULL))
		json_object_set(requests, key, limit);
	else if (!asked_find(&p->asked, names[1], NULL))
		json_object_set(limits, key, request);
}

static bool resources(const struct plan *p, json_t **ret, struct err *e)
{
	static const char *const cpu[] = { "agent-requests-cpu", "agent-limits-cpu" },
				 *const memory[] = { "agent-requests-mem",
						     "agent-limits-mem" };
	json_t *requests = json_object(), *limits = json_object();
	*ret = json_object();
	bool ok =
		put_quantity(p, cpu[0], "cpu", requests, e) &&
		put_quantity(p, memory[0], "memory", requests, e) &&
		put_quantity(p, "agent-requests-ephemeral", "ephemeral-storage", requests,
			     e) &&
		put_quantity(p, cpu[1], "cpu", limits, e) &&
		put_quantity(p, memory[1], "memory", limits, e) &&
		put_quantity(p, "agent-limits-ephemeral", "ephemeral-storage", limits, e);
	settle(p, requests, limits, cpu, "cpu");
	settle(p, requests, limits, memory, "memory");
	if (json_object_size(limits) > 0)
		json_object_set(*ret, "limits", limits);
	if (json_object_size(requests) > 0)
		json_object_set(*ret, "requests", requests);
	json_decref(limits);
	json_decref(requests);
	return ok;
}

static json_t *security(const struct plan *p)
{
	json_t *s = json_pack("{s:b, s:{s:[s]}, s:b}", "allowPrivilegeEscalation", 0,
			      "capabilities", "drop", "ALL", "readOnlyRootFilesystem", 1);
	bool ids = !p->ask->settings->openshift;
	if (ids)
		json_object_set_new(s, "runAsGroup", json_integer(p->gid));
	json_object_set_new(s, "runAsNonRoot",
			    json_boolean(!ids || (p->uid != 0 && p->gid != 0)));
	if (ids)
		json_object_set_new(s, "runAsUser", json_integer(p->uid));
	json_object_set_new(s, "seccompProfile",
			    json_pack("{s:s}", "type", "RuntimeDefault"));
	return s;
}

// --- mounts

static void mount(json_t *list, const char *volume, const char *path, bool read_only)
{
	if (pod_find(list, "mountPath", path))
		return;
	json_t *m = json_pack("{s:s, s:s}", "name", volume, "mountPath", path);
	if (read_only)
		json_object_set_new(m, "readOnly", json_true());
	json_array_append_new(list, m);
}

// The mounts of a container, but not its service account's token, from `at` on.
static bool copy_mounts(const struct plan *p, json_t *list, size_t at, struct err *e)
{
	const struct asked_entry *entry =
		asked_find(&p->asked, "agent-copy-volume-mounts", NULL);
	if (!entry || !*entry->value)
		return true;
	const json_t *from =
		pod_find(json_object_get(p->spec, "containers"), "name", entry->value);
	if (!from)
		from = pod_find(json_object_get(p->spec, "initContainers"), "name",
				entry->value);
	if (!from)
		return asked_wrong(entry, e, "the pod has no container '%.63s'",
				   entry->value);
	AUTO_JSON json_t *ours = json_copy(list);
	json_t *one;
	POD_EACH (json_object_get(from, "volumeMounts"), i, one) {
		const char *path = pod_text(one, "mountPath");
		if (strcasestr(path, "serviceaccount") ||
		    strcmp(pod_text(one, "name"), SECRETS_VOLUME) == 0 ||
		    pod_find(ours, "mountPath", path))
			continue;
		if (!patch_may_mount(p, ours, path))
			return asked_wrong(
				entry, e,
				"the mount %.100s of container '%.63s' would "
				"hide what the agent needs; mount it elsewhere",
				path, entry->value);
		json_array_insert(list, at++, one);
	}
	return true;
}

static bool mounts(const struct plan *p, bool init, json_t **ret, struct err *e)
{
	*ret = json_array();
	mount(*ret, init ? HOME_INIT_VOLUME : HOME_VOLUME, HOME_MOUNT, false);
	if (p->token.volume)
		mount(*ret, p->token.volume, p->token.mount, true);
	plan_workload_mounts(p, *ret);
	mount(*ret, SECRETS_VOLUME, p->config_map ? p->mounts[0].path : SECRETS_MOUNT,
	      false);
	if (*asked_text(&p->asked, "agent-extra-secret", ""))
		mount(*ret, "extra-secrets", "/vault/custom", true);
	size_t behind = json_array_size(*ret); // the peer's order
	if (p->config_map)
		mount(*ret, CONFIG_MAP_VOLUME, CONFIG_MAP_MOUNT, true);
	if (*asked_text(&p->asked, "tls-secret", ""))
		mount(*ret, "vault-tls-secrets", "/vault/tls", true);
	if (plan_is_long(p))
		mount(*ret, LONG_CONFIG_VOLUME, LONG_CONFIG_MOUNT, true);
	if (p->mode == MODE_EXEC)
		mount(*ret, PROGRAM_VOLUME, PROGRAM_MOUNT, false);
	if (p->mode == MODE_PAIR && p->populate)
		mount(*ret, STATE_VOLUME, STATE_MOUNT, false);
	return copy_mounts(p, *ret, behind, e);
}

// --- the container

static int gate_seconds(const struct plan *p)
{
	int64_t ms = 0;
	const char *wait = asked_text(&p->asked, "wait-timeout", "");
	bool said = *wait && str_duration_ms(wait, &ms, NULL) && ms / 1000 < INT_MAX / 2;
	return (said ? (int)(ms / 1000) : GATE_SECONDS) + GATE_GRACE;
}

// The application's containers start when the files are there. Either command waits for them.
// While a hook waits, the kubelet shows and ends nothing of the pod; with a probe it does.
static void gate(const struct plan *p, json_t *container)
{
	json_t *command = json_pack("[s, s, s, s, s, s]", AGENT_PATH, "--probe",
				    "startup", "--socket", AGENT_SOCKET, "--wait");
	if (!p->ask->settings->gate_by_probe || p->mode == MODE_FIRST) {
		json_object_set_new(container, "lifecycle",
				    json_pack("{s:{s:{s:o}}}", "postStart", "exec",
					      "command", command));
		return;
	}
	json_array_append_new(command, json_string("--timeout"));
	json_array_append_new(command, json_string(PROBE_WAIT));
	json_object_set_new(container, "startupProbe",
			    json_pack("{s:{s:o}, s:i, s:i, s:i}", "exec", "command",
				      command, "periodSeconds", 1, "timeoutSeconds",
				      PROBE_SECONDS, "failureThreshold",
				      gate_seconds(p)));
}

static void make_native(const struct plan *p, json_t *container)
{
	if (p->populate && p->mode <= MODE_FIRST)
		gate(p, container);
	if (p->mode <= MODE_EXEC)
		json_object_set_new(container, "restartPolicy", json_string("Always"));
}

static json_t *arguments(const struct plan *p, bool init)
{
	json_t *list = json_pack("[s]", "agent");
	if (p->config_map)
		json_array_append_new(
			list,
			json_string(init ? "--config=" CONFIG_MAP_MOUNT "/config-init.hcl"
					 : "--config=" CONFIG_MAP_MOUNT "/config.hcl"));
	if (init)
		json_array_append_new(list, json_string("--once"));
	if (p->mode == MODE_EXEC)
		json_array_append_new(list, json_string("--copy-to=" PROGRAM_MOUNT));
	return list;
}

static bool fill(const struct plan *p, bool init, json_t *c, struct err *e)
{
	json_t *part = NULL;
	const char *image = asked_text(&p->asked, "agent-image", p->ask->settings->image);
	if (!*image)
		return err_set(e, ERR_CONFIG, 0,
			       "the agent's image is empty; remove the annotation "
			       "agent-image");
	json_object_set_new(c, "name", json_string(init ? AGENT_INIT_NAME : AGENT_NAME));
	json_object_set_new(c, "image", json_string(image));
	json_object_set_new(c, "command", json_pack("[s]", AGENT_PATH));
	json_object_set_new(c, "args", arguments(p, init));
	bool ok = environment(p, &part, e);
	json_object_set_new(c, "env", part);
	part = NULL;
	ok = ok && resources(p, &part, e);
	if (part)
		json_object_set_new(c, "resources", part);
	if (json_object_size(part) == 0)
		json_object_del(c, "resources");
	if (p->security_context)
		json_object_set_new(c, "securityContext", security(p));
	part = NULL;
	ok = ok && mounts(p, init, &part, e);
	if (part)
		json_object_set_new(c, "volumeMounts", part);
	if (!init)
		make_native(p, c);
	return ok;
}

bool plan_container(const struct plan *p, bool init, json_t **ret, struct err *e)
{
	AUTO_JSON json_t *c = json_object();
	const char *name = init ? "agent-init-json-patch" : "agent-json-patch";
	const struct asked_entry *patch = asked_find(&p->asked, name, NULL);
	struct err why = ERR_INIT;
	if (!fill(p, init, c, e))
		return false;
	if (patch && !patch_container(p, patch->value, &c, &why))
		return asked_wrong(patch, e, "%s", why.text);
	*ret = TAKE(c);
	return true;
}

// --- volumes

static json_t *memory(const struct plan *p, const char *name, size_t mib)
{
	const char *said = asked_text(&p->asked, "volume-size", "");
	if (p->ask->settings->unlimited)
		return json_pack("{s:s, s:{s:s}}", "name", name, "emptyDir", "medium",
				 "Memory");
	bool ours = *said && strcmp(name, SECRETS_VOLUME) == 0;
	AUTO_FREE char *size = ours         ? mem_strdup(said)
			       : mib % 1024 ? mem_printf("%zuMi", mib)
					    : mem_printf("%zuGi", mib / 1024);
	return json_pack("{s:s, s:{s:s, s:s}}", "name", name, "emptyDir", "medium",
			 "Memory", "sizeLimit", size);
}

// For each container the versions that live at a time of every file; pages that nobody
// writes cost nothing.
static size_t secrets_mib(const struct plan *p)
{
	size_t room = p->config_map ? MAP_ROOM : 0;
	const json_t *file;
	POD_EACH (p->templates, i, file)
		room += FILE_ROOM + strlen(pod_text(file, "contents"));
	room *= VERSIONS * (p->n_targets ? p->n_targets : 1);
	return (room + MIB - 1) / MIB + (room == 0);
}

static void secret_volume(json_t *list, const char *name, const char *secret)
{
	if (*secret)
		json_array_append_new(list, json_pack("{s:s, s:{s:s}}", "name", name,
						      "secret", "secretName", secret));
}

static json_t *token_volume(const struct plan *p)
{
	json_t *token = json_pack("{s:i, s:s}", "expirationSeconds", TOKEN_SECONDS,
				  "path", "token");
	if (p->token.audience)
		json_object_set_new(token, "audience", json_string(p->token.audience));
	return json_pack("{s:s, s:{s:[{s:o}]}}", "name", TOKEN_VOLUME, "projected",
			 "sources", "serviceAccountToken", token);
}

json_t *plan_volumes(const struct plan *p)
{
	json_t *list = json_array();
	bool init = p->populate && (p->mode == MODE_PAIR || p->mode == MODE_INIT);
	if (init && !p->no_agent)
		json_array_append_new(list, memory(p, HOME_INIT_VOLUME, 1));
	if (p->mode != MODE_INIT && !p->no_agent)
		json_array_append_new(list, memory(p, HOME_VOLUME, 1));
	json_array_append_new(list, memory(p, SECRETS_VOLUME, secrets_mib(p)));
	secret_volume(list, "extra-secrets",
		      asked_text(&p->asked, "agent-extra-secret", ""));
	if (p->config_map)
		json_array_append_new(
			list, json_pack("{s:s, s:{s:s}}", "name", CONFIG_MAP_VOLUME,
					"configMap", "name",
					asked_text(&p->asked, "agent-configmap", "")));
	secret_volume(list, "vault-tls-secrets", asked_text(&p->asked, "tls-secret", ""));
	if (init && p->mode == MODE_PAIR)
		json_array_append_new(list, memory(p, STATE_VOLUME, 1));
	if (p->mode == MODE_EXEC)
		json_array_append_new(list, memory(p, PROGRAM_VOLUME, PROGRAM_MIB));
	if (plan_is_long(p) && !p->no_agent)
		json_array_append_new(list, plan_long_volume());
	if (p->token.make && !p->no_agent)
		json_array_append_new(list, token_volume(p));
	return list;
}
