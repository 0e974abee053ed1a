// SPDX-License-Identifier: Apache-2.0
// A client certificate, shown in the TLS handshake; the login itself names at most a role.
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/auth/auth_keys.h"

static bool check(const struct conf_auth *conf, struct err *e)
{
	return auth_want_mount(conf, e) && auth_may_str(conf, "name", e) &&
	       auth_may_str(conf, "ca_cert", e) && auth_may_str(conf, "client_cert", e) &&
	       auth_may_str(conf, "client_key", e) && auth_may_bool(conf, "reload", e);
}

static bool prepare(const struct conf_auth *conf, struct auth_memory *memory,
		    struct auth_request *ret, struct err *e)
{
	(void)memory;
	(void)e;
	const char *name = auth_key(conf, "name", NULL);
	ret->method = "PUT";
	ret->path = auth_login_path(conf, NULL);
	ret->body = json_object();
	if (name)
		json_object_set_new(ret->body, "name", json_string(name));
	return true;
}

static size_t files(const struct conf_auth *conf, const char **ret, size_t max)
{
	static const char *const keys[] = { "client_cert", "client_key" };
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(keys) && n < max; i++) {
		const char *path = auth_key(conf, keys[i], NULL);
		if (path)
			ret[n++] = path;
	}
	return n;
}

static void client_cert(const struct conf_auth *conf, struct conf_tls *tls)
{
	const char *cert = auth_key(conf, "client_cert", NULL);
	if (cert) {
		tls->client_cert = cert;
		tls->client_key = auth_key(conf, "client_key", NULL);
	}
	tls->ca_file = auth_key(conf, "ca_cert", tls->ca_file);
}

const struct auth_method auth_cert = {
	.name = "cert",
	.help = "a TLS client certificate",
	.check = check,
	.prepare = prepare,
	.files = files,
	.client_cert = client_cert,
};
