// SPDX-License-Identifier: Apache-2.0
// Decisions about one pod: mode, order, containers.
#include "webhook/plan.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/patch.h"

enum { TARGETS_MAX = 250, FOLDERS_MAX = 1000, OBJECT_NAME_MAX = 253 };

bool plan_has_config(const json_t *container)
{
	const json_t *env = json_object_get(container, "env");
	return pod_find(env, "name", CONFIG_ENV) || pod_find(env, "name", SOCKET_ENV);
}

bool plan_is_agent(const json_t *container)
{
	const char *name = pod_text(container, "name");
	const json_t *command = json_object_get(container, "command");
	const char *program = json_string_value(json_array_get(command, 0));
	bool named = strcmp(name, AGENT_NAME) == 0 || strcmp(name, AGENT_INIT_NAME) == 0;
	// A JSON patch may have given it another name, but no other program.
	return (named || (program && strcmp(program, AGENT_PATH) == 0)) &&
	       plan_has_config(container);
}

bool plan_is_private(const char *volume)
{
	static const char *const names[] = { HOME_VOLUME, HOME_INIT_VOLUME, STATE_VOLUME,
					     TOKEN_VOLUME };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(volume, names[i]) == 0)
			return true;
	return false;
}

// The volume's folder of a container: its name; the second and later mounts have a number
// behind a dot, which no container's name holds.
const char *plan_folder(struct plan *p, const struct plan_target *t, size_t mount)
{
	return mount ? pool_printf(&p->pool, "%s.%zu", t->name, mount) : t->name;
}

static int64_t user_of(const json_t *context)
{
	const json_t *uid = json_object_get(context, "runAsUser");
	return json_is_integer(uid) ? json_integer_value(uid) : -1;
}

// Whether `container`, of initContainers, stays beside the application.
static bool is_sidecar(const json_t *container)
{
	return strcmp(pod_text(container, "restartPolicy"), "Always") == 0;
}

static void add_target(struct plan *p, const json_t *container, bool init)
{
	p->targets =
		pool_append(&p->pool, p->targets, &p->n_targets, sizeof(*p->targets));
	struct plan_target *t = &p->targets[p->n_targets - 1];
	int64_t uid = user_of(json_object_get(container, "securityContext"));
	*t = (struct plan_target){
		.name = pod_text(container, "name"),
		.init = init && !is_sidecar(container),
		.uid = uid >= 0 ? uid
				: user_of(json_object_get(p->spec, "securityContext")),
	};
}

static bool is_wanted(const json_t *wanted, const char *name)
{
	const json_t *one;
	POD_EACH (wanted, i, one)
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	return !wanted;
}

// Application containers that are wanted, and with pre-populate every init container.
static bool choose_targets(struct plan *p, struct err *e)
{
	const json_t *containers = json_object_get(p->spec, "containers"), *one;
	const struct asked_entry *entry =
		asked_find(&p->asked, "agent-inject-containers", NULL);
	AUTO_JSON json_t *wanted = NULL;
	if (!asked_list(&p->asked, "agent-inject-containers", &wanted, e))
		return false;
	if (json_array_size(wanted) == 0) {
		json_decref(wanted);
		wanted = NULL;
	}
	POD_EACH (containers, i, one)
		if (!plan_is_agent(one) && is_wanted(wanted, pod_text(one, "name")))
			add_target(p, one, false);
	if (wanted && p->n_targets == 0)
		return asked_wrong(entry, e,
				   "it names no container of the pod; '%.63s' is one",
				   pod_text(json_array_get(containers, 0), "name"));
	POD_EACH (wanted, i, one)
		if (!pod_find(containers, "name", json_string_value(one)) &&
		    !is_sidecar(pod_find(json_object_get(p->spec, "initContainers"),
					 "name", json_string_value(one))))
			notes_add(p->warnings,
				  "annotation %s: the pod has no container '%s'",
				  entry->key, json_string_value(one));
	if (p->populate && p->mode != MODE_FIRST) // whose agent comes after them
		POD_EACH (json_object_get(p->spec, "initContainers"), i, one)
			if (!plan_is_agent(one))
				add_target(p, one, true);
	return p->n_targets <= TARGETS_MAX ||
	       err_set(e, ERR_LIMIT, 0,
		       "more than %d containers would get files; name those that need "
		       "them by the annotation %s%s",
		       TARGETS_MAX, annotation_prefix_text(p->prefix),
		       p->prefix == PREFIX_OURS ? "inject-containers"
						: "agent-inject-containers");
}

// Each folder of a container is a mount of it, and a line of the agent's configuration.
static bool check_folders(const struct plan *p, struct err *e)
{
	return p->n_targets * p->n_mounts <= FOLDERS_MAX ||
	       err_set(e, ERR_LIMIT, 0,
		       "%zu containers with %zu folders each are over the limit of %d "
		       "mounts; let secrets share folders (secret-volume-path-<n>)",
		       p->n_targets, p->n_mounts, FOLDERS_MAX);
}

// An agent among the ordinary containers starts after the init containers, and never ends. It
// is a pod's own choice: what a namespace or the operator says is for all pods.
static bool check_first(struct plan *p, const struct asked_entry *said, struct err *e)
{
	const char *restart = pod_text(p->spec, "restartPolicy"), *why = NULL;
	if (json_array_size(json_object_get(p->spec, "initContainers")) > 0 &&
	    !asked_find(&p->asked, "agent-inject-containers", NULL))
		why = "init containers run before the agent; name those "
		      "that need files by inject-containers, or use "
		      "native";
	if (*restart && strcmp(restart, "Always") != 0)
		why = "the pod would never end; use native";
	if (said->layer == LAYER_POD)
		return !why || asked_wrong(said, e, "first: %s", why);
	p->mode = MODE_NATIVE;
	notes_add(p->warnings, "mode first is native for pods that do not say it");
	return true;
}

// The peers' words for what is a mode here. A later layer wins, whatever words it uses; within
// one layer `mode` does.
static bool choose_mode(struct plan *p, struct err *e)
{
	const struct asked_entry *said = asked_find(&p->asked, "mode", NULL);
	const struct asked_entry *patch =
		asked_find(&p->asked, "agent-init-json-patch", NULL);
	const struct asked_entry *just =
		asked_find(&p->asked, "agent-pre-populate-only", NULL);
	bool only = false, pair = patch && !patch_is_empty(patch->value);
	AUTO_JSON json_t *word = NULL;
	p->populate = true;
	if (!asked_bool(&p->asked, "agent-pre-populate", &p->populate, e) ||
	    !asked_bool(&p->asked, "agent-pre-populate-only", &only, e))
		return false;
	p->mode = pair ? MODE_PAIR : MODE_NATIVE;
	if (only)
		p->mode = MODE_INIT;
	bool later = (pair && patch->layer > (said ? said->layer : 0)) ||
		     (just && just->layer > (said ? said->layer : 0));
	if (said && *said->value && !later) {
		if (!asked_value(said, &word, e))
			return false;
		const char *const *w = said->row->words;
		for (p->mode = 0; strcmp(w[p->mode], json_string_value(word)) != 0;)
			p->mode++;
		if (p->mode == MODE_FIRST && !check_first(p, said, e))
			return false;
	}
	if (p->config_map && p->mode == MODE_EXEC)
		return err_set(
			e, ERR_CONFIG, 0,
			"mode exec has its variables from annotations, whose "
			"place agent-configmap takes; remove the one or the other");
	p->no_agent = p->mode == MODE_INIT && !p->populate;
	if (p->no_agent)
		notes_add(
			p->warnings,
			"neither an init container nor a sidecar is wanted: the pod gets "
			"mounts, but no agent that fills them");
	p->first = p->prefix == PREFIX_OURS;
	return asked_bool(&p->asked, "agent-init-first", &p->first, e);
}

static bool choose_processes(struct plan *p, struct err *e)
{
	const struct asked_entry *said =
		asked_find(&p->asked, "agent-share-process-namespace", NULL);
	const json_t *now = json_object_get(p->spec, "shareProcessNamespace");
	bool share = p->signals;
	if (said && !asked_bool(&p->asked, "agent-share-process-namespace", &share, e))
		return false;
	if ((!said && !p->signals) || json_is_true(json_object_get(p->spec, "hostPID")))
		return true; // with hostPID all processes are seen already
	if (p->signals && !share)
		return asked_wrong(said, e,
				   "a signal to a container needs it; remove the one or "
				   "the other");
	if (share && json_is_false(now))
		return err_set(e, ERR_CONFIG, 0,
			       "spec.shareProcessNamespace is false, but %s needs it; "
			       "remove the one or the other",
			       said ? said->key : "a signal to a container");
	if (!said && !json_is_true(now))
		notes_add(p->warnings,
			  "shareProcessNamespace was set to true: signals to another "
			  "container need it");
	p->share_processes = json_boolean(share);
	return true;
}

static bool choose_mounts(struct plan *p, struct err *e)
{
	const struct asked_entry *main =
		asked_find(&p->asked, "secret-volume-path", NULL);
	struct asked_entry usual = { .key = "secret-volume-path" };
	const char *folder;
	size_t index;
	if (main && *main->value)
		return plan_mount(p, main, main->value, &index, &folder, e);
	return plan_mount(p, &usual, "/vault/secrets", &index, &folder, e);
}

static bool refuse_windows(const struct plan *p, struct err *e)
{
	const json_t *os = json_object_get(p->spec, "os"),
		     *selector = json_object_get(p->spec, "nodeSelector");
	if (strcmp(pod_text(os, "name"), "windows") != 0 &&
	    strcmp(pod_text(selector, "kubernetes.io/os"), "windows") != 0)
		return true;
	return err_set(e, ERR_CONFIG, 0,
		       "the pod is for Windows, where the agent does not run; remove the "
		       "annotation that asks for injection");
}

// Names of Secrets and ConfigMaps: a pod with another one would wait for ever.
static bool check_objects(const struct plan *p, struct err *e)
{
	static const char *const names[] = { "tls-secret", "agent-extra-secret",
					     "agent-configmap" };
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct asked_entry *entry = asked_find(&p->asked, names[i], NULL);
		const char *text = entry ? entry->value : "";
		size_t len = strlen(text);
		bool ends =
			len > 0 && (strchr("-.", text[0]) || strchr("-.", text[len - 1]));
		if (strspn(text, letters) != len || len > OBJECT_NAME_MAX || ends)
			return asked_wrong(
				entry, e,
				"'%.60s' is no name of an object; small letters, "
				"digits, '-' and '.' are wanted",
				text);
	}
	return true;
}

// Annotations that only the webhook obeys: their form is looked at even when nothing needs
// them. Those that have no meaning here are answered with a warning.
static bool check_forms(struct plan *p, struct err *e)
{
	static const char keep_case[] = "preserve-secret-case"; // the peer ignores faults
	for (size_t i = 0; i < p->asked.n; i++) {
		const struct asked_entry *entry = &p->asked.entries[i];
		AUTO_JSON json_t *value = NULL;
		if (entry->row->ignored && entry->layer != LAYER_SETTINGS)
			notes_add(p->warnings, "annotation %s has no effect here: %s",
				  entry->key, entry->row->ignored);
		bool kept = str_starts(asked_name(entry->row), keep_case);
		bool ours = entry->row->stanza == STANZA_POD ||
			    entry->row->type == OPTION_BLOCK; // others are, where they go
		if (entry->row->ignored || !ours ||
		    asked_value(entry, &value, kept ? NULL : e))
			continue;
		if (!kept)
			return false;
		notes_add(p->warnings,
			  "annotation %s has no effect: true or false is wanted",
			  entry->key);
	}
	double size = 1;
	const struct asked_entry *said = asked_find(&p->asked, "volume-size", NULL);
	if (said && *said->value && (!plan_quantity(said->value, &size) || size < 1))
		return asked_wrong(said, e, "'%.40s' is no size; an example: 64Mi",
				   said->value);
	return check_objects(p, e);
}

bool plan_make(const struct inject_ask *ask, json_t *warnings, struct plan *p,
	       struct err *e)
{
	p->ask = ask;
	p->warnings = warnings;
	p->spec = json_object_get(ask->pod, "spec");
	p->metadata = json_object_get(ask->pod, "metadata");
	p->templates = json_array();
	p->config_map = *asked_text(&p->asked, "agent-configmap", "");
	return check_forms(p, e) && refuse_windows(p, e) && choose_mode(p, e) &&
	       choose_targets(p, e) && choose_mounts(p, e) &&
	       (p->config_map || (plan_files(p, e) && plan_exec(p, e))) &&
	       check_folders(p, e) && plan_token(p, e) && plan_overrides(p, e) &&
	       plan_config(p, e) && choose_processes(p, e) && plan_user(p, e);
}

void plan_release(struct plan *p)
{
	asked_release(&p->asked);
	json_decref(p->templates);
	json_decref(p->variables);
	json_decref(p->share_processes);
	json_decref(p->document);
	mem_free(p->config);
	pool_release(&p->pool);
}
