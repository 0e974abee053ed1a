// SPDX-License-Identifier: Apache-2.0
// One container's folder on the memory volume. Its files change together: a versioned folder
// holds the whole set, and one rename of the link `..data` publishes it (as the kubelet's
// AtomicWriter does). The folder itself is never renamed, since it is mounted.
//
//	FOLDER/..data -> ..1763699765123.1        the version that counts
//	FOLDER/..1763699765123.1/db/password      the files, mode and owner set before the swap
//	FOLDER/db -> ..data/db                    what the application opens
//
// Unchanged files are hard links of the version before, so that a receipt that is still
// awaited stays with its inode. Old versions stay for a grace time: whoever opened the
// folder or a path a moment ago finds his file. A failure leaves the old version whole.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/file.h"

struct volume;

struct volume_opts {
	const char *container; // its name
	const char *folder;    // as the agent sees it; made when missing
	const char *mount;     // as the application sees it
	int64_t uid;           // of the application, -1 = not known
	bool allow_disk;       // else a volume that is no tmpfs is an error
	int64_t grace_ms;
};

// Takes the folder over: removes half-made versions, heals links, keeps what is published.
MUST_CHECK bool volume_open(const struct volume_opts *opts, struct volume **ret,
			    struct err *e);
void volume_free(struct volume *v); // the files stay

const char *volume_container(const struct volume *v);
const char *volume_folder(const struct volume *v);
const char *volume_mount(const struct volume *v);
// The mode of files without one of their own: 0400 when agent and application share a uid,
// 0440 with an fsGroup, else 0644 (design.md section 4.3).
unsigned volume_default_mode(const struct volume *v);
// The application's path as a path in this volume, or NULL when it is elsewhere.
const char *volume_path_of(const struct volume *v, const char *application_path);

struct volume_file {
	const char *path; // relative: "db", "tls/cert.pem"
	const void *bytes;
	size_t len;
	struct file_attr attr;
	void *owner; // given back to volume_made_fn
};

// Whether the published file is this one already: bytes, mode, owner. Reads it, which a
// receipt would see: only for files that this process has not published.
bool volume_same(const struct volume *v, const struct volume_file *f);
// At start, for each file of the configuration: one that an earlier agent has published
// stays until it is put or removed, however long its store is away. True when there is one.
bool volume_adopt(struct volume *v, const char *path, void *owner);
// Stages a file of the next version. The bytes are borrowed until volume_publish().
// keep: the published file is equal; it is taken over as it is.
MUST_CHECK bool volume_put(struct volume *v, const struct volume_file *f, bool keep,
			   struct err *e);
// Stages the removal; false when there is no such file.
bool volume_remove(struct volume *v, const char *path);
// Whether anything staged differs from what is published.
bool volume_dirty(const struct volume *v);

// Told of each file that is new in this version, by a path that exists but is not visible
// yet: the moment to watch it.
typedef void volume_made_fn(void *ctx, void *owner, const char *path);
// Makes the staged set visible. When it fails, it stays staged.
MUST_CHECK bool volume_publish(struct volume *v, volume_made_fn *made, void *ctx,
			       struct err *e);

// Removes versions whose grace has ended; returns when to call again (ms from now), or -1.
int64_t volume_sweep(struct volume *v);
// Removes every file and version (the native sidecar's end).
void volume_wipe(struct volume *v);
