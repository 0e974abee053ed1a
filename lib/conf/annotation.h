// SPDX-License-Identifier: Apache-2.0
// Annotations of a pod as rows of the option table (options.h): which row an annotation is,
// and its value as the agent's configuration wants it.
//
//	ampoule.dev/notify-db                      row "notify-<n>", n = "db"
//	vault.hashicorp.com/agent-inject-secret-db row "agent-inject-secret-<n>", n = "db"
//	ampoule.dev/init-first                     a peer's row, without its "agent-"
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/conf/options.h"

// Weakest first: on one pod a later one wins.
enum annotation_prefix {
	PREFIX_NONE,    // somebody else's annotation
	PREFIX_VAULT,   // vault.hashicorp.com/
	PREFIX_BAO_OLD, // openbao.openbao.org/
	PREFIX_BAO,     // openbao.org/
	PREFIX_OURS,    // ampoule.dev/
	PREFIX_COUNT,
};

const char *annotation_prefix_text(enum annotation_prefix prefix); // with its slash
enum annotation_prefix annotation_prefix_of(const char *key, const char **ret_suffix);

// The row of a suffix, fixed names before patterns, longer patterns before shorter ones.
// *ret_n is what stands for <n>, <k> or <NAME>; NULL when the row has none.
const struct option_row *annotation_find(enum annotation_prefix prefix,
					 const char *suffix, const char **ret_n);
// The row's name under the prefix, with its <n>; NULL: it has none there.
const char *annotation_name(const struct option_row *row, enum annotation_prefix prefix);
// What the user may have meant by an unknown suffix, whole ("ampoule.dev/secret-db"), or
// NULL. The caller frees.
char *annotation_nearest(enum annotation_prefix prefix, const char *suffix);

// The value of an annotation as the configuration key of its row wants it (a boolean, a
// number, a list, a string), checked as conf_load() checks it; an error says what is wanted.
// Rows of STANZA_POD are checked by their type only. *ret is the caller's.
MUST_CHECK bool annotation_value(const struct option_row *row, const char *text,
				 json_t **ret, struct err *e);
