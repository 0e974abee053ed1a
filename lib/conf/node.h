// SPDX-License-Identifier: Apache-2.0
// What an HCL or JSON document says, with the place of each word: the tree that both readers
// (hcl.h) build and from which the stanzas of struct conf are filled.
//
// An object keeps its members in order, repeated keys included: a repeated block of HCL and an
// array of objects in JSON mean the same, and node_blocks() makes them look the same.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/conf/pool.h"

enum node_kind {
	NODE_NULL,
	NODE_BOOL,
	NODE_INT,
	NODE_REAL,
	NODE_STRING,
	NODE_LIST,
	NODE_OBJECT
};

struct node {
	enum node_kind kind;
	bool truth;
	bool is_block; // HCL's `key {`, not `key = {`
	bool from_text; // no document: a default, a variable, a flag; types are read from text
	int64_t integer;
	double real;
	const char *text; // of a string; how a number was spelt
	const char *key;  // in an object
	const char *const
		*labels; // of a block: `method "kubernetes" {`; NULL-ended, or NULL
	const char *file;
	unsigned line, column;            // of the key, or of the element of a list
	struct node *first, *last, *next; // members or elements; the next beside this one
	size_t n;
};

// Adds `child` behind the members or elements of `parent`.
void node_add(struct node *parent, struct node *child);
// The last member of that name, or NULL. HCL matches names without regard to case.
const struct node *node_get(const struct node *object, const char *key);
bool node_key_is(const struct node *n, const char *key);
// Where to point when that member is at fault: the member, or the object without it.
const struct node *node_place(const struct node *object, const char *key);
const char *node_kind_name(enum node_kind kind);

// One block of a kind: `store "aws" {…}`, or {"store": {"aws": {…}}} in JSON.
struct node_block {
	const char *label; // or NULL
	const struct node *body;
};
struct node_blocks {
	struct node_block *list;
	size_t n;
};

// Collects the blocks named `key` of an object, repeated, in lists, labelled or not. `labelled`
// says that blocks of this kind take a label: an unlabelled body whose members are all blocks
// is then read as {label: body}; known(name) tells of names that are members, not labels.
typedef bool node_known_fn(const char *name);
MUST_CHECK bool node_collect(struct pool *p, const struct node *object, const char *key,
			     node_known_fn *known, struct node_blocks *ret,
			     struct err *e);

// An error at the node: "FILE:LINE: key: reason". Always false.
bool node_err(const struct node *n, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

// As jansson sees it: repeated members become arrays, labels keys of nested objects. The
// caller owns the result.
json_t *node_to_json(const struct node *n);
