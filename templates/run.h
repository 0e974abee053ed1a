// SPDX-License-Identifier: Apache-2.0
// One run of a template: the state that the evaluator and the functions share. Everything
// that is computed lies in its arena and is wiped with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "templates/func.h"
#include "templates/node.h"
#include "templates/template.h"
#include "templates/value.h"

enum { RUN_NEST_MAX = 1500 }; // recursion of the evaluator itself

struct var {
	struct str name;
	struct val value;
};

// A file of writeToFile, kept until the run is complete.
struct run_write {
	struct tmpl_file file;
	struct run_write *next;
};

struct run {
	const struct tree *tree;
	const char *name; // in messages
	const struct tmpl_opts *opts;
	const struct tmpl_source *source;
	struct arena arena;
	struct buf *out;
	struct err *e;
	size_t pos;              // of the node at work, for messages
	const struct func *func; // the function at work
	struct object *receiver; // of the method at work, when it is a struct
	const struct val *receiver_value;
	struct var *vars; // a stack
	size_t n_vars, cap_vars;
	size_t first_var; // of the template at work: $
	unsigned depth;   // of templates
	unsigned nest;    // of nodes
	unsigned long steps;
	unsigned long max_steps;
	int64_t deadline_ms;
	size_t max_output;
	bool wanted; // an answer was not there: the output counts for nothing
	struct object *scratch;
	struct run_write *writes, **writes_end;
};

// Sets the error "NAME:LINE:COL: reason" with the place of the node at work; always false.
bool run_fail(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool run_fail_kind(struct run *r, enum err_kind kind, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
// The same, and the name of the function at work before the reason.
bool func_fail(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool func_fail_kind(struct run *r, enum err_kind kind, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

// Counts one step; false when a limit is met.
MUST_CHECK bool run_step(struct run *r);
// The same for n steps at once: for a function whose work grows with its input.
MUST_CHECK bool run_steps(struct run *r, unsigned long n);

// A copy of a buffer's bytes as a string of the run; fails when the buffer met its limit.
MUST_CHECK bool run_take(struct run *r, struct buf *b, struct val *ret);

// Walks a template of the set with `dot` as $ and dot, writing to r->out.
MUST_CHECK bool run_template(struct run *r, const struct definition *def, struct val dot);
// eval.c: the value of a pipeline. Its variables stay on the stack.
MUST_CHECK bool eval_pipeline(struct run *r, const struct val *dot,
			      const struct pipe *pipe, struct val *ret);
void run_push(struct run *r, struct str name, struct val v);
bool run_set(struct run *r, struct str name, struct val v);
// Calls a method of a scratch, a time, …; false and no error when there is no such method.
const struct func *object_method(const struct val *v, struct str name);
// A field of a struct; *ret_found is false when there is no such field.
MUST_CHECK bool object_field(struct run *r, const struct val *v, struct str name,
			     struct val *ret, bool *ret_found);
