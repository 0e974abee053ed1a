// SPDX-License-Identifier: Apache-2.0
// Vault and OpenBao: KV 1 and 2, every engine with leases, static roles, certificates. This
// file opens and closes the store; vault_int.h says where the rest is.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "stores/vault_int.h"

// Methods of the peers that this build leaves out.
static bool left_out(const char *name)
{
	static const char *const names[] = { "aws",      "azure", "gcp", "kerberos",
					     "alicloud", "cf",    "oci" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool find_method(struct vault *v, struct err *e)
{
	const struct conf_auth *auth = &v->conf->auth;
	const char *names[16];
	size_t n = 0;
	if (!auth->method)
		return err_set(e, ERR_CONFIG, 0,
			       "no login is configured: it needs an auth method, as "
			       "\"kubernetes\"");
	v->method = auth_find(auth->method);
	if (v->method)
		return v->method->check(auth, e);
	if (left_out(auth->method))
		return err_set(e, ERR_CONFIG, 0,
			       "login method '%s' is not supported in this build; a "
			       "pod's own token (kubernetes, jwt) or approle serves in "
			       "its place",
			       auth->method);
	for (const struct auth_method *m; n < ARRAY_LEN(names) && (m = auth_at(n)); n++)
		names[n] = m->name;
	const char *near = str_nearest(auth->method, names, n);
	return err_set(e, ERR_CONFIG, 0, "login method '%s' is not known%s%s%s",
		       auth->method, near ? "; did you mean '" : "", near ? near : "",
		       near ? "'?" : "");
}

static bool new_client(struct vault *v, const struct conf_tls *tls,
		       struct http_client **ret, struct err *e)
{
	struct http_client_opts o = { .ca_file = tls->ca_file,
				      .ca_dir = tls->ca_dir,
				      .client_cert = tls->client_cert,
				      .client_key = tls->client_key,
				      .server_name = tls->server_name,
				      .skip_verify = tls->skip_verify,
				      .tls12_max = tls->tls12_max,
				      .proxy = v->conf->proxy,
				      .redirect_to = v->conf->redirect_to,
				      .max_connections = v->conf->max_connections };
	return http_client_new(v->loop, &o, ret, e);
}

// A login with a certificate of its own talks over a client of its own, and so does
// everything that is done to its token, as the server may want the same certificate there.
static bool open_clients(struct vault *v, struct err *e)
{
	struct conf_tls tls = v->conf->tls;
	if (v->method->client_cert)
		v->method->client_cert(&v->conf->auth, &tls);
	bool own = tls.client_cert != v->conf->tls.client_cert ||
		   tls.ca_file != v->conf->tls.ca_file;
	return new_client(v, &v->conf->tls, &v->http, e) &&
	       (!own || new_client(v, &tls, &v->login_http, e));
}

static void vault_close(struct store *s)
{
	struct vault *v = (struct vault *)s;
	while (v->ops)
		vault_op_free(v->ops);
	http_client_free(v->http);
	http_client_free(v->login_http);
	vault_mounts_free(v);
	vault_dues_free(v);
	auth_memory_release(&v->memory);
	secret_free(v->token);
	vault_addr_release(&v->addr);
	mem_free(v);
}

static bool vault_open(const struct store_env *env, struct store **ret, struct err *e)
{
	struct vault *v = mem_alloc(sizeof(*v));
	v->loop = env->loop;
	v->conf = env->conf;
	v->ops_end = &v->ops;
	if (!vault_addr_parse(env->conf->address, &v->addr, e) || !find_method(v, e) ||
	    !vault_inline_open(v, e) || !open_clients(v, e)) {
		vault_close((struct store *)v);
		return false;
	}
	*ret = (struct store *)v;
	return true;
}

static size_t login_files(struct store *s, const char **ret, size_t max)
{
	const struct vault *v = (const struct vault *)s;
	return v->method->files(&v->conf->auth, ret, max);
}

static bool login_rotates(struct store *s)
{
	const struct vault *v = (const struct vault *)s;
	return v->method->rotates && v->method->rotates(&v->conf->auth);
}

static const struct secret *token(struct store *s)
{
	return ((const struct vault *)s)->token;
}

static void patience(struct store *s, int64_t ms)
{
	((struct vault *)s)->patience_ms = ms;
}

const struct store_ops store_vault = {
	.type = "vault",
	.help = "Vault and OpenBao: KV, dynamic secrets with leases, static roles, "
		"certificates",
	.open = vault_open,
	.close = vault_close,
	.login = vault_login,
	.renew_login = vault_renew_login,
	.check_login = vault_check_login,
	.logout = vault_logout,
	.login_files = login_files,
	.login_rotates = login_rotates,
	.token = token,
	.wrap_token = vault_wrap_token,
	.patience = patience,
	.save = vault_save,
	.restore = vault_restore,
	.fetch = vault_fetch,
	.renew = vault_renew,
	.revoke = vault_revoke,
};
