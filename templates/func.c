// SPDX-License-Identifier: Apache-2.0
// The list of all groups of functions, and look-up by name.
#include "templates/func.h"

#include <string.h>

#include "lib/base/mem.h"
#include "templates/funcs.h"

const struct func_group func_groups[] = {
	{ "The language", funcs_builtin },
	{ "Comparisons", funcs_compare },
	{ "Stores and files", funcs_store },
	{ "Environment", funcs_env },
	{ "Text", funcs_text },
	{ "Quoting for other formats (not in the peers)", funcs_quote },
	{ "Encodings and digests", funcs_codec },
	{ "Parsing and writing documents", funcs_data },
	{ "Maps and lists", funcs_map },
	{ "Arithmetic", funcs_math },
	{ "Flow and time", funcs_flow },
	{ "sprig: text", funcs_sprig_text },
	{ "sprig: lists", funcs_sprig_list },
	{ "sprig: maps, defaults, conversions", funcs_sprig_map },
	{ "sprig: arithmetic", funcs_sprig_math },
	{ "sprig: JSON, time, random", funcs_sprig_misc },
	{ "Debugging", funcs_debug },
	{ "Consul and Nomad", funcs_absent },
	{ NULL, NULL },
};

const struct func *func_find(struct str name)
{
	for (const struct func_group *g = func_groups; g->title; g++)
		for (const struct func *f = g->funcs; f->name; f++)
			if (f->name[0] == name.p[0] && str_eq(name, f->name))
				return f;
	return NULL;
}

const char *func_nearest(struct str name)
{
	enum { NAMES_MAX = 512 };
	const char *names[NAMES_MAX];
	size_t n = 0;
	for (const struct func_group *g = func_groups; g->title; g++)
		for (const struct func *f = g->funcs; f->name && n < NAMES_MAX; f++)
			names[n++] = f->name;
	AUTO_FREE char *s = mem_strndup(name.p, name.len);
	return str_nearest(s, names, n);
}

const char *func_type_name(char letter)
{
	switch (letter) {
	case 's':
		return "string";
	case 'n':
		return "int";
	case 'l':
		return "int64";
	case 'f':
		return "float64";
	case 'b':
		return "bool";
	case 't':
		return "[]string";
	case 'm':
		return "map[string]interface {}";
	case 'i':
		return "[]interface {}";
	default:
		return "interface {}";
	}
}
