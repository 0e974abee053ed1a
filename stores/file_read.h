// SPDX-License-Identifier: Apache-2.0
// Reading of the store "file": what lies below a folder, and nothing else.
#pragma once

#include <jansson.h>

#include "lib/base/err.h"

enum { FILE_VERSION_MAX = 24, FILE_SIZE_MAX = 4 * 1024 * 1024, FILE_COUNT_MAX = 1000 };

struct file_got {
	json_t *body; // owned
	char version
		[FILE_VERSION_MAX]; // of names, inodes, times and sizes; not of content
};
void file_got_release(struct file_got *g);
#define AUTO_FILE_GOT AUTO(file_got_release)

// A folder or a file; path is relative to root, "" is root itself.
MUST_CHECK bool file_get(const char *root, const char *path, struct file_got *ret,
			 struct err *e);
// The names in a folder, those of folders with a slash, sorted.
MUST_CHECK bool file_list(const char *root, const char *path, struct file_got *ret,
			  struct err *e);
