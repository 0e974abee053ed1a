// SPDX-License-Identifier: Apache-2.0
// What the readers of policy files share: values, lists, selectors. For webhook/policy*.c only.
#pragma once

#include "webhook/policy_int.h"

struct reading {
	struct policies *ps;
	const char *file;
	struct err *e;
};

// The error of a key that is none of `names`; always false.
bool read_unknown_key(struct reading *r, const struct node *n, const char *const *names,
		      size_t count);
bool read_text(struct reading *r, const struct node *n, const char **ret);
bool read_list(struct reading *r, const struct node *n, struct patterns *ret);
// "enforce", "warn" or "audit"; where `usual` is given also true and false.
bool read_mode(struct reading *r, const struct node *n, enum policy_mode usual,
	       enum policy_mode *ret);
// "2027-01-31" → the end of that day, UTC.
bool read_day(struct reading *r, const struct node *n, int64_t *ret);
// The one block `key` of a body; *ret is NULL without it.
bool read_block(struct reading *r, const struct node *body, const char *key,
		const struct node **ret);
// One key of a selector; *ret_known is false when it is none.
bool read_selector_key(struct reading *r, const struct node *n, struct selector *s,
		       bool *ret_known);
// The block `key` as a selector; *ret_there may be NULL.
bool read_selector(struct reading *r, const struct node *policy, const char *key,
		   struct selector *s, bool *ret_there);

// --- policy_names.c
bool policy_word_among(const char *name, const char *const *names, size_t n);
const char *const *policy_fact_names(void);
const char *const *policy_forbid_names(void);
const char *const *policy_limit_names(void);
// Whether some rule has this name, or one that the pattern takes in.
bool policy_rule_exists(const char *pattern);
