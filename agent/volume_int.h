// SPDX-License-Identifier: Apache-2.0
// Between volume.c (the staged set) and volume_link.c (links, old versions) only.
#pragma once

#include "agent/volume.h"

struct staged {
	struct staged *next;
	char *path;
	const void *bytes;
	size_t len;
	struct file_attr attr;
	void *owner;
	bool fresh; // to be written; else linked from the version before
};

struct old_version {
	struct old_version *next;
	int64_t until_ms;
	char name[64];
};

struct volume {
	struct volume_opts opts;
	char *folder;
	int dir;
	char *current; // name of the published version's folder, NULL = none
	bool owned;    // published by this process: its set is the staged one
	bool dirty, litter;
	unsigned serial;
	struct staged *files;
	struct old_version *old;
};

// At start: removes what a killed writer left, remembers what is published.
MUST_CHECK bool volume_heal(struct volume *v, struct err *e);
// Whether the published version holds as many files as are staged.
bool volume_is_staged_set(const struct volume *v);
// Lets `..data` name this version; the one before gets its grace time.
MUST_CHECK bool volume_swap(struct volume *v, const char *name, struct err *e);
// Makes the visible links agree with the staged set.
MUST_CHECK bool volume_link_all(struct volume *v, struct err *e);
