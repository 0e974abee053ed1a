// SPDX-License-Identifier: Apache-2.0
// The functions of the language. Each is one row in the table of its file: name, types of
// its parameters, the C function, a line of help and an example that is run as a test. The
// groups are listed in func.c; README's page and `ampoule render --functions` are printed
// from them.
//
// To add a function: write it in the funcs_*.c where it belongs, add its row there, and a
// case to test/cases/template.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"
#include "templates/value.h"

struct run;

// Gets as many arguments as the row allows, each of the type that it names. On failure the
// function has called func_fail() (run.h).
typedef bool func_fn(struct run *r, const struct val *args, size_t n, struct val *ret);

enum func_flags {
	FUNC_PLAIN = 0,
	FUNC_AND = 1, // and, or: evaluated by the caller, one argument at a time
	FUNC_OR = 2,
	FUNC_RANDOM = 4, // its example has no fixed result
};

struct func {
	// A letter a parameter; '*' behind the last: any number of that type.
	//   s string   n int   l int64   f float64   b bool
	//   t []string   m map[string]interface {}   i []interface {}
	//   a any value   v any value, or none
	char params[7];
	unsigned char flags; // enum func_flags
	func_fn *fn;
	const char *name;
};

// One row. The example is a template that renders the result; "" when it needs a store or a
// grant. Help, example and result go to a table of their own (templates/help/embed.sh), which
// the agent does not link.
#define FUNC(name, params, fn, help, example, result, flags)                             \
	{                                                                                \
		params, flags, fn, name                                                  \
	}

// Of a row of func_groups, not of a method.
const char *func_help(const struct func *f);
const char *func_example(const struct func *f);
const char *func_result(const struct func *f);
// Made from the rows: name, help, example and result, NUL-ended each; ends with NULL.
extern const char *const func_texts[];

struct func_group {
	const char *title;
	const struct func *funcs; // ends with a row without a name
};

// Ends with a row whose title is NULL.
extern const struct func_group func_groups[];

const struct func *func_find(struct str name);
// For "did you mean"; NULL when nothing is near.
const char *func_nearest(struct str name);
// Go's name of a parameter's type.
const char *func_type_name(char letter);
