// SPDX-License-Identifier: Apache-2.0
// User name and password: `userpass` and `ldap`, which differ in their mount only.
#include <string.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/auth/auth_keys.h"

static bool removes(const struct conf_auth *conf)
{
	return auth_key_bool(conf, "remove_password_after_reading", true);
}

static bool check(const struct conf_auth *conf, struct err *e)
{
	if (!auth_want_mount(conf, e) || !auth_want_str(conf, "username", e) ||
	    !auth_want_str(conf, "password_file_path", e) ||
	    !auth_may_bool(conf, "remove_password_after_reading", e))
		return false;
	if (strpbrk(auth_key(conf, "username", ""), "/?#"))
		return err_set(e, ERR_CONFIG, 0,
			       "login '%s': 'username' must not hold '/', '?' or '#'",
			       conf->method);
	return true;
}

static bool prepare(const struct conf_auth *conf, struct auth_memory *memory,
		    struct auth_request *ret, struct err *e)
{
	AUTO_SECRET struct secret *password = NULL;
	if (!auth_credential(auth_key(conf, "password_file_path", ""), "password",
			     removes(conf) ? &memory->credential : NULL, &password, e))
		return false;
	ret->method = "PUT";
	ret->path = auth_login_path(conf, auth_key(conf, "username", ""));
	ret->body = json_object();
	auth_put(ret->body, "password", password);
	return true;
}

static void used(const struct conf_auth *conf)
{
	if (removes(conf))
		unlink(auth_key(conf, "password_file_path", ""));
}

static size_t files(const struct conf_auth *conf, const char **ret, size_t max)
{
	if (max > 0)
		ret[0] = auth_key(conf, "password_file_path", "");
	return max > 0;
}

const struct auth_method auth_userpass = {
	.name = "userpass",
	.help = "a user name, and a password from a file",
	.check = check,
	.prepare = prepare,
	.used = used,
	.files = files,
};

const struct auth_method auth_ldap = {
	.name = "ldap",
	.help = "a directory user's name, and a password from a file",
	.check = check,
	.prepare = prepare,
	.used = used,
	.files = files,
};
