// SPDX-License-Identifier: Apache-2.0
// Checks and reads the options of stores that read files.
#include "stores/store_options.h"

#include <string.h>

#include "lib/base/str.h"

bool store_options_known(const json_t *options, const char *const *names, size_t n,
			 struct err *e)
{
	const char *key;
	json_t *unused;
	json_object_foreach((json_t *)options, key, unused)
	{
		size_t i = 0;
		while (i < n && strcmp(names[i], key) != 0)
			i++;
		if (i < n)
			continue;
		const char *near = str_nearest(key, names, n);
		return err_set(e, ERR_CONFIG, 0, "there is no option '%.60s'%s%s%s", key,
			       near ? "; did you mean '" : "", near ? near : "",
			       near ? "'?" : "");
	}
	return true;
}

bool store_options_paths(const json_t *options, const struct store_paths *want,
			 size_t *ret_n, struct err *e)
{
	const json_t *o = json_object_get(options, want->name);
	size_t n = json_is_array(o) ? json_array_size(o) : 1;
	if (!o || n == 0)
		return err_set(e, ERR_CONFIG, 0, "option '%s' is missing: %s", want->name,
			       want->remedy);
	if (n > want->max)
		return err_set(e, ERR_LIMIT, 0,
			       "option '%s' has %zu elements; at most %zu", want->name, n,
			       want->max);
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(o) ? json_array_get(o, i) : o;
		if (!json_is_string(one))
			return err_set(e, ERR_CONFIG, 0,
				       "option '%s' is no path or list of paths",
				       want->name);
		want->ret[i] = json_string_value(one);
	}
	*ret_n = n;
	return true;
}
