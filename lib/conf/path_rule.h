// SPDX-License-Identifier: Apache-2.0
// Patterns of secrets' paths, names and addresses, as policies write them: one reading for the
// webhook, which refuses at admission, and the agent, which refuses what only it can see.
//
//	*    any run of letters within one part (it does not cross a separator)
//	**   any run of letters; "a/**" is also "a" itself
//	?    one letter within a part
//
// A path is compared in every form in which a store would read the same secret: without
// slashes at its ends, without "?version=2" and "#key", and for version 2 of a KV engine with
// "data/" behind the mount or without. A path in a form that only hides something (an escape
// "%2e", "//", ".", "..", a backslash, a control letter) is not plain: refuse it before any
// pattern is asked.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PATH_RULE_MAX = 2048 };

// Whether s matches; `separators` are the letters that * and ? do not cross.
bool path_rule_glob(const char *pattern, const char *s, const char *separators);

// "[store:]path" with a store's name of letters, digits, '-' and '_' before the first '/' and
// ':'. *ret_len is the store's length; 0: none is named. Returns the path.
const char *path_rule_split(const char *text, size_t *ret_len);

// The bare path in `to` (PATH_RULE_MAX bytes). False: it is not plain, or too long.
bool path_rule_plain(const char *path, char *to);

// Whether "[store:]pattern" covers the plain path of a store. A deny pattern covers the
// metadata and every spelling of what it names; an allow pattern only what reads the same
// secret.
bool path_rule_denies(const char *pattern, const char *store, const char *path);
bool path_rule_allows(const char *pattern, const char *store, const char *path);
