// SPDX-License-Identifier: Apache-2.0
// The options that only one type of store knows (conf_store.options): a misspelt one must not
// be silently without effect, as it may be the one that demands signatures.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

// Fails with the nearest name when the object has a member that is not among the names.
MUST_CHECK bool store_options_known(const json_t *options, const char *const *names,
				    size_t n, struct err *e);

// A text or a list of texts, 1 to max of them, borrowed. A missing option is an error with
// `remedy` as its reason.
struct store_paths {
	const char *name, *remedy;
	const char **ret;
	size_t max;
};
MUST_CHECK bool store_options_paths(const json_t *options, const struct store_paths *want,
				    size_t *ret_n, struct err *e);
