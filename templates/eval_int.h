// SPDX-License-Identifier: Apache-2.0
// What the files of the evaluator share.
#pragma once

#include "templates/run.h"

// The operands of a command; nodes.items[0] is the command itself.
struct args {
	struct node_list nodes;
	const struct val *final; // from the pipeline; NULL = none
};

struct call {
	const struct func *func;
	const struct val *dot;
	size_t pos; // of the command, where an error of the function is reported
	const struct args *args;
	const struct val *receiver; // of a method
};

MUST_CHECK bool eval_call(struct run *r, const struct call *c, struct val *ret);
// An operand as an argument of the type that the letter names (func.h); 0: any.
MUST_CHECK bool eval_arg(struct run *r, const struct val *dot, char type,
			 const struct node *n, struct val *ret);
MUST_CHECK bool eval_constant(struct run *r, const struct node *n, struct val *ret);
MUST_CHECK bool eval_field_node(struct run *r, const struct val *dot,
				const struct node *n, const struct args *args,
				struct val *ret);
MUST_CHECK bool eval_variable(struct run *r, const struct val *dot, const struct node *n,
			      const struct args *args, struct val *ret);
MUST_CHECK bool eval_chain(struct run *r, const struct val *dot, const struct node *n,
			   const struct args *args, struct val *ret);
