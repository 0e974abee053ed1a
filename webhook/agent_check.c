// SPDX-License-Identifier: Apache-2.0
// The agent's configuration, read as the agent will read it, before the pod exists; and what its
// notifications want of the pod.
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"
#include "lib/conf/store_type.h"
#include "webhook/notes.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

#define CONFIG_NAME "the agent's configuration"
#define PLACE CONFIG_NAME ":1: "

enum { KNOWN_MAX = 16, KNOWN_TEXT_MAX = 8192 };

// Whether the image holds the program, or a mount that the pod gives to the agent may.
static bool has_program(const struct plan *p, const char *program)
{
	static const char *const patches[] = { "agent-json-patch",
					       "agent-init-json-patch" };
	const char *from = asked_text(&p->asked, "agent-copy-volume-mounts", "");
	static const char *const lists[] = { "containers", "initContainers" };
	const json_t *mount;
	bool found = strcmp(program, AGENT_PATH) == 0;
	for (size_t i = 0; i < ARRAY_LEN(lists) && *program == '/'; i++) {
		found |= !patch_is_empty(asked_text(&p->asked, patches[i], ""));
		const json_t *c =
			pod_find(json_object_get(p->spec, lists[i]), "name", from);
		POD_EACH (json_object_get(c, "volumeMounts"), k, mount)
			found |= str_starts(program, pod_text(mount, "mountPath"));
	}
	return found;
}

static bool check_command(const struct plan *p, const struct conf_notify *n,
			  const char *file, struct err *e)
{
	static const struct asked_entry unsaid = { .key = "notify" };
	const struct asked_entry *entry =
		asked_find(&p->asked, file ? "agent-inject-command-<n>" : "notify", file);
	if (!entry)
		entry = asked_find(&p->asked, "notify-<n>", file);
	return has_program(p, n->argv[0]) ||
	       asked_wrong(entry ? entry : &unsaid, e,
			   "the agent's image has no shell and no '%.60s'; use a signal "
			   "(pkill -HUP nginx), ampoule.dev/notify%s%.63s: "
			   "http:PORT/PATH, or the whole path of a program in a volume "
			   "of agent-copy-volume-mounts",
			   n->argv[0], file ? "-" : "", file ? file : "");
}

// What a change sets off, looked at for the pod's sake: a signal needs the same user and a
// shared process namespace; a command its program.
static bool look_at(struct plan *p, const struct conf_notify *n, const char *file,
		    struct err *e)
{
	bool signal = n->kind == NOTIFY_SIGNAL || n->kind == NOTIFY_RESTART;
	bool container =
		n->kind == NOTIFY_RESTART || (signal && n->target == TARGET_CONTAINER);
	if (n->kind == NOTIFY_COMMAND && n->argv && !check_command(p, n, file, e))
		return false;
	if (p->mode == MODE_INIT) { // nobody is notified of the first version
		if (n->kind != NOTIFY_COMMAND)
			plan_warn_init(p);
		return true;
	}
	p->signals |= signal && n->target != TARGET_CHILD;
	if (!container)
		return true;
	for (size_t i = 0; i < p->n_targets; i++)
		if (strcmp(p->targets[i].name, n->name) == 0) {
			p->targets[i].signalled = true;
			return true;
		}
	notes_add(p->warnings,
		  "'%s' is to be signalled, but the pod has no container of that name "
		  "that is injected",
		  n->name);
	return true;
}

static bool look_at_all(struct plan *p, const struct conf *c, struct err *e)
{
	for (size_t i = 0; i < c->n_notify; i++)
		if (!look_at(p, &c->notify[i], NULL, e))
			return false;
	for (size_t i = 0; i < c->n_templates; i++)
		for (size_t k = 0; k < c->templates[i].n_notify; k++)
			if (!look_at(p, &c->templates[i].notify[k], c->templates[i].name,
				     e))
				return false;
	return true;
}

// The replicas of a Deployment ask for the same: texts that were found good, and set off
// nothing that the pod must be looked at for, are not read again.
static struct {
	char *text[KNOWN_MAX];
	size_t next;
} known;

static bool is_known(const struct plan *p)
{
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (known.text[i] && strcmp(known.text[i], p->config) == 0)
			return true;
	return false;
}

static void remember(const struct plan *p, const struct conf *c)
{
	size_t notify = c->n_notify;
	for (size_t i = 0; i < c->n_templates; i++)
		notify += c->templates[i].n_notify;
	for (size_t i = 0; i < c->n_variables; i++)
		notify += c->variables[i].n_notify;
	if (notify > 0 || p->config_len > KNOWN_TEXT_MAX)
		return;
	mem_free(known.text[known.next]);
	known.text[known.next] = mem_strdup(p->config);
	known.next = (known.next + 1) % KNOWN_MAX;
}

// The one annotation whose key a fault names, else the fault as it is.
static bool blame(const struct plan *p, const char *why, struct err *e)
{
	const struct asked_entry *found = NULL;
	const char *key = str_starts(why, PLACE) ? why + strlen(PLACE) : "";
	size_t len = strcspn(key, ":"), n = 0;
	for (size_t i = 0; i < p->asked.n; i++) {
		const char *own = p->asked.entries[i].row->key;
		if (own && strlen(own) == len && memcmp(own, key, len) == 0) {
			found = &p->asked.entries[i];
			n++;
		}
	}
	return n == 1 ? asked_wrong(found, e, "%s", key + len + strspn(key + len, ": "))
		      : err_set(e, ERR_CONFIG, 0, "%s", why);
}

// Not a refusal: the agent's image may be of a later version than the webhook.
static bool look_at_stores(struct plan *p, const struct conf *c)
{
	bool all = true;
	for (size_t i = 0; i < c->n_stores; i++)
		if (!store_type_known(c->stores[i].type)) {
			notes_add(p->warnings, STORE_TYPE_LACKING, c->stores[i].name,
				  c->stores[i].type);
			all = false;
		}
	return all;
}

// What the agent would say to it, before the pod exists.
bool plan_check(struct plan *p, struct err *e)
{
	struct conf *c = NULL;
	if (is_known(p))
		return true;
	struct err why = ERR_INIT;
	struct conf_load_opts opts = { .text = p->config, .text_name = CONFIG_NAME };
	if (!conf_load(&opts, &c, &why))
		return blame(p, why.text, e);
	bool ok = look_at_all(p, c, e);
	if (look_at_stores(p, c) && ok)
		remember(p, c);
	conf_free(c);
	return ok;
}
