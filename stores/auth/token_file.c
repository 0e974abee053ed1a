// SPDX-License-Identifier: Apache-2.0
// A token that somebody else made and keeps in a file. It is looked up, renewed when it can
// be, and never revoked: it is not ours.
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/auth/auth_keys.h"

static bool check(const struct conf_auth *conf, struct err *e)
{
	return auth_want_str(conf, "token_file_path", e);
}

static bool prepare(const struct conf_auth *conf, struct auth_memory *memory,
		    struct auth_request *ret, struct err *e)
{
	(void)memory;
	if (!auth_credential(auth_key(conf, "token_file_path", ""), "token", NULL,
			     &ret->token, e))
		return false;
	ret->method = "GET";
	ret->path = mem_strdup("auth/token/lookup-self");
	return true;
}

static size_t files(const struct conf_auth *conf, const char **ret, size_t max)
{
	if (max > 0)
		ret[0] = auth_key(conf, "token_file_path", "");
	return max > 0;
}

const struct auth_method auth_token_file = {
	.name = "token_file",
	.help = "a ready token from a file",
	.check = check,
	.prepare = prepare,
	.files = files,
};
