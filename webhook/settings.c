// SPDX-License-Identifier: Apache-2.0
// The webhook's configuration file.
#include "webhook/settings.h"

#include <stddef.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"
#include "lib/conf/conf.h"
#include "lib/conf/hcl.h"
#include "webhook/plan.h"
#include "webhook/policy.h"
#include "webhook/settings_int.h"

#define DEFAULT_IMAGE "ampoule-agent:latest"

// Keys with a text value.
static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{ "listen", offsetof(struct settings, listen) },
	{ "metrics_listen", offsetof(struct settings, metrics_listen) },
	{ "tls_cert_file", offsetof(struct settings, cert_file) },
	{ "tls_key_file", offsetof(struct settings, key_file) },
	{ "image", offsetof(struct settings, image) },
	{ "policies", offsetof(struct settings, policy_path) },
};

static const struct {
	const char *key;
	size_t offset;
} switches[] = {
	{ "openshift", offsetof(struct settings, openshift) },
	{ "gate_by_probe", offsetof(struct settings, gate_by_probe) },
	{ "writable", offsetof(struct settings, writable) },
	{ "unlimited", offsetof(struct settings, unlimited) },
	{ "namespace_defaults", offsetof(struct settings, namespace_defaults) },
};

static const char *const others_known[] = {
	"annotations", "store",   "template",   "allow_override",
	"policy",      "purpose", "kubernetes", "self_signed",
};

void settings_init(struct settings *s)
{
	*s = (struct settings){ .listen = "[::]:8443",
				.image = DEFAULT_IMAGE,
				.document = json_object(),
				.annotations = json_object(),
				.allow_override = json_array(),
				.stores = json_object(),
				.templates = json_object(),
				.policies = policies_new() };
	settings_kube_init(&s->kube);
}

static void release_before(struct settings *s)
{
	if (s->before)
		settings_release(s->before);
	mem_free(s->before);
	s->before = NULL;
}

void settings_replace(struct settings *fresh, struct settings *old, int64_t now_ms)
{
	struct settings *last = fresh;
	fresh->before = mem_alloc(sizeof(*old));
	*fresh->before = *old;
	fresh->before_until_ms = now_ms + SETTINGS_KEPT_MS;
	for (int i = 0; i < SETTINGS_KEPT && last->before; i++)
		last = last->before;
	release_before(last);
}

void settings_release(struct settings *s)
{
	release_before(s);
	json_decref(s->document);
	json_decref(s->annotations);
	json_decref(s->allow_override);
	json_decref(s->stores);
	json_decref(s->templates);
	policies_free(s->policies);
	*s = (struct settings){ .listen = NULL };
}

static bool differ(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

void settings_fixed(const struct settings *begun, const struct settings *now,
		    settings_tell *tell)
{
	if (differ(begun->listen, now->listen))
		tell("listen");
	if (differ(begun->metrics_listen, now->metrics_listen))
		tell("metrics_listen");
	if (begun->namespace_defaults != now->namespace_defaults)
		tell("namespace_defaults");
	settings_kube_fixed(&begun->kube, &now->kube, tell);
}

static bool read_texts(const struct node *root, struct settings *s, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct node *n = node_get(root, texts[i].key);
		if (!n)
			continue;
		if (n->kind != NODE_STRING || !*n->text)
			return node_err(n, e, "a text is wanted");
		json_t *kept = json_string(n->text);
		json_object_set_new(s->document, texts[i].key, kept);
		const char *value = json_string_value(kept);
		memcpy((char *)s + texts[i].offset, &value, sizeof(value));
	}
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		const struct node *n = node_get(root, switches[i].key);
		if (n && n->kind != NODE_BOOL)
			return node_err(n, e, "true or false is wanted");
		*(bool *)((char *)s + switches[i].offset) = n && n->truth;
	}
	return true;
}

static bool known(const struct node *root, struct err *e)
{
	const char
		*names[ARRAY_LEN(texts) + ARRAY_LEN(switches) + ARRAY_LEN(others_known)];
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		names[count++] = texts[i].key;
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		names[count++] = switches[i].key;
	for (size_t i = 0; i < ARRAY_LEN(others_known); i++)
		names[count++] = others_known[i];
	for (const struct node *n = root->first; n; n = n->next) {
		bool found = false;
		for (size_t i = 0; i < count; i++)
			found |= node_key_is(n, names[i]);
		const char *near = str_nearest(n->key, names, count);
		if (!found)
			return node_err(n, e, "there is no such key%s%s%s",
					near ? " (did you mean " : "", near ? near : "",
					near ? "?)" : "");
	}
	return true;
}

// A default annotation: its name under ampoule.dev/, or any whole name.
static bool read_annotation(const struct node *n, struct settings *s, struct err *e)
{
	const char *suffix, *unused;
	enum annotation_prefix prefix = annotation_prefix_of(n->key, &suffix);
	struct err why = ERR_INIT;
	json_t *value = NULL;
	if (prefix == PREFIX_NONE) {
		prefix = PREFIX_OURS;
		suffix = n->key;
	}
	const struct option_row *row = annotation_find(prefix, suffix, &unused);
	if (!row || unused) {
		AUTO_FREE char *near = row ? NULL : annotation_nearest(prefix, suffix);
		return node_err(n, e, "there is no annotation of this name%s%s%s",
				near ? " (did you mean " : "", near ? near : "",
				near ? "?)" : "");
	}
	if (n->kind != NODE_STRING && n->kind != NODE_BOOL && n->kind != NODE_INT)
		return node_err(n, e, "a text is wanted, as in an annotation");
	const char *text = n->kind == NODE_BOOL ? n->truth ? "true" : "false" : n->text;
	if (!annotation_value(row, text, &value, &why))
		return node_err(n, e, "%s", why.text);
	json_decref(value);
	double amount;
	bool quantity = row->peer && (str_starts(row->peer, "agent-requests-") ||
				      str_starts(row->peer, "agent-limits-"));
	if (quantity && *text && !plan_quantity(text, &amount))
		return node_err(n, e, "it is no quantity; examples: 250m, 64Mi");
	AUTO_FREE char *key = mem_printf("%s%s", annotation_prefix_text(prefix), suffix);
	json_object_set_new(s->annotations, key, json_string(text));
	return true;
}

static bool read_annotations(struct pool *p, const struct node *root, struct settings *s,
			     struct err *e)
{
	struct node_blocks blocks = { 0 };
	if (!node_collect(p, root, "annotations", NULL, &blocks, e))
		return false;
	for (size_t i = 0; i < blocks.n; i++)
		for (const struct node *n = blocks.list[i].body->first; n; n = n->next)
			if (!read_annotation(n, s, e))
				return false;
	return true;
}

// The peer's name of an annotation that is the operator's, said by any of its names.
static const char *guarded_name(const char *said)
{
	static const char token[] = "auth-config-token-path";
	const char *suffix = said, *unused;
	enum annotation_prefix prefix = annotation_prefix_of(said, &suffix);
	const struct option_row *row = annotation_find(PREFIX_VAULT, suffix, &unused);
	if (prefix == PREFIX_OURS || !row)
		row = annotation_find(PREFIX_OURS, suffix, &unused);
	if (strcmp(suffix, token) == 0)
		return token;
	return row && row->guarded ? row->peer : NULL;
}

static bool read_allowed(const struct node *root, struct settings *s, struct err *e)
{
	const struct node *list = node_get(root, "allow_override");
	if (list && list->kind != NODE_LIST)
		return node_err(list, e, "a list of annotations is wanted");
	for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
		const char *name = n->kind == NODE_STRING ? guarded_name(n->text) : NULL;
		if (!name)
			return node_err(n, e,
					"no annotation of the operator's; they are "
					"service, ca-cert, ca-key, tls-skip-verify, "
					"proxy-address, auth-config-token-path, "
					"agent-image, agent-configmap");
		json_array_append_new(s->allow_override, json_string(name));
	}
	return true;
}

static bool store_known(const char *name)
{
	return options_find(STANZA_STORE, name);
}

static bool template_known(const char *name)
{
	return strcmp(name, "contents") == 0;
}

// `method "kubernetes" {…}` inside of auth becomes {"type": "kubernetes", …}.
static json_t *store_body(struct pool *p, const struct node *body)
{
	struct node plain = *body;
	plain.labels = NULL;
	json_t *o = node_to_json(&plain);
	struct node_blocks auth = { 0 };
	if (node_collect(p, body, "auth", store_known, &auth, NULL) && auth.n == 1 &&
	    auth.list[0].label) {
		struct node method = *auth.list[0].body;
		method.labels = NULL;
		json_t *m = node_to_json(&method);
		json_object_set_new(m, "type", json_string(auth.list[0].label));
		json_object_set_new(o, "auth", m);
	}
	return o;
}

// The store as the agent will read it, so that a fault shows here, at the block's line.
static bool check_store(const struct node_block *block, const json_t *body, struct err *e)
{
	static const char place[] = "store:1: ";
	AUTO_JSON json_t *doc =
		json_pack("{s:{s:O}, s:[{s:s, s:s}]}", "store", block->label, body,
			  "template", "destination", "/x", "contents", "x");
	AUTO_FREE char *text = json_text(doc);
	struct conf *c = NULL;
	struct err why = ERR_INIT;
	struct conf_load_opts opts = { .text = text, .text_name = "store" };
	if (!conf_load(&opts, &c, &why))
		return node_err(
			block->body, e, "'%.63s': %s", block->label,
			why.text + (str_starts(why.text, place) ? strlen(place) : 0));
	conf_free(c);
	return true;
}

static bool read_stores(struct pool *p, const struct node *root, struct settings *s,
			struct err *e)
{
	struct node_blocks blocks = { 0 };
	if (!node_collect(p, root, "store", store_known, &blocks, e))
		return false;
	for (size_t i = 0; i < blocks.n; i++) {
		if (!blocks.list[i].label)
			return node_err(blocks.list[i].body, e,
					"a store has a name: store \"aws\" {…}");
		json_t *body = store_body(p, blocks.list[i].body);
		json_object_set_new(s->stores, blocks.list[i].label, body);
		if (!check_store(&blocks.list[i], body, e))
			return false;
	}
	return true;
}

static bool read_templates(struct pool *p, const struct node *root, struct settings *s,
			   struct err *e)
{
	struct node_blocks blocks = { 0 };
	if (!node_collect(p, root, "template", template_known, &blocks, e))
		return false;
	for (size_t i = 0; i < blocks.n; i++) {
		const struct node *text = node_get(blocks.list[i].body, "contents");
		if (!blocks.list[i].label || !text || text->kind != NODE_STRING)
			return node_err(blocks.list[i].body, e,
					"a template has a name and contents: template "
					"\"pg\" { contents = \"…\" }");
		json_object_set_new(s->templates, blocks.list[i].label,
				    json_string(text->text));
	}
	return true;
}

// A connection by annotations is a store named vault, which could be there already.
static bool check_names(const struct settings *s, const char *file, struct err *e)
{
	const json_t *store = json_object_get(s->stores, "vault");
	const char *own = json_string_value(json_object_get(store, "address"));
	for (enum annotation_prefix x = PREFIX_VAULT; store && x < PREFIX_COUNT; x++) {
		AUTO_FREE char *key = mem_printf("%sservice", annotation_prefix_text(x));
		const char *said =
			json_string_value(json_object_get(s->annotations, key));
		if (said && *said && (!own || strcmp(said, own) != 0))
			return err_set(e, ERR_CONFIG, 0,
				       "%s: annotations: service is another address than "
				       "that of store 'vault'; remove it, or give the "
				       "store another name",
				       file);
	}
	return true;
}

bool settings_parse(const char *file, const char *text, size_t len, struct settings *ret,
		    struct err *e)
{
	AUTO_POOL struct pool pool = { 0 };
	const struct node *root;
	settings_init(ret);
	if (!hcl_parse(&pool, file, text, len, &root, e))
		return false;
	if (root->kind != NODE_OBJECT)
		return node_err(root, e, "a configuration is an object");
	return known(root, e) && read_texts(root, ret, e) &&
	       read_annotations(&pool, root, ret, e) && read_allowed(root, ret, e) &&
	       read_stores(&pool, root, ret, e) && read_templates(&pool, root, ret, e) &&
	       settings_kube_read(&pool, root, ret, e) && check_names(ret, file, e) &&
	       policies_add(ret->policies, file, text, len, false, e) &&
	       (!ret->policy_path ||
		policies_add_path(ret->policies, ret->policy_path, e));
}

bool settings_namespace(const struct settings *s, const char *name, const json_t **ret)
{
	*ret = s->world.find && *name ? s->world.find(s->world.ctx, name) : NULL;
	return *ret || !s->world.find || !*name;
}

bool settings_load(const char *file, struct settings *ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(SETTINGS_MAX);
	if (!file_read(file, &b, e)) {
		settings_init(ret);
		return false;
	}
	return settings_parse(file, buf_str(&b), b.len, ret, e);
}
