// SPDX-License-Identifier: Apache-2.0
// Lock, read, change, compare, replace.
#include "stores/sealed_update.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { TRIES = 100 };

bool sealed_load(const char *path, struct sealed_file *ret, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(SEALED_FILE_MAX);
	return file_read(path, &text, e) &&
	       sealed_file_parse((struct str){ buf_str(&text), text.len }, path, ret, e);
}

// What must not have changed between reading and replacing.
struct stamp {
	bool exists;
	struct stat st;
};

static bool take_stamp(const char *path, struct stamp *ret, struct err *e)
{
	ret->exists = stat(path, &ret->st) == 0;
	return ret->exists || errno == ENOENT ||
	       err_set(e, ERR_CONFIG, errno, "look at '%s'", path);
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	if (!a->exists || !b->exists)
		return a->exists == b->exists;
	return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino &&
	       a->st.st_size == b->st.st_size &&
	       a->st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
	       a->st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec;
}

// Mode and owner as they were. A new file holds nothing readable without a key.
static struct file_attr attr_of(const struct stamp *s)
{
	if (!s->exists)
		return (struct file_attr){ .mode = 0644,
					   .uid = (uid_t)-1,
					   .gid = (gid_t)-1 };
	bool root = geteuid() == 0;
	return (struct file_attr){ .mode = s->st.st_mode & 0777,
				   .uid = root ? s->st.st_uid : (uid_t)-1,
				   .gid = root ? s->st.st_gid : (gid_t)-1 };
}

// Who writes while a writer holds the lock is a writer that was killed: his half-made files
// go. The names are those of file_replace().
static void remove_leftovers(int dir, const char *base)
{
	AUTO_FREE char *prefix = mem_printf(".%.200s.tmp", base);
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	if (!d) {
		if (copy >= 0)
			close(copy);
		return;
	}
	rewinddir(d);
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			unlinkat(dir, entry->d_name, 0);
	closedir(d);
}

// One try. *ret_again: somebody was faster.
static bool try_once(const struct sealed_update *u, const char *path, bool *ret_again,
		     size_t *ret_size, struct err *e)
{
	struct stamp before, after;
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	AUTO_BUF struct buf text = BUF_INIT(SEALED_FILE_MAX);
	*ret_again = false;
	if (!take_stamp(path, &before, e))
		return false;
	if (!before.exists && !u->create)
		return err_set(e, ERR_MISSING, 0, "there is no file '%s'", u->path);
	if (!before.exists)
		sealed_file_init(&f, u->path);
	else if (!sealed_load(path, &f, e))
		return false;
	if (f.conflict)
		return err_set(
			e, ERR_CONFIG, 0,
			"%s line %u is a conflict marker of a Git merge: resolve it "
			"first (both sides' lines may stay when they are of different "
			"entries)",
			u->path, f.conflict);
	if (!u->change(u->ctx, &f, e) || !sealed_file_write(&f, &text, e) ||
	    !take_stamp(path, &after, e))
		return false;
	*ret_again = !stamp_equal(&before, &after);
	*ret_size = text.len;
	return *ret_again || file_replace(path, text.data, text.len, attr_of(&before), e);
}

bool sealed_update(const struct sealed_update *u, size_t *ret_size, struct err *e)
{
	// A link is followed: the file that it names is replaced, not the link.
	char *real = realpath(u->path, NULL);
	AUTO_FREE char *path = mem_strdup(real ? real : u->path);
	free(real);
	AUTO_FREE char *dir_copy = mem_strdup(path);
	AUTO_FREE char *base_copy = mem_strdup(path);
	AUTO_CLOSE int dir = open(dirname(dir_copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, ERR_CONFIG, errno, "open the folder of '%s'", u->path);
	while (flock(dir, LOCK_EX) != 0)
		if (errno != EINTR)
			return err_set(e, ERR_CONFIG, errno,
				       "lock the folder of '%s' (is it on a network file "
				       "system? work on a local copy)",
				       u->path);
	remove_leftovers(dir, basename(base_copy));
	for (unsigned i = 0; i < TRIES; i++) {
		bool again;
		if (!try_once(u, path, &again, ret_size, e))
			return false;
		if (!again)
			return true;
	}
	return err_set(e, ERR_RETRY, 0,
		       "'%s' was changed by others %d times while writing", u->path,
		       TRIES);
}
