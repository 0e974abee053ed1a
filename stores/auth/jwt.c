// SPDX-License-Identifier: Apache-2.0
// Logins with a signed token from a file: `kubernetes` (the service account's, which the
// store has reviewed by the API server) and `jwt` (any issuer's, which it verifies itself).
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/auth/auth_keys.h"

#define SERVICE_ACCOUNT_TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"

static bool prepare(const struct conf_auth *conf, const char *path, struct secret **kept,
		    struct auth_request *ret, struct err *e)
{
	AUTO_SECRET struct secret *token = NULL;
	if (!auth_credential(path, "login token", kept, &token, e))
		return false;
	ret->method = "PUT";
	ret->path = auth_login_path(conf, NULL);
	ret->body = json_object();
	const char *role = auth_key(conf, "role", NULL);
	if (role)
		json_object_set_new(ret->body, "role", json_string(role));
	auth_put(ret->body, "jwt", token);
	return true;
}

// --- kubernetes ---------------------------------------------------------------------------

static bool kubernetes_check(const struct conf_auth *conf, struct err *e)
{
	return auth_want_mount(conf, e) && auth_want_str(conf, "role", e) &&
	       auth_may_str(conf, "token_path", e);
}

static bool kubernetes_prepare(const struct conf_auth *conf, struct auth_memory *memory,
			       struct auth_request *ret, struct err *e)
{
	(void)memory;
	return prepare(conf, auth_key(conf, "token_path", SERVICE_ACCOUNT_TOKEN), NULL,
		       ret, e);
}

static size_t kubernetes_files(const struct conf_auth *conf, const char **ret, size_t max)
{
	if (max > 0)
		ret[0] = auth_key(conf, "token_path", SERVICE_ACCOUNT_TOKEN);
	return max > 0;
}

static bool kubernetes_rotates(const struct conf_auth *conf)
{
	(void)conf;
	return true;
}

const struct auth_method auth_kubernetes = {
	.name = "kubernetes",
	.help = "the pod's service account token, reviewed by the cluster's API server",
	.check = kubernetes_check,
	.prepare = kubernetes_prepare,
	.files = kubernetes_files,
	.rotates = kubernetes_rotates,
};

// --- jwt ----------------------------------------------------------------------------------

static bool removes_jwt(const struct conf_auth *conf)
{
	return auth_key_bool(conf, "remove_jwt_after_reading", true);
}

// Without a role the auth method's default role counts.
static bool jwt_check(const struct conf_auth *conf, struct err *e)
{
	return auth_want_mount(conf, e) && auth_may_str(conf, "role", e) &&
	       auth_want_str(conf, "path", e) &&
	       auth_may_bool(conf, "remove_jwt_after_reading", e) &&
	       auth_may_bool(conf, "remove_jwt_follows_symlinks", e);
}

static bool jwt_prepare(const struct conf_auth *conf, struct auth_memory *memory,
			struct auth_request *ret, struct err *e)
{
	return prepare(conf, auth_key(conf, "path", ""),
		       removes_jwt(conf) ? &memory->credential : NULL, ret, e);
}

static void jwt_used(const struct conf_auth *conf)
{
	const char *path = auth_key(conf, "path", "");
	if (!removes_jwt(conf))
		return;
	char *target = auth_key_bool(conf, "remove_jwt_follows_symlinks", false)
			       ? realpath(path, NULL)
			       : NULL;
	if (target)
		unlink(target);
	else
		unlink(path);
	free(target); // realpath() has it from libc
}

static size_t jwt_files(const struct conf_auth *conf, const char **ret, size_t max)
{
	if (max > 0)
		ret[0] = auth_key(conf, "path", "");
	return max > 0;
}

// A token that is removed after use was put there for this login; one that stays is of a
// projected volume, or an agent's that renews it.
static bool jwt_rotates(const struct conf_auth *conf)
{
	return !removes_jwt(conf);
}

const struct auth_method auth_jwt = {
	.name = "jwt",
	.help = "a signed token from a file (projected volume, SPIFFE, CI), verified by "
		"the store",
	.check = jwt_check,
	.prepare = jwt_prepare,
	.used = jwt_used,
	.files = jwt_files,
	.rotates = jwt_rotates,
};
