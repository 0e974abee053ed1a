// SPDX-License-Identifier: Apache-2.0
// Mode exec: which containers get variables, which variables, and the command that is wrapped.
// The agent copies itself into a volume that the containers mount read-only; there it runs
// before the command, asks the sidecar at the container's own socket, and becomes the command.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/plan.h"

#define VARIABLE "env-<NAME>"

static const json_t *container_of(const struct plan *p, const char *name)
{
	return pod_find(json_object_get(p->spec, "containers"), "name", name);
}

static bool choose_container(struct plan *p, struct plan_target *t, struct err *e)
{
	const json_t *command = json_object_get(container_of(p, t->name), "command");
	if (json_array_size(command) == 0)
		return err_set(
			e, ERR_CONFIG, 0,
			"container '%.63s' has no command, and what its image would "
			"start is not known here: set command, or leave the "
			"container out of ampoule.dev/env-containers",
			t->name);
	t->env = true;
	return true;
}

static bool choose_containers(struct plan *p, struct err *e)
{
	const struct asked_entry *entry = asked_find(&p->asked, "env-containers", NULL);
	AUTO_JSON json_t *names = NULL;
	const json_t *one;
	if (!asked_list(&p->asked, "env-containers", &names, e))
		return false;
	bool all = json_array_size(names) == 0, some = all;
	for (size_t i = 0; i < p->n_targets; i++) {
		bool wanted = all;
		POD_EACH (names, k, one)
			wanted |= strcmp(json_string_value(one), p->targets[i].name) == 0;
		wanted &= container_of(p, p->targets[i].name) != NULL;
		some |= wanted;
		if (wanted && !choose_container(p, &p->targets[i], e))
			return false;
	}
	POD_EACH (names, i, one)
		if (!container_of(p, json_string_value(one)))
			notes_add(p->warnings,
				  "annotation %s: the pod has no container '%s'",
				  entry->key, json_string_value(one));
	return some || asked_wrong(entry, e, "it names no container that is injected");
}

static bool is_variable(const char *name)
{
	size_t all = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				  "0123456789");
	return name[all] == '\0' && *name && (*name < '0' || *name > '9');
}

static bool add_variable(struct plan *p, const struct asked_entry *entry, struct err *e)
{
	json_t *to = json_object(), *containers = json_array();
	json_array_append_new(p->variables, to);
	json_object_set_new(to, "name", json_string(entry->n));
	json_object_set_new(to, "containers", containers);
	for (size_t i = 0; i < p->n_targets; i++)
		if (p->targets[i].env)
			json_array_append_new(containers,
					      json_string(p->targets[i].name));
	if (!is_variable(entry->n))
		return asked_wrong(entry, e, "'%.60s' is no name of a variable",
				   entry->n);
	if (!plan_secret(p, entry, to, e))
		return false;
	const char *secret = pod_text(to, "secret");
	return json_object_get(to, "contents") || strchr(secret, '#') ||
	       json_object_get(to, "stock") ||
	       asked_wrong(entry, e,
			   "one key of the secret is wanted behind '#', as in "
			   "kv/data/db#password");
}

bool plan_exec(struct plan *p, struct err *e)
{
	bool exec = p->mode == MODE_EXEC;
	p->variables = json_array();
	if (exec && !choose_containers(p, e))
		return false;
	for (size_t i = 0; i < p->asked.n; i++) {
		const struct asked_entry *entry = &p->asked.entries[i];
		if (strcmp(asked_name(entry->row), VARIABLE) != 0)
			continue;
		if (!exec)
			notes_add(p->warnings,
				  "annotation %s has no effect without ampoule.dev/mode: "
				  "exec",
				  entry->key);
		else if (!add_variable(p, entry, e))
			return false;
	}
	return !exec || json_array_size(p->variables) > 0 ||
	       err_set(e, ERR_CONFIG, 0,
		       "mode exec wants at least one annotation ampoule.dev/env-<NAME>");
}

const char *plan_env_socket(struct plan *p, const struct plan_target *t, bool agents_view)
{
	return agents_view ? pool_printf(&p->pool, SECRETS_MOUNT "/%s/" ENV_SOCKET,
					 plan_folder(p, t, 0))
			   : pool_printf(&p->pool, "%s/" ENV_SOCKET, p->mounts[0].path);
}

// The wrapper and its words before the container's own command, once.
void plan_wrap(struct plan *p, const struct plan_target *t, json_t *container)
{
	const char *wait = asked_text(&p->asked, "wait-timeout", "");
	const char *const words[] = {
		PROGRAM_MOUNT AGENT_PATH,     "--wrap",
		plan_env_socket(p, t, false), *wait ? "--timeout" : NULL,
		*wait ? wait : NULL,          "--"
	};
	const json_t *old = json_object_get(container, "command"), *one;
	POD_EACH (old, i, one) // another webhook may have put a wrapper before ours
		if (json_is_string(one) && strcmp(json_string_value(one), words[0]) == 0)
			return;
	json_t *command = json_array();
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		json_array_append_new(command, json_string(words[i])); // no NULL
	json_array_extend(command, (json_t *)(uintptr_t)old);
	json_object_set_new(container, "command", command);
}
