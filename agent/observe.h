// SPDX-License-Identifier: Apache-2.0
// Read receipts: which container opened which version of which file, and the alarm when it
// did not in time. One-shot watches on the files of a version, so that a busy reader wakes
// nobody after its first read (design.md section 4.5).
#pragma once

#include "agent/output.h"

struct observer;

// A place's file is overdue: publish.c rolls back, agent.c turns unready.
typedef void observer_unread_fn(void *ctx, struct place *p, enum conf_unread what);

struct observer *observer_new(struct loop *l, const struct conf *conf,
			      observer_unread_fn *fn, void *ctx);
void observer_free(struct observer *ob);

// A new file of the place exists at `path` and is not visible yet: watch it from now on.
void observer_watch(struct observer *ob, struct place *p, const char *path);
// It is visible: the clock of its receipt starts.
void observer_published(struct observer *ob, struct place *p);
// The place is gone or its file removed.
void observer_forget(struct place *p);

// False when the kernel has no inotify left: "receipts unavailable".
bool observer_available(const struct observer *ob);
// Reads and overdue files since the start, for status.
unsigned long observer_reads(const struct observer *ob);
