// SPDX-License-Identifier: Apache-2.0
// The function table. Values are json_t: NULL is nil, kept numbers are strings with a mark.
#pragma once

#include <jansson.h>

#include "templates/template.h"

struct call {
	const struct tmpl_source *source;
	json_t **args;
	size_t n;
	bool *waits;
};

// Sets *ret to a new reference (or NULL for nil).
typedef bool func_fn(const struct call *c, json_t **ret, struct err *e);

struct func {
	const char *name;
	int min, max; // -1: any number
	func_fn *fn;
	const char *help;
};

const struct func *func_find(const char *name, size_t len);
const char *func_nearest(const char *name, size_t len);
bool value_true(const json_t *v);
bool value_print(const json_t *v, bool top, struct buf *to);
