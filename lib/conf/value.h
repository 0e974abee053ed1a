// SPDX-License-Identifier: Apache-2.0
// What value.c and value_many.c share.
#pragma once

#include "lib/conf/load.h"

// The fields of a row in the stanza at `at`; value_also() is NULL when there is one only.
void *value_field(const struct option_row *row, void *at);
void *value_also(const struct option_row *row, void *at);

// Errors at the node; always false. value_wrong() takes the reason of a parser of str.h.
bool value_wrong_kind(struct load *l, const struct node *n, const char *wanted);
bool value_wrong(struct load *l, const struct node *n, const struct err *why);

bool value_duration(struct load *l, const struct node *n, int64_t *ret);

bool value_set_notify(struct load *l, const struct option_row *row, const struct node *n,
		      void *at);
bool value_set_command(struct load *l, const struct option_row *row, const struct node *n,
		       void *at);
bool value_set_argv(struct load *l, const struct node *n, const char *const **ret);
bool value_set_unread(struct load *l, const struct option_row *row, const struct node *n,
		      void *at);
bool value_set_wait(struct load *l, const struct option_row *row, const struct node *n,
		    void *at);
