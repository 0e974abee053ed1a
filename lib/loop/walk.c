// SPDX-License-Identifier: Apache-2.0
// Path resolution in user space, for watches that must know every link on the way.
#include "lib/loop/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/auto.h"

enum { LINKS_MAX = 40 }; // as the kernel has it

struct walk {
	char dir[PATH_MAX];
	char path[PATH_MAX];
	char rest[PATH_MAX];
	char name[NAME_MAX + 1];
	char target[PATH_MAX]; // of a link
	unsigned links;
	walk_fn *fn;
	void *ctx;
	struct walk_picture *picture;
};

// FNV-1a.
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 1099511628211u;
	return hash;
}

static uint64_t mix_stat(uint64_t hash, const struct stat *st)
{
	// The link count and the change time stay out: they move without a change of
	// content.
	uint64_t facts[] = { st->st_dev,
			     st->st_ino,
			     st->st_mode,
			     st->st_uid,
			     st->st_gid,
			     (uint64_t)st->st_size,
			     (uint64_t)st->st_mtim.tv_sec,
			     (uint64_t)st->st_mtim.tv_nsec };
	return mix(hash, facts, sizeof(facts));
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

// The sum of the entries' hashes: their order does not count.
static uint64_t entries_hash(const char *path)
{
	AUTO(close_dir) DIR *d = opendir(path);
	uint64_t sum = 0;
	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		uint64_t hash =
			mix(14695981039346656037u, entry->d_name, strlen(entry->d_name));
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			hash = mix_stat(hash, &st);
		sum += hash;
	}
	return sum;
}

// Takes the next component off `rest`. False at the end, or when a name is too long.
static bool next_name(struct walk *w, bool *ret_too_long)
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");
	*ret_too_long = len > NAME_MAX;
	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(w->name, p, len);
	w->name[len] = '\0';
	memmove(w->rest, p + len, strlen(p + len) + 1);
	return true;
}

static bool last_name(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

static bool join(char to[static PATH_MAX], const char *dir, const char *name)
{
	const char *slash = strcmp(dir, "/") == 0 ? "" : "/";
	return snprintf(to, PATH_MAX, "%s%s%s", dir, slash, name) < PATH_MAX;
}

static void step(struct walk *w, enum walk_kind kind)
{
	struct walk_step s = { kind, w->dir, w->name, w->path };
	w->picture->way = mix(w->picture->way, &kind, sizeof(kind));
	if (kind == WALK_MISSING)
		w->picture->missing = true;
	if (w->fn)
		w->fn(w->ctx, &s);
}

static bool follow(struct walk *w)
{
	ssize_t n = readlink(w->path, w->target, sizeof(w->target) - 1);
	if (n <= 0 || ++w->links > LINKS_MAX)
		return false;
	w->target[n] = '\0';
	w->picture->way = mix(w->picture->way, w->target, (size_t)n);
	size_t rest_len = strlen(w->rest);
	if ((size_t)n + 1 + rest_len >= sizeof(w->rest))
		return false;
	memmove(w->rest + n + 1, w->rest, rest_len + 1);
	w->rest[n] = '/';
	memcpy(w->rest, w->target, (size_t)n);
	if (w->target[0] == '/')
		memcpy(w->dir, "/", 2);
	return true;
}

// One component. False when the walk has ended.
static bool take_step(struct walk *w)
{
	struct stat st;
	if (!join(w->path, w->dir, w->name) || lstat(w->path, &st) != 0) {
		step(w, WALK_MISSING);
		return false;
	}
	uint64_t id[] = { st.st_dev, st.st_ino };
	w->picture->way = mix(w->picture->way, id, sizeof(id));
	if (S_ISLNK(st.st_mode)) {
		step(w, WALK_LINK);
		bool on = follow(w);
		if (!on)
			w->picture->missing = true;
		return on;
	}
	bool last = last_name(w);
	if (S_ISDIR(st.st_mode) && !last) {
		step(w, WALK_DIR);
		memcpy(w->dir, w->path, strlen(w->path) + 1);
		return true;
	}
	if (!last) { // a file where a folder is wanted
		step(w, WALK_MISSING);
		return false;
	}
	w->picture->end = mix_stat(w->picture->end, &st);
	if (S_ISDIR(st.st_mode))
		w->picture->end += entries_hash(w->path);
	step(w, S_ISDIR(st.st_mode) ? WALK_FOLDER : WALK_FILE);
	return false;
}

void walk_path(const char *path, walk_fn *fn, void *ctx, struct walk_picture *ret)
{
	struct walk w;
	w.links = 0;
	w.fn = fn;
	w.ctx = ctx;
	w.picture = ret;
	*ret = (struct walk_picture){ .way = 14695981039346656037u };
	snprintf(w.dir, sizeof(w.dir), "%s", path[0] == '/' ? "/" : ".");
	bool too_long = strlen(path) >= sizeof(w.rest);
	snprintf(w.rest, sizeof(w.rest), "%s", path);
	while (!too_long && next_name(&w, &too_long) && take_step(&w))
		;
	if (too_long)
		ret->missing = true;
}

bool walk_same(const struct walk_picture *a, const struct walk_picture *b)
{
	return a->way == b->way && a->end == b->end && a->missing == b->missing;
}
