// SPDX-License-Identifier: Apache-2.0
// AppRole: a role id and a secret id from files. The secret id may be wrapped: its file then
// holds a wrapping token, which the store opens once and whose origin is checked.
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/auth/auth_keys.h"

static bool removes(const struct conf_auth *conf)
{
	return auth_key_bool(conf, "remove_secret_id_file_after_reading", true);
}

static bool check(const struct conf_auth *conf, struct err *e)
{
	if (!auth_want_mount(conf, e) || !auth_want_str(conf, "role_id_file_path", e) ||
	    !auth_may_str(conf, "secret_id_file_path", e) ||
	    !auth_may_str(conf, "secret_id_response_wrapping_path", e) ||
	    !auth_may_bool(conf, "remove_secret_id_file_after_reading", e))
		return false;
	if (auth_key(conf, "secret_id_response_wrapping_path", NULL) &&
	    !auth_key(conf, "secret_id_file_path", NULL))
		return err_set(e, ERR_CONFIG, 0,
			       "login '%s': secret_id_response_wrapping_path needs "
			       "secret_id_file_path",
			       conf->method);
	return true;
}

// A wrapping token opens once. A file that still holds the one that was opened before (it
// could not be removed) means the secret id that came out of it.
static bool wrapped(const char *file, const char *origin, struct auth_memory *memory,
		    struct auth_request *ret, struct err *e)
{
	AUTO_SECRET struct secret *token = NULL;
	struct err why = ERR_INIT;
	bool read = auth_credential(file, "wrapped secret id", NULL, &token, &why);
	if (memory->credential && (!read || secret_equal(token, memory->wrapper))) {
		auth_put(ret->body, "secret_id", memory->credential);
		return true;
	}
	if (!read)
		return err_set(e, why.kind, why.cause, "%s", why.text);
	auth_put(ret->body, "secret_id", token);
	ret->wrapped_secret_id = true;
	ret->wrapped_path = mem_strdup(origin);
	return true;
}

static bool prepare(const struct conf_auth *conf, struct auth_memory *memory,
		    struct auth_request *ret, struct err *e)
{
	AUTO_SECRET struct secret *id = NULL;
	AUTO_SECRET struct secret *secret_id = NULL;
	const char *file = auth_key(conf, "secret_id_file_path", NULL);
	const char *origin = auth_key(conf, "secret_id_response_wrapping_path", NULL);
	if (!auth_credential(auth_key(conf, "role_id_file_path", ""), "role id",
			     &memory->id, &id, e))
		return false;
	ret->method = "PUT";
	ret->path = auth_login_path(conf, NULL);
	ret->body = json_object();
	auth_put(ret->body, "role_id", id);
	if (!file)
		return true; // a role with bind_secret_id = false
	if (origin)
		return wrapped(file, origin, memory, ret, e);
	if (!auth_credential(file, "secret id", &memory->credential, &secret_id, e))
		return false;
	auth_put(ret->body, "secret_id", secret_id);
	return true;
}

static void used(const struct conf_auth *conf)
{
	const char *file = auth_key(conf, "secret_id_file_path", NULL);
	if (file && removes(conf))
		unlink(file);
}

static size_t files(const struct conf_auth *conf, const char **ret, size_t max)
{
	size_t n = 0;
	const char *secret_id = auth_key(conf, "secret_id_file_path", NULL);
	if (n < max)
		ret[n++] = auth_key(conf, "role_id_file_path", "");
	if (n < max && secret_id)
		ret[n++] = secret_id;
	return n;
}

const struct auth_method auth_approle = {
	.name = "approle",
	.help = "a role id and a (wrapped) secret id from files",
	.check = check,
	.prepare = prepare,
	.used = used,
	.files = files,
};
