// SPDX-License-Identifier: Apache-2.0
// What is the operator's (rows that are `guarded`): the store's address and how it is checked,
// the proxy, where the login's token is read, the agent's image and a whole configuration of
// its own. A pod that says the same overrides nothing; another value is refused, unless the
// webhook's configuration lets pods say it (allow_override), or names no store at all: then
// each pod's connection is its own affair. Namespaces are the operator's, too.
#include <string.h>
#include <strings.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/plan.h"

#define ACCOUNT_TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"
#define IMAGE "agent-image"
#define TOKEN_PATH "auth-config-token-path"
#define CA_CERT "ca-cert"

// What the layers before the pod's say, or NULL.
static const char *operators_annotation(const struct plan *p,
					const struct option_row *row)
{
	const struct inject_ask *ask = p->ask;
	const json_t *const layers[] = { ask->namespace_annotations,
					 ask->settings->annotations };
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		for (enum annotation_prefix x = PREFIX_COUNT; x-- > PREFIX_VAULT;) {
			const char *name = annotation_name(row, x);
			AUTO_FREE char *key =
				name ? mem_printf("%s%s", annotation_prefix_text(x), name)
				     : NULL;
			const char *text =
				key ? json_string_value(json_object_get(layers[i], key))
				    : NULL;
			if (text)
				return text;
		}
	return strcmp(asked_name(row), IMAGE) == 0 ? ask->settings->image : NULL;
}

// The same, or what the operator's store says where no annotation of his names another.
static const char *operators_value(const struct plan *p, const struct option_row *row)
{
	const char *said = operators_annotation(p, row), *name;
	json_t *stores = p->ask->settings->stores, *body, *usual = NULL;
	if (said || row->stanza != STANZA_STORE ||
	    operators_annotation(p, options_find(STANZA_STORE, "address")))
		return said;
	json_object_foreach(stores, name, body)
	{
		if (!usual || json_object_get(body, "default"))
			usual = body;
	}
	const json_t *value = json_object_get(usual, row->key);
	return json_is_true(value) ? "true" : json_string_value(value);
}

static bool is_list_member(const json_t *list, const char *name)
{
	const json_t *one;
	POD_EACH (list, i, one)
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	return false;
}

// A pod's own certificates and their names are its affair until the operator has said his.
static bool is_unsaid(const struct plan *p, const struct option_row *row)
{
	const char *name = asked_name(row), *said = operators_value(p, row);
	return (!said || !*said) &&
	       (strcmp(name, "tls-secret") == 0 || strcmp(name, "tls-server-name") == 0);
}

// Whether the operator says to which store pods connect.
static bool names_store(const struct plan *p)
{
	const struct option_row *address = options_find(STANZA_STORE, "address");
	const char *said = operators_value(p, address);
	return (said && *said) || json_object_size(p->ask->settings->stores) > 0;
}

bool plan_may_override(const struct plan *p, const char *name)
{
	return is_list_member(p->ask->settings->allow_override, name) ||
	       (strcmp(name, IMAGE) != 0 && !names_store(p));
}

// The peer's name of what is the operator's, or NULL. Of the login's keys: where the token is
// read (the method jwt has its own word), and the CA, which the method cert takes for the store's.
static const char *guarded_as(const struct asked_entry *entry)
{
	static const char *const names[][2] = {
		{ "token-path", TOKEN_PATH }, { "token_path", TOKEN_PATH },
		{ "path", TOKEN_PATH },       { "ca-cert", CA_CERT },
		{ "ca_cert", CA_CERT },
	};
	bool key = entry->row->stanza == STANZA_AUTH && entry->row->type == OPTION_BLOCK;
	for (size_t i = 0; key && i < ARRAY_LEN(names); i++)
		if (strcasecmp(entry->n, names[i][0]) == 0)
			return names[i][1];
	return entry->row->guarded ? asked_name(entry->row) : NULL;
}

static bool is_same(const struct plan *p, const struct asked_entry *entry)
{
	const struct option_row *row = entry->row;
	if (row->stanza == STANZA_AUTH && row->type == OPTION_BLOCK) {
		if (strcmp(guarded_as(entry), CA_CERT) != 0)
			return strcmp(entry->value, ACCOUNT_TOKEN) == 0 ||
			       (p->token.file &&
				strcmp(entry->value, p->token.file) == 0);
		row = options_find(STANZA_STORE, "ca_cert");
	}
	const char *usual = operators_value(p, row);
	bool said = true, wanted = true;
	if (entry->row->type == OPTION_BOOL)
		return (str_bool(entry->value, &said, NULL) || !*entry->value) &&
		       (!usual || str_bool(usual, &wanted, NULL)) &&
		       (*entry->value && said) == (usual && wanted);
	return strcmp(entry->value, usual ? usual : "") == 0;
}

// The peer's own image has no agent of ours: a pod that comes from there works with ours.
static bool leave_image(struct plan *p, struct asked_entry *entry)
{
	if (entry->prefix == PREFIX_OURS || strcmp(asked_name(entry->row), IMAGE) != 0 ||
	    !*entry->value)
		return false;
	notes_add(p->warnings,
		  "annotation %s has no effect: the image is the operator's; he may "
		  "allow it by allow_override",
		  entry->key);
	entry->value = operators_value(p, entry->row);
	return true;
}

bool plan_overrides(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->asked.n; i++) {
		struct asked_entry *entry = &p->asked.entries[i];
		const char *name = guarded_as(entry);
		AUTO_JSON json_t *value = NULL;
		if (!name || entry->layer != LAYER_POD)
			continue;
		if (!asked_value(entry, &value, e)) // a fault of form is the nearer one
			return false;
		if (is_same(p, entry) || plan_may_override(p, name) ||
		    is_unsaid(p, entry->row) || leave_image(p, entry))
			continue;
		return asked_wrong(entry, e,
				   "this is the operator's; remove the annotation, or "
				   "let the webhook's configuration say allow_override "
				   "= [\"%s\"]",
				   name);
	}
	return true;
}
