// SPDX-License-Identifier: Apache-2.0
// Reading mount tables. A line: ID PARENT MAJOR:MINOR ROOT MOUNT_POINT OPTIONS … where blanks
// and backslashes in paths are written as \040 and the like.
#include "agent/mountinfo.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { TABLE_MAX = 4 << 20, F_DEVICE = 2, F_ROOT = 3, F_WHERE = 4, N_FIELDS = 5 };

void mount_point_release(struct mount_point *m)
{
	mem_free(m->device);
	mem_free(m->root);
	mem_free(m->where);
	*m = (struct mount_point){ 0 };
}

static bool octal(char c)
{
	return c >= '0' && c <= '7';
}

// A field with its escapes undone.
static char *unescape(struct str s)
{
	char *to = mem_alloc(s.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\\' && i + 3 < s.len && octal(s.p[i + 1]) &&
		    octal(s.p[i + 2]) && octal(s.p[i + 3])) {
			to[n++] = (char)((s.p[i + 1] - '0') * 64 +
					 (s.p[i + 2] - '0') * 8 + (s.p[i + 3] - '0'));
			i += 3;
		} else {
			to[n++] = s.p[i];
		}
	}
	return to;
}

static bool split(struct str line, struct mount_point *ret)
{
	struct str f[N_FIELDS];
	for (size_t i = 0; i < N_FIELDS; i++)
		if (!str_next(&line, ' ', &f[i]))
			return false;
	ret->device = mem_strndup(f[F_DEVICE].p, f[F_DEVICE].len);
	ret->root = unescape(f[F_ROOT]);
	ret->where = unescape(f[F_WHERE]);
	return true;
}

// The part of `path` below the folder `top`, or NULL: "/a/b" below "/a" is "/b".
static const char *below(const char *path, const char *top)
{
	size_t n = strlen(top);
	if (n > 0 && top[n - 1] == '/')
		n--;
	if (strncmp(path, top, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path + n;
}

bool mountinfo_of_volume(const char *folder, const char *where, struct mount_point *ret,
			 struct err *e)
{
	AUTO_BUF struct buf table = BUF_INIT(TABLE_MAX);
	char real[PATH_MAX];
	if (!realpath(folder, real))
		return err_set(e, ERR_CONFIG, 0, "folder '%s' cannot be resolved",
			       folder);
	if (!file_read("/proc/self/mountinfo", &table, e))
		return false;
	struct str rest = { buf_str(&table), table.len }, line;
	size_t longest = 0;
	while (str_next(&rest, '\n', &line)) {
		AUTO(mount_point_release) struct mount_point m = { 0 };
		if (!split(line, &m))
			continue;
		const char *sub = below(real, m.where);
		if (!sub || strlen(m.where) < longest)
			continue;
		longest = strlen(m.where); // the last and deepest one counts
		const char *top = strcmp(m.root, "/") == 0 ? "" : m.root;
		mount_point_release(ret);
		ret->device = TAKE(m.device);
		ret->root = mem_printf("%s%s", top, sub);
		ret->where = mem_strdup(where);
	}
	return ret->device || err_set(e, ERR_BUG, 0, "no mount holds '%s'", folder);
}

bool mountinfo_shows(pid_t pid, const struct mount_point *m)
{
	AUTO_BUF struct buf table = BUF_INIT(TABLE_MAX);
	AUTO_FREE char *path = mem_printf("/proc/%d/mountinfo", (int)pid);
	if (!file_read(path, &table, NULL))
		return false;
	struct str rest = { buf_str(&table), table.len }, line;
	while (str_next(&rest, '\n', &line)) {
		AUTO(mount_point_release) struct mount_point got = { 0 };
		if (split(line, &got) && strcmp(got.device, m->device) == 0 &&
		    strcmp(got.root, m->root) == 0 && strcmp(got.where, m->where) == 0)
			return true;
	}
	return false;
}
