// SPDX-License-Identifier: Apache-2.0
// Between source.c (queue, health) and entry.c (one secret's life) only.
#pragma once

#include "agent/entry.h"

// entry.c: what the store's answer means. Exactly one of a and e is not NULL; e never
// concerns the whole store in entry_answered(), since an outage is the source's matter.
void entry_answered(struct entry *en, const struct store_answer *a, const struct err *e);
// Asks for the entry again, but not before that time: it makes a credential each time.
void entry_wait(struct entry *en, int64_t delay_ms);
void entry_renewed(struct entry *en, const struct store_answer *a, const struct err *e);

// source.c
// It failed for a reason of its own that may pass: its turn comes again, after others that
// are in the same state.
void source_sick(struct entry *en, const struct err *e);
bool source_can_renew(const struct source *s);
struct loop *source_loop(const struct source *s);
// The poll interval, from the secret's own one (0 = none).
int64_t source_interval(const struct source *s, int64_t own_ms);
unsigned source_renewal_percent(const struct source *s);
// Tells the agent that a successor must know something new.
void source_tell_kept(const struct source *s);
// Tells the agent that the entry has changed.
void source_tell(struct entry *en);
