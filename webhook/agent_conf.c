// SPDX-License-Identifier: Apache-2.0
// The agent's configuration, in its own language, from annotations and the operator's stores.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/plan.h"
#include "webhook/policy.h"

enum { CACHE_PORT = 8200, PORT_MAX = 65535, REVOKE_GRACE = 5 };

static void put_auth_config(json_t *doc, const char *key, const char *value)
{
	AUTO_FREE char *name = mem_strdup(key);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	json_object_set_new(plan_stanza(plan_method(doc), "config"), name,
			    json_str(value, strlen(value)));
}

// Where a row's value belongs; NULL: nowhere in the document, or not by itself.
static json_t *place_of(json_t *doc, const struct option_row *row)
{
	switch (row->stanza) {
	case STANZA_TOP:
		return doc;
	case STANZA_STORE:
		return plan_stanza(doc, "vault");
	case STANZA_RETRY:
		return plan_stanza(plan_stanza(doc, "vault"), "retry");
	case STANZA_AUTH:
		return plan_method(doc);
	case STANZA_TEMPLATE_CONFIG:
		return plan_stanza(doc, "template_config");
	case STANZA_OBSERVE:
		return plan_stanza(doc, "observe");
	default:
		return NULL;
	}
}

static bool put_entry(const struct asked_entry *entry, json_t *doc, struct err *e)
{
	AUTO_JSON json_t *value = NULL;
	const struct option_row *row = entry->row;
	if (row->stanza == STANZA_AUTH && row->type == OPTION_BLOCK) {
		put_auth_config(doc, entry->n, entry->value);
		return true;
	}
	if (!row->key || row->ignored || entry->n)
		return true;
	if (*entry->value == '\0')
		return true; // as if it were not there
	if (!asked_value(entry, &value, e))
		return false;
	json_t *to = place_of(doc, row);
	if (to)
		json_object_set(to, row->key, value);
	return true;
}

// --- the rest

static void put_deliver(struct plan *p, json_t *doc)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->n_targets; i++)
		for (size_t m = 0; m < p->n_mounts; m++) {
			const struct plan_target *t = &p->targets[i];
			if (m > 0 && !p->mounts[m].used)
				continue;
			json_t *d = json_object();
			const char *folder = pool_printf(&p->pool, SECRETS_MOUNT "/%s",
							 plan_folder(p, t, m));
			json_object_set_new(d, "container", json_string(t->name));
			json_object_set_new(d, "folder", json_string(folder));
			json_object_set_new(d, "mount", json_string(p->mounts[m].path));
			if (t->uid >= 0)
				json_object_set_new(d, "uid", json_integer(t->uid));
			if (t->env && m == 0)
				json_object_set_new(
					d, "env_socket",
					json_string(plan_env_socket(p, t, true)));
			json_array_append_new(list, d);
		}
	json_object_set_new(doc, "deliver", list);
}

// The peer's caching proxy and its quit endpoint share one listener on loopback.
static bool put_proxy(const struct plan *p, json_t *doc, struct err *e)
{
	bool cache = false, quit = false;
	int64_t port = CACHE_PORT;
	const struct asked_entry *said = asked_find(&p->asked,
						    "agent-cache-listener-port", NULL),
				 *use = asked_find(&p->asked,
						   "agent-cache-use-auto-auth-token",
						   NULL);
	const char *token = use ? use->value : "true";
	if (!asked_bool(&p->asked, "agent-cache-enable", &cache, e) ||
	    !asked_bool(&p->asked, "agent-enable-quit", &quit, e))
		return false;
	if (said && *said->value &&
	    (!str_int64(said->value, &port, NULL) || port < 1 || port > PORT_MAX))
		return asked_wrong(said, e, "a port from 1 to %d is wanted", PORT_MAX);
	if (strcmp(token, "true") != 0 && strcmp(token, "false") != 0 &&
	    strcmp(token, "force") != 0)
		return asked_wrong(use, e, "true, false or force is wanted");
	const struct asked_entry *idle = cache ? NULL : use ? use : quit ? NULL : said;
	if (idle)
		notes_add(p->warnings,
			  "annotation %s has no effect without agent-cache-enable",
			  idle->key);
	if (!cache && !quit)
		return true;
	if (p->mode == MODE_INIT)
		plan_warn_init(p);
	if (json_is_true(json_object_get(p->spec, "hostNetwork")) &&
	    (quit || strcmp(token, "false") != 0))
		return err_set(
			e, ERR_DENIED, 0,
			"with hostNetwork everything on the node reaches the "
			"agent's listener, and by it the pod's secrets; remove "
			"agent-cache-enable and agent-enable-quit, or hostNetwork");
	json_t *listener = json_pack("{s:s, s:b}", "type", "tcp", "tls_disable", 1);
	json_t *list = json_array();
	json_array_append_new(list, listener);
	json_object_set_new(doc, "listener", list);
	AUTO_FREE char *address = mem_printf("127.0.0.1:%lld", (long long)port);
	json_object_set_new(listener, "address", json_string(address));
	if (quit)
		json_object_set_new(listener, "agent_api",
				    json_pack("{s:b}", "enable_quit", 1));
	if (cache)
		json_object_set_new(plan_stanza(doc, "cache"), "use_auto_auth_token",
				    strcmp(token, "force") == 0
					    ? json_string("force")
					    : json_boolean(strcmp(token, "true") == 0));
	return true;
}

// Token and leases outlive the agent's process: a crash costs no second login, and the pair
// logs in once. A native sidecar ends after the application and gives them back; the pair's is
// asked to end at the same time, so there they end by themselves, as the peer's do, or are
// given back when the pod wants it, some seconds later.
static bool put_state(struct plan *p, json_t *doc, struct err *e)
{
	int64_t grace = REVOKE_GRACE;
	bool pair = p->mode == MODE_PAIR, revoke = !pair, strict = false;
	const struct asked_entry *said =
		asked_find(&p->asked, "agent-revoke-grace", NULL);
	if (!asked_bool(&p->asked, "agent-cache-exit-on-err", &strict, e) ||
	    !asked_number(&p->asked, "agent-revoke-grace", &grace, e) ||
	    (pair && !asked_bool(&p->asked, "agent-revoke-on-shutdown", &revoke, e)))
		return false;
	bool late = p->mode == MODE_FIRST ? said != NULL : pair && revoke;
	if (grace < 0)
		return asked_wrong(said, e, "seconds are wanted, not negative");
	if (said && !late)
		notes_add(p->warnings, "annotation %s has no effect here: %s", said->key,
			  pair ? "without agent-revoke-on-shutdown nothing is revoked"
			       : "the agent ends after the application");
	if (p->mode == MODE_INIT)
		return true;
	json_t *state = json_pack("{s:s, s:b}", "path",
				  pair && p->populate ? STATE_MOUNT : HOME_MOUNT "/state",
				  "keep_on_exit", !revoke);
	if (strict)
		json_object_set_new(state, "exit_on_err", json_true());
	json_object_set_new(doc, "state", state);
	if (late && grace > 0)
		json_object_set_new(state, "revoke_grace", json_integer(grace));
	return true;
}

// --- who must read a new version

// The containers of a file that are of this kind; all targets when it names none.
static json_t *containers_of(const struct plan *p, const json_t *file, bool init)
{
	const json_t *named = json_object_get(file, "containers"), *one;
	json_t *list = json_array();
	for (size_t i = 0; i < p->n_targets; i++) {
		bool wanted = !named;
		POD_EACH (named, k, one)
			wanted |= strcmp(json_string_value(one), p->targets[i].name) == 0;
		if (wanted && p->targets[i].init == init)
			json_array_append_new(list, json_string(p->targets[i].name));
	}
	return list;
}

void plan_warn_init(const struct plan *p)
{
	notes_add(
		p->warnings,
		"notifications, unread-after and the proxy have no effect in mode init: "
		"nothing is renewed there");
}

// One file with a deadline: for the application with it, for init containers without.
static void spare_file(const struct plan *p, json_t *file, json_t *unread, json_t *list)
{
	AUTO_JSON json_t *init = containers_of(p, file, true);
	AUTO_JSON json_t *app = containers_of(p, file, false);
	bool both = json_array_size(init) > 0 && json_array_size(app) > 0;
	json_array_append(list, file);
	if (json_array_size(app) == 0) {
		json_object_del(file, "unread_after");
		return;
	}
	json_object_set(file, "unread_after", unread);
	if (!both)
		return;
	json_t *early = json_copy(file);
	json_object_del(early, "unread_after");
	json_object_set(early, "containers", init);
	json_object_set(file, "containers", app);
	json_array_append_new(list, early);
}

// An init container has ended long before a rotation, so nobody waits for it to read.
static void spare_init(const struct plan *p, json_t *doc)
{
	json_t *observe = json_object_get(doc, "observe"), *file;
	json_t *all = json_object_get(observe, "unread_after");
	AUTO_JSON json_t *list = json_array();
	bool some = false;
	for (size_t i = 0; i < p->n_targets; i++)
		some |= p->targets[i].init;
	POD_EACH (p->templates, i, file)
		if (p->mode == MODE_INIT &&
		    (all || json_object_get(file, "unread_after")))
			plan_warn_init(p);
	if (!some)
		return;
	POD_EACH (p->templates, i, file) {
		json_t *unread = json_object_get(file, "unread_after");
		if (unread || all)
			spare_file(p, file, unread ? unread : all, list);
		else
			json_array_append(list, file);
	}
	json_object_del(observe, "unread_after");
	json_array_clear(p->templates);
	json_array_extend(p->templates, list);
}

static bool put_token_sink(struct plan *p, json_t *doc, struct err *e)
{
	bool wanted = false;
	if (!asked_bool(&p->asked, "agent-inject-token", &wanted, e))
		return false;
	if (!wanted)
		return true;
	const char *path = pool_printf(&p->pool, "%s/token", p->mounts[0].path);
	if (pod_find(p->templates, "destination", path))
		return err_set(e, ERR_CONFIG, 0,
			       "a secret and the login's token (agent-inject-token) are "
			       "both the file %s; give the secret another name",
			       path);
	json_t *sink = json_pack("{s:s, s:{s:s, s:s}}", "type", "file", "config", "path",
				 path, "mode", "0644");
	json_t *list = json_array();
	json_array_append_new(list, sink);
	json_object_set_new(doc, "sink", list);
	return true;
}

static bool write_out(struct plan *p, json_t *doc)
{
	p->document = json_incref(doc);
	p->config = json_text(doc);
	p->config_len = strlen(p->config);
	return true;
}

// The user's own files are the configuration: what annotations say of files and logins is
// not used, as in the peer.
static void warn_map(struct plan *p)
{
	for (size_t i = 0; i < p->asked.n; i++) {
		const struct asked_entry *entry = &p->asked.entries[i];
		bool unused = entry->row->stanza == STANZA_TEMPLATE ||
			      entry->row->stanza == STANZA_AUTH ||
			      entry->row->stanza == STANZA_TEMPLATE_CONFIG;
		if (unused && entry->layer == LAYER_POD)
			notes_add(
				p->warnings,
				"annotation %s has no effect: agent-configmap takes its "
				"place",
				entry->key);
	}
}

// Whether a template's text is not one of ours, so that it may compute what it asks for.
static bool has_text(const json_t *templates)
{
	const json_t *one;
	POD_EACH (templates, i, one)
		if (json_object_get(one, "contents") || json_object_get(one, "source"))
			return true;
	return false;
}

// What the policies leave to the agent.
static void put_restricts(const struct plan *p, json_t *doc)
{
	if (!has_text(p->templates) && !has_text(p->variables) &&
	    !json_object_get(doc, "listener"))
		return; // every path is seen at admission
	struct policy_ask about = { .settings = p->ask->settings,
				    .pod = p->ask->pod,
				    .namespace_ = p->ask->namespace_,
				    .namespace_labels = p->ask->namespace_labels,
				    .kind = "Pod",
				    .user = p->ask->user,
				    .now_ms = p->ask->now_ms };
	policies_restrict(p->ask->settings->policies, &about, doc);
}

bool plan_config(struct plan *p, struct err *e)
{
	AUTO_JSON json_t *doc = json_object();
	if (p->config_map) {
		warn_map(p);
		return true;
	}
	json_object_set_new(doc, "status_socket", json_string(AGENT_SOCKET));
	for (size_t i = 0; i < p->asked.n; i++)
		if (!put_entry(&p->asked.entries[i], doc, e))
			return false;
	if (!plan_stores(p, doc, e))
		return false;
	if (!put_token_sink(p, doc, e))
		return false;
	spare_init(p, doc);
	if (json_array_size(p->templates) > 0)
		json_object_set(doc, "template", p->templates);
	if (json_array_size(p->variables) > 0)
		json_object_set(doc, "env_template", p->variables);
	put_deliver(p, doc);
	if (!put_proxy(p, doc, e))
		return false;
	put_restricts(p, doc);
	if (!put_state(p, doc, e))
		return false;
	p->nothing = json_array_size(p->templates) == 0 &&
		     !json_object_get(doc, "sink") && !json_object_get(doc, "listener") &&
		     !json_object_get(doc, "env_template");
	return write_out(p, doc) &&
	       (p->no_agent || p->nothing || (plan_fits(p, e) && plan_check(p, e)));
}
