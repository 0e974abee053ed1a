// SPDX-License-Identifier: Apache-2.0
// Inside lib/loop only: the process' one inotify instance (the kernel allows 128 per user
// on a whole node), shared by watch.c and opens.c.
//
// inotify has one watch per inode and instance, and adding it again replaces its mask. So
// a mark here is one user's interest in an inode; the kernel's watch carries the union.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/loop/loop.h"

struct inotify_mark;

// What has happened to the inode. mask holds bits of the user's own mask, or IN_IGNORED
// when the kernel has ended the watch, or IN_Q_OVERFLOW when events were lost. name: the
// entry of a folder, or "".
typedef void inotify_mark_fn(void *ctx, uint32_t mask, const char *name);

// One of mask's bits may be IN_ONESHOT: the mark then ends after its first event. False
// with errno's value in *ret_errno: no instance, no watch left, no such path, no right to
// it.
bool inotify_mark_add(struct loop *l, const char *path, uint32_t mask,
		      inotify_mark_fn *fn, void *ctx, struct inotify_mark **ret,
		      int *ret_errno);
void inotify_mark_remove(struct inotify_mark *m); // NULL is fine

// Whether the kernel's watch of a one-shot mark has ended, asked after an overflow.
// Needs the path again. -1: cannot be told.
int inotify_mark_fired(struct inotify_mark *m, const char *path);
