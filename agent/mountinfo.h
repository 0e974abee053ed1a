// SPDX-License-Identifier: Apache-2.0
// /proc/PID/mountinfo (proc(5)): which process sees a container's folder, and hence belongs
// to that container. Readable across uids, unlike /proc/PID/root or environ.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/err.h"

// How the folder looks in the mount table of a process that has it mounted.
struct mount_point {
	char *device; // "0:75"
	char *root;   // the folder's path inside its file system: "/app"
	char *where;  // mount point in the container: "/vault/secrets"
};
void mount_point_release(struct mount_point *m);

// From our own mount table: the folder as we see it, mounted at `where` elsewhere.
MUST_CHECK bool mountinfo_of_volume(const char *folder, const char *where,
				    struct mount_point *ret, struct err *e);
// Whether the process has exactly that mount.
bool mountinfo_shows(pid_t pid, const struct mount_point *m);
