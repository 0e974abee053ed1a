// SPDX-License-Identifier: Apache-2.0
// The staged set and its publication. Links and old versions are in volume_link.c.
#include "agent/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/volume_int.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { FOLDER_MODE = 0755, SAME_READ_MAX = 64 << 20, NAME_TRIES = 100 };

static bool check_memory(struct volume *v, struct err *e)
{
	struct statfs fs;
	if (fstatfs(v->dir, &fs) != 0)
		return err_set(e, ERR_CONFIG, errno, "stat '%s'", v->folder);
	unsigned long type = (unsigned long)fs.f_type;
	if (type == TMPFS_MAGIC || type == RAMFS_MAGIC || v->opts.allow_disk)
		return true;
	return err_set(
		e, ERR_CONFIG, 0,
		"folder '%s' of container '%s' is not on a memory volume (tmpfs): use "
		"an emptyDir with medium Memory, or allow it with policy allow_disk",
		v->folder, v->opts.container);
}

bool volume_open(const struct volume_opts *opts, struct volume **ret, struct err *e)
{
	struct volume *v = mem_alloc(sizeof(*v));
	v->opts = *opts;
	v->folder = mem_strdup(opts->folder);
	v->dir = -1;
	AUTO_FREE char *inside = mem_printf("%s/x", opts->folder);
	if (!file_make_parents(inside, e)) {
		volume_free(v);
		return false;
	}
	v->dir = open(opts->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->dir < 0)
		err_set(e, ERR_CONFIG, errno, "open folder '%s'", opts->folder);
	if (v->dir < 0 || !check_memory(v, e) || !volume_heal(v, e)) {
		volume_free(v);
		return false;
	}
	*ret = v;
	return true;
}

static void file_free(struct staged *f)
{
	mem_free(f->path);
	mem_free(f);
}

void volume_free(struct volume *v)
{
	if (!v)
		return;
	while (v->files) {
		struct staged *f = v->files;
		v->files = f->next;
		file_free(f);
	}
	while (v->old) {
		struct old_version *o = v->old;
		v->old = o->next;
		mem_free(o);
	}
	if (v->dir >= 0)
		close(v->dir);
	mem_free(v->current);
	mem_free(v->folder);
	mem_free(v);
}

const char *volume_container(const struct volume *v)
{
	return v->opts.container;
}

const char *volume_folder(const struct volume *v)
{
	return v->folder;
}

const char *volume_mount(const struct volume *v)
{
	return v->opts.mount;
}

unsigned volume_default_mode(const struct volume *v)
{
	struct stat st;
	if (v->opts.uid >= 0 && (uid_t)v->opts.uid == geteuid())
		return 0400;
	if (fstat(v->dir, &st) == 0 && (st.st_mode & S_ISGID) && st.st_gid != 0)
		return 0440; // the kubelet's mark of an fsGroup
	return 0644;
}

const char *volume_path_of(const struct volume *v, const char *application_path)
{
	size_t n = strlen(v->opts.mount);
	while (n > 1 && v->opts.mount[n - 1] == '/')
		n--;
	if (strncmp(application_path, v->opts.mount, n) != 0 ||
	    application_path[n] != '/')
		return NULL;
	return application_path + n + 1;
}

bool volume_same(const struct volume *v, const struct volume_file *f)
{
	if (!v->current)
		return false;
	AUTO_FREE char *path = mem_printf("%s/%s", v->current, f->path);
	AUTO_CLOSE int fd = openat(v->dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (size_t)st.st_size != f->len || f->len > SAME_READ_MAX)
		return false;
	if ((st.st_mode & 07777) != f->attr.mode ||
	    (f->attr.uid != (uid_t)-1 && f->attr.uid != st.st_uid) ||
	    (f->attr.gid != (gid_t)-1 && f->attr.gid != st.st_gid))
		return false;
	AUTO_BUF struct buf b = BUF_INIT(SAME_READ_MAX);
	return file_read_fd(fd, &b, NULL) && b.len == f->len &&
	       (f->len == 0 || memcmp(b.data, f->bytes, f->len) == 0);
}

static struct staged *find(const struct volume *v, const char *path)
{
	for (struct staged *f = v->files; f; f = f->next)
		if (strcmp(f->path, path) == 0)
			return f;
	return NULL;
}

// "a" and "a/b" cannot both be files.
static bool clashes(const char *a, const char *b)
{
	size_t n = strlen(a);
	return strncmp(a, b, n) == 0 && b[n] == '/';
}

static struct staged *stage(struct volume *v, const char *path)
{
	struct staged *f = find(v, path);
	if (f)
		return f;
	f = mem_alloc(sizeof(*f));
	f->path = mem_strdup(path);
	f->next = v->files;
	v->files = f;
	return f;
}

bool volume_adopt(struct volume *v, const char *path, void *owner)
{
	struct stat st;
	if (!v->current || !file_path_ok(path, NULL))
		return false;
	AUTO_FREE char *old = mem_printf("%s/%s", v->current, path);
	if (fstatat(v->dir, old, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return false;
	stage(v, path)->owner = owner;
	return true;
}

bool volume_put(struct volume *v, const struct volume_file *in, bool keep, struct err *e)
{
	if (!file_path_ok(in->path, e))
		return false;
	for (struct staged *o = v->files; o; o = o->next)
		if (clashes(o->path, in->path) || clashes(in->path, o->path))
			return err_set(e, ERR_CONFIG, 0,
				       "'%s' and '%s': one is a folder of the other",
				       in->path, o->path);
	struct staged *f = stage(v, in->path);
	f->bytes = in->bytes;
	f->len = in->len;
	f->attr = in->attr;
	f->owner = in->owner;
	f->fresh = !keep;
	v->dirty |= !keep;
	return true;
}

bool volume_remove(struct volume *v, const char *path)
{
	for (struct staged **p = &v->files; *p; p = &(*p)->next)
		if (strcmp((*p)->path, path) == 0) {
			struct staged *f = *p;
			*p = f->next;
			file_free(f);
			v->dirty = true;
			return true;
		}
	return false;
}

bool volume_dirty(const struct volume *v)
{
	return v->dirty || (v->current && !v->owned);
}

// The folders of "a/b/c" below the version's folder.
static bool make_folders(int version, const char *path, struct err *e)
{
	AUTO_FREE char *copy = mem_strdup(path);
	for (char *p = strchr(copy, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdirat(version, copy, FOLDER_MODE) != 0 && errno != EEXIST)
			return err_set(e, ERR_RETRY, errno, "make folder '%s'", copy);
		if (fchmodat(version, copy, FOLDER_MODE, 0) != 0)
			return err_set(e, ERR_RETRY, errno, "set mode of folder '%s'",
				       copy);
		*p = '/';
	}
	return true;
}

static bool write_file(struct volume *v, int version, const struct staged *f,
		       struct err *e)
{
	if (!make_folders(version, f->path, e))
		return false;
	if (f->fresh)
		return file_create_at(version, f->path, f->bytes, f->len, f->attr, e);
	AUTO_FREE char *from = mem_printf("%s/%s", v->current, f->path);
	if (linkat(v->dir, from, version, f->path, 0) != 0)
		return err_set(e, ERR_RETRY, errno, "link '%s'", f->path);
	return true;
}

static bool write_version(struct volume *v, const char *name, volume_made_fn *made,
			  void *ctx, struct err *e)
{
	AUTO_CLOSE int version = openat(v->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (version < 0)
		return err_set(e, ERR_RETRY, errno, "open folder '%s'", name);
	for (struct staged *f = v->files; f; f = f->next)
		if (!write_file(v, version, f, e))
			return false;
	for (struct staged *f = v->files; f && made; f = f->next)
		if (f->fresh) {
			AUTO_FREE char *path =
				mem_printf("%s/%s/%s", v->folder, name, f->path);
			made(ctx, f->owner, path);
		}
	if (fchmod(version, FOLDER_MODE) != 0)
		return err_set(e, ERR_RETRY, errno, "set mode of folder '%s'", name);
	return true;
}

// A new folder with a name that no version ever had; an agent before us may have used this
// millisecond too.
static char *make_version(struct volume *v, struct err *e)
{
	for (unsigned tries = 0; tries < NAME_TRIES; tries++) {
		AUTO_FREE char *name =
			mem_printf("..%lld.%u", (long long)clock_wall_ms(), v->serial++);
		if (mkdirat(v->dir, name, 0700) == 0)
			return TAKE(name);
		if (errno != EEXIST)
			break;
	}
	err_set(e, ERR_RETRY, errno, "make a folder in '%s'", v->folder);
	return NULL;
}

bool volume_publish(struct volume *v, volume_made_fn *made, void *ctx, struct err *e)
{
	if (!v->dirty && !v->owned && volume_is_staged_set(v)) {
		v->owned = true; // an earlier agent's work, still right
		return volume_link_all(v, e);
	}
	AUTO_FREE char *name = make_version(v, e);
	if (!name)
		return false;
	if (!write_version(v, name, made, ctx, e) || !volume_swap(v, name, e)) {
		if (!file_remove_tree(v->dir, name, NULL))
			v->litter = true; // volume_sweep() tries again
		return err_wrap(e, "publish to container '%s'", v->opts.container);
	}
	for (struct staged *f = v->files; f; f = f->next)
		f->fresh = false;
	v->dirty = false;
	v->owned = true;
	return volume_link_all(v, e) ||
	       err_wrap(e, "publish to container '%s'", v->opts.container);
}
