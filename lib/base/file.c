// SPDX-License-Identifier: Apache-2.0
// Files by descriptors: read with a cap, created with their attributes, replaced by rename.
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/backoff.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { TOKEN_MAX = 64 * 1024, READ_STEP = 4096 };

static enum err_kind kind_of(int cause)
{
	return cause == ENOENT || cause == ENOTDIR ? ERR_MISSING : ERR_CONFIG;
}

bool file_read_fd(int fd, struct buf *to, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_set(e, ERR_CONFIG, errno, "stat");
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_CONFIG, EISDIR, "read");
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return err_set(e, ERR_CONFIG, 0, "read: it is a device");
	for (;;) {
		size_t room = to->max - to->len;
		char extra;
		char *at =
			room ? buf_room(to, room < READ_STEP ? room : READ_STEP) : &extra;
		ssize_t n =
			read(fd, at, room ? (room < READ_STEP ? room : READ_STEP) : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_CONFIG, errno, "read");
		if (n == 0)
			return true;
		if (!room)
			return err_set(e, ERR_LIMIT, 0, "longer than %zu bytes", to->max);
		to->len += (size_t)n;
		buf_end(to);
	}
}

bool file_read(const char *path, struct buf *to, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, kind_of(errno), errno, "open '%s'", path);
	if (!file_read_fd(fd, to, e))
		return err_wrap(e, "'%s'", path);
	return true;
}

bool file_read_token(const char *path, char **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(TOKEN_MAX);
	if (!file_read(path, &b, e))
		return false;
	struct str s = str_trim((struct str){ buf_str(&b), b.len });
	if (s.len == 0)
		return err_set(e, ERR_CONFIG, 0, "'%s' is empty", path);
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return err_set(e, ERR_CONFIG, 0,
				       "'%s' holds a control character at byte %zu; a "
				       "credential is one line",
				       path, i + 1);
	*ret = mem_strndup(s.p, s.len);
	return true;
}

bool file_write_all(int fd, const void *bytes, size_t len, struct err *e)
{
	const char *p = bytes;
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_RETRY, n < 0 ? errno : EIO, "write");
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool set_attr(int fd, struct file_attr attr, struct err *e)
{
	bool chown_it = attr.uid != (uid_t)-1 || attr.gid != (gid_t)-1;
	if (chown_it && fchown(fd, attr.uid, attr.gid) != 0)
		return err_set(
			e, ERR_CONFIG, errno,
			"set owner %lld:%lld (the agent may give files only to its own "
			"user and groups; set the pod's fsGroup)",
			(long long)(int)attr.uid, (long long)(int)attr.gid);
	if (fchmod(fd, attr.mode) != 0)
		return err_set(e, ERR_CONFIG, errno, "set mode %04o", attr.mode);
	return true;
}

bool file_create_at(int dirfd, const char *name, const void *bytes, size_t len,
		    struct file_attr attr, struct err *e)
{
	AUTO_CLOSE int fd = openat(
		dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, ERR_RETRY, errno, "create '%s'", name);
	if (file_write_all(fd, bytes, len, e) && set_attr(fd, attr, e))
		return true;
	unlinkat(dirfd, name, 0);
	return err_wrap(e, "'%s'", name);
}

bool file_replace(const char *path, const void *bytes, size_t len, struct file_attr attr,
		  struct err *e)
{
	AUTO_FREE char *dir_copy = mem_strdup(path);
	AUTO_FREE char *base_copy = mem_strdup(path);
	const char *base = basename(base_copy);
	AUTO_CLOSE int dir = open(dirname(dir_copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, ERR_CONFIG, errno, "open the folder of '%s'", path);
	uint64_t seed = 0;
	AUTO_FREE char *tmp =
		mem_printf(".%.200s.tmp%08llx", base,
			   (unsigned long long)backoff_random(&seed, 1u << 31));
	if (!file_create_at(dir, tmp, bytes, len, attr, e))
		return err_wrap(e, "write '%s'", path);
	AUTO_CLOSE int fd = openat(dir, tmp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if ((fd < 0 && errno != EACCES) || (fd >= 0 && fsync(fd) != 0) ||
	    renameat(dir, tmp, dir, base) != 0) {
		err_set(e, ERR_RETRY, errno, "replace '%s'", path);
		unlinkat(dir, tmp, 0);
		return false;
	}
	fsync(dir); // the new name survives a crash; not every file system can
	return true;
}

bool file_make_parents(const char *path, struct err *e)
{
	AUTO_FREE char *copy = mem_strdup(path);
	char *last = strrchr(copy, '/');
	if (last) {
		*last = '\0';
		if (access(copy, F_OK) == 0)
			return true;
		*last = '/';
	}
	for (char *p = *copy ? strchr(copy + 1, '/') : NULL; p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			return err_set(e, ERR_CONFIG, errno, "make folder '%s'", copy);
		*p = '/';
	}
	return true;
}

bool file_name_ok(const char *name, struct err *e)
{
	size_t len = strlen(name);
	if (len == 0)
		return err_set(e, ERR_CONFIG, 0, "a file name is empty");
	if (len > NAME_MAX)
		return err_set(e, ERR_CONFIG, 0, "a file name has %zu bytes; at most %d",
			       len, NAME_MAX);
	if (!str_valid_utf8(name, len))
		return err_set(e, ERR_CONFIG, 0, "a file name is not valid UTF-8");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return err_set(
				e, ERR_CONFIG, 0,
				"a file name holds a control character at byte %zu",
				i + 1);
	if (strchr(name, '/'))
		return err_set(e, ERR_CONFIG, 0, "file name '%s' holds a slash", name);
	if (strcmp(name, ".") == 0 || str_starts(name, ".."))
		return err_set(
			e, ERR_CONFIG, 0,
			"file name '%s' is reserved ('.' and names that begin with "
			"'..')",
			name);
	return true;
}

bool file_path_ok(const char *path, struct err *e)
{
	size_t len = strlen(path);
	if (len == 0 || len >= PATH_MAX)
		return err_set(e, ERR_CONFIG, 0,
			       "a path of %zu bytes; 1 to %d are allowed", len,
			       PATH_MAX - 1);
	if (path[len - 1] == '/')
		return err_set(e, ERR_CONFIG, 0, "path '%s' ends with a slash", path);
	struct str rest = str_of(path), part;
	while (str_next(&rest, '/', &part)) {
		AUTO_FREE char *name = mem_strndup(part.p, part.len);
		if (!file_name_ok(name, e))
			return err_wrap(e, "path '%s'", path);
	}
	return true;
}
