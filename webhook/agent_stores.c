// SPDX-License-Identifier: Apache-2.0
// Where the agent gets secrets: the operator's stores, and what annotations say of a connection
// and its login.
#include <string.h>

#include "lib/base/json.h"
#include "webhook/notes.h"
#include "webhook/plan.h"

json_t *plan_stanza(json_t *o, const char *key)
{
	json_t *s = json_object_get(o, key);
	if (!s) {
		s = json_object();
		json_object_set_new(o, key, s);
	}
	return s;
}

json_t *plan_method(json_t *doc)
{
	json_t *list = json_object_get(plan_stanza(doc, "auto_auth"), "method");
	if (!list) {
		list = json_array();
		json_array_append_new(list, json_object());
		json_object_set_new(plan_stanza(doc, "auto_auth"), "method", list);
	}
	return json_array_get(list, 0);
}

static bool wants_role(const char *method)
{
	return strcmp(method, "kubernetes") == 0 || strcmp(method, "jwt") == 0;
}

// The peer's connection and login.
static bool finish_vault(struct plan *p, json_t *doc, struct err *e)
{
	json_t *method = plan_method(doc);
	const char *type = pod_text(method, "type");
	const char *role = asked_text(&p->asked, "role", "");
	const struct asked_entry *path = asked_find(&p->asked, "auth-path", NULL);
	if (!*type) {
		const struct asked_entry *said = asked_find(&p->asked, "auth-type", NULL);
		if (said)
			return asked_wrong(said, e,
					   "the name of a login method is wanted, as "
					   "kubernetes");
		json_object_set_new(method, "type", json_string("kubernetes"));
		type = "kubernetes";
	}
	if (path && !*path->value)
		return asked_wrong(path, e, "a path is wanted, as auth/kubernetes");
	json_t *config = plan_stanza(method, "config");
	if (*role)
		json_object_set_new(config, "role", json_string(role));
	if (strcmp(type, "kubernetes") == 0 && !*pod_text(config, "role"))
		return err_set(e, ERR_CONFIG, 0,
			       "no role for the login: add the annotation %srole",
			       annotation_prefix_text(p->prefix));
	const char *key = strcmp(type, "jwt") == 0 ? "path" : "token_path";
	if (wants_role(type) && !json_object_get(config, key))
		json_object_set_new(config, key, json_string(p->token.file));
	if (!*pod_text(json_object_get(doc, "vault"), "address"))
		return err_set(e, ERR_CONFIG, 0,
			       "no address of a store: add the annotation %sservice, or "
			       "set it in the webhook's configuration",
			       annotation_prefix_text(p->prefix));
	return true;
}

// What a login with the pod's own token needs.
static void complete_login(const struct plan *p, json_t *auth)
{
	const char *role = asked_text(&p->asked, "role", "");
	const char *method = pod_text(auth, "type");
	if (!wants_role(method))
		return;
	json_t *config = plan_stanza(auth, "config");
	if (*role)
		json_object_set_new(config, "role", json_string(role));
	const char *key = strcmp(method, "jwt") == 0 ? "path" : "token_path";
	if (!json_object_get(config, key))
		json_object_set_new(config, key, json_string(p->token.file));
}

static json_t *store_for(const struct plan *p, const char *name, const json_t *body)
{
	json_t *s = json_deep_copy(body);
	json_object_set_new(s, "name", json_string(name));
	complete_login(p, json_object_get(s, "auth"));
	return s;
}

// The operator's stores that the pod names, or all of them.
static bool put_stores(struct plan *p, json_t *doc, size_t *ret_n, struct err *e)
{
	const json_t *all = p->ask->settings->stores, *one;
	const struct asked_entry *entry = asked_find(&p->asked, "stores", NULL);
	AUTO_JSON json_t *names = NULL;
	json_t *list = json_array(), *body;
	const char *name;
	bool ok = asked_list(&p->asked, "stores", &names, e);
	if (ok && !names)
		json_object_foreach((json_t *)(uintptr_t)all, name, body)
			json_array_append_new(list, store_for(p, name, body));
	POD_EACH (names, i, one) {
		body = json_object_get(all, json_string_value(one));
		if (ok && !body)
			ok = asked_wrong(entry, e,
					 "the webhook's configuration has no "
					 "store '%.63s'",
					 json_string_value(one));
		if (ok)
			json_array_append_new(list,
					      store_for(p, json_string_value(one), body));
	}
	*ret_n = json_array_size(list);
	if (ok && *ret_n > 0)
		json_object_set(doc, "store", list);
	json_decref(list);
	return ok;
}

// The store that is meant where none is named.
static size_t usual_store(const json_t *stores)
{
	const json_t *one;
	POD_EACH (stores, i, one)
		if (json_object_get(one, "default"))
			return i;
	return 0;
}

// What annotations say of a connection and its login, without another address, is said of the
// operator's store.
static bool join_store(struct plan *p, json_t *doc, json_t *stores, size_t at)
{
	json_t *usual = json_array_get(stores, at), *vault = plan_stanza(doc, "vault"),
	       *said = plan_method(doc), *auth = json_object_get(usual, "auth");
	const char *address = pod_text(vault, "address"), *type = pod_text(said, "type");
	// One of another name at the same address is another login, and not what is meant.
	if (*address && (strcmp(address, pod_text(usual, "address")) != 0 ||
			 strcmp(pod_text(usual, "name"), "vault") != 0))
		return false;
	if (strcmp(pod_text(usual, "type"), "vault") == 0) {
		json_t *joined = pod_overlay(usual, vault);
		bool other = *type && strcmp(type, pod_text(auth, "type")) != 0;
		if (!auth && !*type && json_object_size(said) > 0)
			json_object_set_new(said, "type", json_string("kubernetes"));
		if (json_object_size(said) > 0)
			json_object_set_new(joined, "auth",
					    auth && !other ? pod_overlay(auth, said)
							   : json_deep_copy(said));
		complete_login(p, json_object_get(joined, "auth"));
		json_array_set_new(stores, at, joined);
	} else {
		notes_add(p->warnings,
			  "annotations of a connection and its login have no effect: the "
			  "store '%s' has none",
			  pod_text(usual, "name"));
	}
	json_object_del(doc, "vault");
	json_object_del(doc, "auto_auth");
	return true;
}

// The peer's connection where annotations name one, or where there is nothing else.
bool plan_stores(struct plan *p, json_t *doc, struct err *e)
{
	size_t n = 0;
	if (!put_stores(p, doc, &n, e))
		return false;
	bool vault = json_object_get(doc, "vault") || json_object_get(doc, "auto_auth");
	json_t *stores = json_object_get(doc, "store");
	size_t at = usual_store(stores);
	if (n == 0 || (vault && !join_store(p, doc, stores, at)))
		return finish_vault(p, doc, e);
	json_object_set_new(json_array_get(stores, at), "default", json_true());
	return true;
}
