// SPDX-License-Identifier: Apache-2.0
// Environments of commands.
#include "agent/exec_env.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

// MAX_ARG_STRLEN of the kernel: 32 pages for one string, its NUL included.
enum { STRING_MAX = 128 << 10 };

static bool is_ours(const char *pair)
{
	static const char *const prefixes[] = { "VAULT_", "BAO_" };
	static const char *const names[] = { "TOKEN=", "CONFIG=", "SECRET_ID=" };
	if (str_starts(pair, "AMPOULE_"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (str_starts(pair, prefixes[i]) &&
			    str_starts(pair + strlen(prefixes[i]), names[k]))
				return true;
	return false;
}

// Takes `pair` over, in the place of one with the same name.
static void add(struct exec_env *env, char *pair)
{
	size_t i = 0, name = strcspn(pair, "=");
	while (i < env->n &&
	       (strncmp(env->list[i], pair, name) != 0 || env->list[i][name] != '='))
		i++;
	if (i < env->n) {
		mem_free(env->list[i]);
	} else {
		env->list = mem_realloc(env->list, (env->n + 2) * sizeof(char *));
		env->list[++env->n] = NULL;
	}
	env->list[i] = pair;
}

void exec_env_inherit(struct exec_env *env)
{
	for (char **v = environ; v && *v; v++)
		if (!is_ours(*v))
			add(env, mem_strdup(*v));
}

bool exec_env_set(struct exec_env *env, const char *name, const char *value, size_t len,
		  struct err *e)
{
	size_t n = strlen(name);
	if (memchr(value, '\0', len))
		return err_set(e, ERR_CONFIG, 0,
			       "the value of variable '%s' holds a NUL byte, which no "
			       "environment can hold: encode it (base64Encode), or write "
			       "it to a file with a template",
			       name);
	if (n + 1 + len + 1 > STRING_MAX)
		return err_set(
			e, ERR_LIMIT, 0,
			"variable '%s' is %zu bytes long; the kernel takes at most "
			"%d for one: write the value to a file with a template",
			name, n + 1 + len + 1, STRING_MAX);
	char *pair = mem_alloc(n + 1 + len + 1);
	memcpy(pair, name, n);
	pair[n] = '=';
	memcpy(pair + n + 1, value, len);
	add(env, pair);
	return true;
}

bool exec_env_put(struct exec_env *env, const char *pair, struct err *e)
{
	const char *eq = strchr(pair, '=');
	if (!eq || eq == pair)
		return err_set(e, ERR_BUG, 0, "a variable came without a name");
	AUTO_FREE char *name = mem_strndup(pair, (size_t)(eq - pair));
	return exec_env_set(env, name, eq + 1, strlen(eq + 1), e);
}

void exec_env_release(struct exec_env *env)
{
	for (size_t i = 0; i < env->n; i++)
		mem_free(env->list[i]);
	mem_free(env->list);
	*env = (struct exec_env){ 0 };
}
