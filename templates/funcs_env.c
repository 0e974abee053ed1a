// SPDX-License-Identifier: Apache-2.0
// The environment of the agent, when it is granted.
#include <stdlib.h>

#include "templates/funcs.h"
#include "templates/run.h"

static bool look(struct run *r, const struct val *name, const char **ret)
{
	if (!r->opts->grants.env)
		return func_fail_kind(r, ERR_DENIED,
				      "templates may not read the environment; "
				      "policy { allow_env = true } allows it");
	*ret = getenv(arena_dup(&r->arena, name->s.p, name->s.len));
	return true;
}

static bool fn_env(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	const char *v = NULL;
	if (!look(r, &args[0], &v))
		return false;
	*ret = val_strz(v ? v : "");
	return true;
}

static bool fn_must(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	const char *v = NULL;
	if (!look(r, &args[0], &v))
		return false;
	if (!v || !*v)
		return func_fail(r, "the variable is empty");
	*ret = val_strz(v);
	return true;
}

static bool fn_or_default(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	const char *v = NULL;
	if (!look(r, &args[0], &v))
		return false;
	*ret = v ? val_strz(v) : args[1];
	return true;
}

const struct func funcs_env[] = {
	FUNC("env", "s", fn_env, "a variable of the environment, \"\" when unset", "", "",
	     0),
	FUNC("mustEnv", "s", fn_must, "the same; an empty one is an error", "", "", 0),
	FUNC("envOrDefault", "ss", fn_or_default, "the same; a default when unset", "",
	     "", 0),
	{ .name = NULL },
};
