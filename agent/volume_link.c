// SPDX-License-Identifier: Apache-2.0
// Links of a volume: the swap of `..data`, the names that the application opens, the grace
// time of old versions, and the healing of what a killed writer left.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/volume_int.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define DATA "..data"
#define DATA_TMP "..data_tmp"
#define LINK_TMP "..link_tmp"

enum { DEPTH_MAX = 64 };

static bool read_link(const struct volume *v, const char *name, char ret[static PATH_MAX])
{
	ssize_t n = readlinkat(v->dir, name, ret, PATH_MAX - 1);
	if (n < 0)
		return false;
	ret[n] = '\0';
	return true;
}

static bool is_version(const char *name)
{
	return name[0] == '.' && name[1] == '.' && name[2] >= '0' && name[2] <= '9';
}

static void add_old(struct volume *v, const char *name)
{
	struct old_version *o = mem_alloc(sizeof(*o));
	o->until_ms = clock_mono_ms() + v->opts.grace_ms;
	snprintf(o->name, sizeof(o->name), "%.63s", name);
	o->next = v->old;
	v->old = o;
}

// Calls fn for each name in the folder; the folder may change meanwhile.
static bool each_name(struct volume *v, void (*fn)(struct volume *v, const char *name),
		      struct err *e)
{
	int copy = openat(v->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		err_set(e, ERR_RETRY, errno, "read folder '%s'", v->folder);
		if (copy >= 0)
			close(copy);
		return false;
	}
	struct dirent *entry;
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fn(v, entry->d_name);
	closedir(d);
	return true;
}

static void heal_name(struct volume *v, const char *name)
{
	if (strcmp(name, DATA_TMP) == 0 || strcmp(name, LINK_TMP) == 0)
		unlinkat(v->dir, name, 0);
	else if (is_version(name) && (!v->current || strcmp(name, v->current) != 0))
		add_old(v, name); // a reader may still be in it
}

bool volume_heal(struct volume *v, struct err *e)
{
	char target[PATH_MAX];
	struct stat st;
	if (read_link(v, DATA, target) && is_version(target) && !strchr(target, '/') &&
	    fstatat(v->dir, target, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		v->current = mem_strdup(target);
	return each_name(v, heal_name, e);
}

bool volume_swap(struct volume *v, const char *name, struct err *e)
{
	if (unlinkat(v->dir, DATA_TMP, 0) != 0 && errno != ENOENT)
		return err_set(e, ERR_RETRY, errno, "remove '%s/" DATA_TMP "'",
			       v->folder);
	if (symlinkat(name, v->dir, DATA_TMP) != 0 ||
	    renameat(v->dir, DATA_TMP, v->dir, DATA) != 0)
		return err_set(e, ERR_RETRY, errno, "swap '%s/" DATA "'", v->folder);
	if (v->current)
		add_old(v, v->current);
	mem_free(v->current);
	v->current = mem_strdup(name);
	return true;
}

static size_t first_part(const char *path)
{
	return strcspn(path, "/");
}

static bool is_staged(const struct volume *v, const char *top)
{
	for (struct staged *f = v->files; f; f = f->next)
		if (strlen(top) == first_part(f->path) &&
		    strncmp(f->path, top, strlen(top)) == 0)
			return true;
	return false;
}

static void remove_stale(struct volume *v, const char *name)
{
	char target[PATH_MAX];
	if (read_link(v, name, target) && str_starts(target, DATA "/") &&
	    !is_staged(v, name))
		unlinkat(v->dir, name, 0);
}

static bool link_one(struct volume *v, const char *top, struct err *e)
{
	char target[PATH_MAX];
	AUTO_FREE char *want = mem_printf(DATA "/%s", top);
	if (read_link(v, top, target) && strcmp(target, want) == 0)
		return true;
	unlinkat(v->dir, LINK_TMP, 0);
	if (symlinkat(want, v->dir, LINK_TMP) != 0 ||
	    renameat(v->dir, LINK_TMP, v->dir, top) != 0)
		return err_set(e, ERR_RETRY, errno, "make '%s/%s'", v->folder, top);
	return true;
}

bool volume_link_all(struct volume *v, struct err *e)
{
	for (struct staged *f = v->files; f; f = f->next) {
		AUTO_FREE char *top = mem_strndup(f->path, first_part(f->path));
		if (!link_one(v, top, e))
			return false;
	}
	return each_name(v, remove_stale, e);
}

int64_t volume_sweep(struct volume *v)
{
	int64_t now = clock_mono_ms(), next = -1;
	for (struct old_version **p = &v->old; *p;) {
		struct old_version *o = *p;
		if (o->until_ms <= now && file_remove_tree(v->dir, o->name, NULL)) {
			*p = o->next;
			mem_free(o);
			continue;
		}
		int64_t wait = o->until_ms > now ? o->until_ms - now : 1000;
		if (next < 0 || wait < next)
			next = wait;
		p = &o->next;
	}
	return next;
}

static size_t count_files(int at, const char *name, unsigned depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return fd < 0 && errno == ENOTDIR ? 1 : 0;
	}
	size_t n = 0;
	struct dirent *entry;
	while (depth > 0 && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			n += count_files(dirfd(d), entry->d_name, depth - 1);
	closedir(d);
	return n;
}

bool volume_is_staged_set(const struct volume *v)
{
	size_t n = 0;
	for (struct staged *f = v->files; f; f = f->next)
		n++;
	return v->current && count_files(v->dir, v->current, DEPTH_MAX) == n;
}

static void wipe_name(struct volume *v, const char *name)
{
	char target[PATH_MAX];
	if (is_version(name) || str_starts(name, DATA) ||
	    (read_link(v, name, target) && str_starts(target, DATA "/")))
		(void)!file_remove_tree(v->dir, name, NULL);
}

void volume_wipe(struct volume *v)
{
	(void)!each_name(v, wipe_name, NULL);
	mem_free(v->current);
	v->current = NULL;
	v->owned = false;
}
