// SPDX-License-Identifier: Apache-2.0
// Reads a configuration document: HCL version 1 as Vault Agent accepts it, or JSON when the
// first letter is '{'. Both give the same tree (node.h).
//
// HCL: `key = value`, blocks with labels (`sink "file" {`), repeated blocks, lists with a
// trailing comma, objects, `<<EOT` and `<<-EOT` heredocs, comments (# // and /* */), decimal,
// octal (0640) and hexadecimal numbers, floats, booleans, strings with Go's escapes. `${…}`
// stays as it is: nothing is interpolated. A byte order mark and CRLF are accepted.
//
// JSON is strict (RFC 8259): no comments, no trailing commas, no lone surrogates. In both, a
// NUL letter and text that is not UTF-8 are refused.
//
// Errors are "FILE:LINE:COLUMN: reason" and never quote a value.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/conf/node.h"
#include "lib/conf/pool.h"

enum {
	HCL_BYTES_MAX = 1024 * 1024,
	HCL_DEPTH_MAX = 64,
	HCL_NODES_MAX = 100000,
};

// `file` is the name for messages. The tree lies in the pool.
MUST_CHECK bool hcl_parse(struct pool *p, const char *file, const char *text, size_t len,
			  const struct node **ret, struct err *e);
