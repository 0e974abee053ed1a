// SPDX-License-Identifier: Apache-2.0
// Removing a folder by descriptors only, so that a link put there meanwhile is never
// followed out of it.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

enum { TREE_DEPTH_MAX = 64 };

static void auto_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool remove_entry(int dirfd, const char *name, unsigned depth, struct err *e);

static bool empty_folder(int fd, unsigned depth, struct err *e)
{
	__attribute__((cleanup(auto_dir))) DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return err_set(e, ERR_RETRY, errno, "read a folder");
	}
	struct dirent *entry;
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !remove_entry(dirfd(d), entry->d_name, depth, e))
			return false;
	return true;
}

static bool remove_entry(int at, const char *name, unsigned depth, struct err *e)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return true;
	if (errno != EISDIR && errno != EPERM)
		return err_set(e, ERR_RETRY, errno, "remove '%s'", name);
	if (depth == 0)
		return err_set(e, ERR_LIMIT, 0, "remove '%s': nested too deep", name);
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_RETRY, errno, "open folder '%s'", name);
	if (!empty_folder(fd, depth - 1, e))
		return false;
	if (unlinkat(at, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return err_set(e, ERR_RETRY, errno, "remove folder '%s'", name);
	return true;
}

bool file_remove_tree(int dirfd, const char *name, struct err *e)
{
	return remove_entry(dirfd, name, TREE_DEPTH_MAX, e);
}
