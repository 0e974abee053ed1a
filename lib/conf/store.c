// SPDX-License-Identifier: Apache-2.0
// Stores and logins: ours (store "name" {…}) and the peer's (vault, auto_auth),
// which together are the store named "vault".
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/conf/load.h"

enum { BLOCKS_MAX = 256 };

static const char peer_address[] = "https://127.0.0.1:8200";

static bool store_known(const char *name)
{
	return options_find(STANZA_STORE, name);
}

static bool auth_known(const char *name)
{
	return options_find(STANZA_AUTH, name);
}

// --- logins

// `method "kubernetes" {…}` or `auth "kubernetes" {…}`; the method's own keys stand in its
// config block, in ours also beside the others.
static bool read_auth(struct load *l, struct node_block block, bool ours,
		      struct conf_auth *ret)
{
	struct node_block config;
	const struct node *at = block.body;
	if (!stanza_read(l, STANZA_AUTH, at, ret, ours ? ret->config : NULL) ||
	    !stanza_inner(l, at, "config", NULL, &config))
		return false;
	if (config.body) {
		AUTO_JSON json_t *keys = node_to_json(config.body);
		json_object_update(ret->config, keys);
	}
	if (!ret->method && block.label && *block.label)
		ret->method = block.label;
	if (!ret->method)
		return node_err(at, l->e,
				"a login wants a type, as in %s \"kubernetes\" {…}",
				ours ? "auth" : "method");
	if (ret->min_backoff_ms == 0) // the default, as the peer
		ret->min_backoff_ms = 1000;
	if (ret->max_backoff_ms == 0)
		ret->max_backoff_ms = 300000;
	if (ret->min_backoff_ms >= ret->max_backoff_ms)
		return node_err(node_place(at, "min_backoff"), l->e,
				"it (%lld ms) must be shorter than max_backoff (%lld "
				"ms)",
				(long long)ret->min_backoff_ms,
				(long long)ret->max_backoff_ms);
	return true;
}

// --- stores

static struct conf_store *add_store(struct load *l, const struct node *at)
{
	struct conf *c = l->conf;
	l->store_places = pool_append(l->pool, l->store_places, &l->n_store_places,
				      sizeof(const struct node *));
	l->store_places[l->n_store_places - 1] = at;
	c->stores = pool_append(l->pool, c->stores, &c->n_stores, sizeof(*c->stores));
	struct conf_store *s = &c->stores[c->n_stores - 1];
	s->options = json_object();
	s->auth.config = json_object();
	return s;
}

static bool store_defaults(struct load *l, struct conf_store *s)
{
	return stanza_defaults(l, STANZA_STORE, s) &&
	       stanza_defaults(l, STANZA_RETRY, s) &&
	       stanza_defaults(l, STANZA_AUTH, &s->auth);
}

static bool read_retry(struct load *l, const struct node *body, struct conf_store *s)
{
	struct node_block retry;
	if (!stanza_inner(l, body, "retry", NULL, &retry))
		return false;
	if (retry.body && !stanza_read(l, STANZA_RETRY, retry.body, s, NULL))
		return false;
	if (s->num_retries == 0)
		s->num_retries = 12; // as the peer
	if (s->num_retries < -1 || s->num_retries > 1000000)
		return node_err(node_place(retry.body ? retry.body : body, "num_retries"),
				l->e, "-1 (none) or more is wanted");
	return true;
}

static bool check_connection(struct load *l, const struct node *at, struct conf_store *s)
{
	if (s->timeout_ms == 0)
		s->timeout_ms = 60000; // no request is without a deadline
	if (s->max_connections == 0)
		s->max_connections = 10;
	if (s->tls.client_key && !s->tls.client_cert)
		return node_err(node_place(at, "client_key"), l->e,
				"it wants client_cert too");
	return true;
}

// A store's name stands before ':' in a path.
static bool name_ok(struct load *l, const struct node *at, const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.";
	if (!name)
		return node_err(at, l->e,
				"a store wants a name, as in store \"aws\" {…}");
	size_t len = strlen(name);
	if (len > 63 || strspn(name, letters) != len)
		return node_err(
			at, l->e,
			"'%.63s' is no name of a store: letters, digits, '-', '_' and "
			"'.', at most 63",
			name);
	for (size_t i = 0; i + 1 < l->conf->n_stores; i++)
		if (strcmp(l->conf->stores[i].name, name) == 0)
			return node_err(
				at, l->e,
				"a second store named '%s'%s; give each its own name",
				name,
				strcmp(name, "vault") == 0 && l->has_peer
					? " beside the vault or auto_auth stanza"
					: "");
	return true;
}

static bool read_store(struct load *l, struct node_block block)
{
	struct conf_store *s = add_store(l, block.body);
	struct node_block auth;
	if (!store_defaults(l, s) ||
	    !stanza_read(l, STANZA_STORE, block.body, s, s->options) ||
	    !stanza_inner(l, block.body, "auth", auth_known, &auth) ||
	    !read_retry(l, block.body, s))
		return false;

	if (auth.body && !read_auth(l, auth, true, &s->auth))
		return false;
	if (s->name && block.label && strcmp(s->name, block.label) != 0)
		return node_err(node_place(block.body, "name"), l->e,
				"it differs from the block's label '%.63s'", block.label);
	if (!s->name)
		s->name = block.label && *block.label ? block.label : NULL;
	if (!name_ok(l, block.body, s->name))
		return false;
	if (!s->type)
		return node_err(block.body, l->e,
				"store '%s' wants a type, as in type = \"vault\"",
				s->name);
	if (strcmp(s->type, "vault") == 0 && !s->address)
		s->address = peer_address;
	return check_connection(l, block.body, s);
}

// --- the peer's stanzas

static bool peer_login(struct load *l, const struct node *auto_auth, struct conf_store *s)
{
	struct node_block method;
	if (!stanza_read(l, STANZA_AUTO_AUTH, auto_auth, NULL, NULL) ||
	    !stanza_inner(l, auto_auth, "method", auth_known, &method))
		return false;
	if (!method.body)
		return node_err(
			auto_auth, l->e,
			"exactly one method is wanted, as in method \"kubernetes\" {…}");
	if (!read_auth(l, method, false, &s->auth) || !load_peer_sinks(l, auto_auth))
		return false;
	if (s->auth.wrap_ttl && l->conf->n_sinks != 1)
		return node_err(
			node_place(method.body, "wrap_ttl"), l->e,
			"exactly one sink is wanted, which gets the wrapped login; "
			"there are %zu",
			l->conf->n_sinks);
	if (s->auth.wrap_ttl && l->conf->sinks[0].wrap_ttl)
		return node_err(node_place(method.body, "wrap_ttl"), l->e,
				"the sink has a wrap_ttl too; one of the two is wanted");
	return true;
}

static bool read_peer(struct load *l, const struct node *vault,
		      const struct node *auto_auth)
{
	const struct node *at = vault ? vault : auto_auth ? auto_auth : l->documents[0];
	const struct node nothing = { .kind = NODE_OBJECT };
	struct conf_store *s = add_store(l, at);
	s->name = s->type = "vault";
	if (!store_defaults(l, s))
		return false;
	if (vault && !stanza_read(l, STANZA_VAULT, vault, s, NULL))
		return false;
	if (!read_retry(l, vault ? vault : &nothing, s) ||
	    !stanza_override(l, STANZA_VAULT, s) || !stanza_override(l, STANZA_RETRY, s))
		return false;
	if (auto_auth && !peer_login(l, auto_auth, s))
		return false;
	if (!s->address)
		s->address = peer_address;
	// The login's namespace is also that of the reads, unless one is given for these.
	if (!s->namespace_)
		s->namespace_ = s->auth.namespace_;
	else if (!s->auth.namespace_)
		s->auth.namespace_ = s->namespace_;
	return check_connection(l, at, s);
}

static bool choose_default(struct load *l)
{
	struct conf *c = l->conf;
	struct conf_store *chosen = NULL;
	for (size_t i = 0; i < c->n_stores; i++) {
		if (!c->stores[i].is_default)
			continue;
		if (chosen)
			return node_err(
				node_place(l->store_places[i], "default"), l->e,
				"store '%s' is the default already; one store may say so",
				chosen->name);
		chosen = &c->stores[i];
	}
	if (!chosen && c->n_stores > 0 && (c->n_stores == 1 || l->has_peer))
		chosen = &c->stores[0]; // the peer's comes first
	if (!chosen && c->n_stores > 1)
		return node_err(
			l->store_places[0], l->e,
			"of %zu stores none is the default; write default = true into "
			"the one that paths without a store's name mean",
			c->n_stores);
	if (chosen)
		chosen->is_default = true;
	return true;
}

bool load_stores(struct load *l)
{
	const struct node *vault, *auto_auth;
	struct node_blocks stores = { 0 };
	if (!stanza_single(l, "vault", &vault) ||
	    !stanza_single(l, "auto_auth", &auto_auth) ||
	    !stanza_all(l, "store", store_known, &stores))
		return false;
	l->has_peer = vault || auto_auth;
	// An address in the environment alone is a store too, if there is no other.
	bool by_address =
		stores.n == 0 && stanza_is_overridden(l, STANZA_VAULT, "address");
	if ((l->has_peer || by_address) && !read_peer(l, vault, auto_auth))
		return false;
	if (stores.n > BLOCKS_MAX)
		return node_err(stores.list[BLOCKS_MAX].body, l->e, "more than %d stores",
				BLOCKS_MAX);
	for (size_t i = 0; i < stores.n; i++)
		if (!read_store(l, stores.list[i]))
			return false;
	return load_sinks(l) && choose_default(l);
}

const struct conf_store *conf_store_of(const struct conf *c, const char *path,
				       const char **ret_rest, struct err *e)
{
	const char *colon = strchr(path, ':');
	size_t len = colon ? (size_t)(colon - path) : 0;
	const struct conf_store *found = NULL;
	*ret_rest = path;
	for (size_t i = 0; i < c->n_stores; i++) {
		const struct conf_store *s = &c->stores[i];
		if (len && strlen(s->name) == len && memcmp(s->name, path, len) == 0) {
			*ret_rest = colon + 1;
			return s;
		}
		if (s->is_default)
			found = s;
	}
	if (!found)
		err_set(e, ERR_CONFIG, 0,
			"no store answers '%.200s': write a store \"name\" {…} block, or "
			"a "
			"vault and auto_auth stanza",
			path);
	return found;
}
