// SPDX-License-Identifier: Apache-2.0
// Inside lib/loop only: walks a path component by component, through symbolic links, as
// the kernel would, and says what it met. What is met is hashed into a picture: two walks
// with equal pictures saw the same way and the same state at its end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum walk_kind {
	WALK_DIR,     // a folder on the way
	WALK_LINK,    // a symbolic link
	WALK_FILE,    // the end: anything that is no folder
	WALK_FOLDER,  // the end: a folder
	WALK_MISSING, // the way ends here: no such entry, no right, too many links
};

struct walk_step {
	enum walk_kind kind;
	const char *dir;  // the folder, free of links
	const char *name; // the entry in it
	const char *path; // dir/name
};

struct walk_picture {
	uint64_t way; // the steps' inodes and the links' texts
	uint64_t end; // identity, attributes and entries of what the path resolves to
	bool missing;
};

// Runs fn (may be NULL) for each step; its strings are borrowed for the call.
typedef void walk_fn(void *ctx, const struct walk_step *s);
void walk_path(const char *path, walk_fn *fn, void *ctx, struct walk_picture *ret);
bool walk_same(const struct walk_picture *a, const struct walk_picture *b);
