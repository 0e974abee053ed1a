// SPDX-License-Identifier: Apache-2.0
// Files: read whole with a cap, replace atomically with mode and owner set before the new
// content can be seen.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

// Reads at most to->max bytes; a longer file, a folder or a device is an error. Kind is
// ERR_CONFIG, ERR_MISSING when there is no such file.
MUST_CHECK bool file_read(const char *path, struct buf *to, struct err *e);
MUST_CHECK bool file_read_fd(int fd, struct buf *to, struct err *e);
// At most 64 KiB, blanks at both ends taken off; an empty file is an error. The caller
// frees. For tokens and ids.
MUST_CHECK bool file_read_token(const char *path, char **ret, struct err *e);

struct file_attr {
	mode_t mode; // permission bits
	uid_t uid;   // (uid_t)-1: as created
	gid_t gid;   // (gid_t)-1: as created
};

// Writes all bytes, however often write() is cut short.
MUST_CHECK bool file_write_all(int fd, const void *bytes, size_t len, struct err *e);
// Makes `name` under the folder dirfd, which must not exist yet, with mode and owner set
// and all bytes written. O_NOFOLLOW; nothing is left behind when it fails.
MUST_CHECK bool file_create_at(int dirfd, const char *name, const void *bytes, size_t len,
			       struct file_attr attr, struct err *e);
// A new file beside `path`, attributes set, fsync, then rename. A symbolic link at `path`
// is replaced, not followed.
MUST_CHECK bool file_replace(const char *path, const void *bytes, size_t len,
			     struct file_attr attr, struct err *e);
// Makes the folders of `path`'s parent (0755 less umask).
MUST_CHECK bool file_make_parents(const char *path, struct err *e);
// Removes a folder and what is in it, by descriptors only; a missing one is no error.
MUST_CHECK bool file_remove_tree(int dirfd, const char *name, struct err *e);

// A name that may become a file in a volume: not empty, ".", "..", no '/', no control
// letter, no leading "..", valid UTF-8, at most 255 bytes.
MUST_CHECK bool file_name_ok(const char *name, struct err *e);
// A relative path of such names ("a/b"), at most 4095 bytes: no "//", no trailing slash.
MUST_CHECK bool file_path_ok(const char *path, struct err *e);
