// SPDX-License-Identifier: Apache-2.0
// Files below a folder, opened so that no link leads out of it.
#include "stores/file_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/digest.h"

enum { VERSION_BYTES = 8, NAME_LEN_MAX = 4096 };

void file_got_release(struct file_got *g)
{
	json_decref(TAKE(g->body));
}

// --- opening ------------------------------------------------------------------------------

// For kernels before 5.6: the path's real place must lie below the folder's. Between the
// look and the open a link may change; whoever can do that in a volume that he fills could
// have put the file there.
static int open_checked(int dirfd, const char *path)
{
	char folder[64], real_root[PATH_MAX], real_path[PATH_MAX];
	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", dirfd);
	AUTO_FREE char *full = mem_printf("%s/%s", folder, path);
	if (!realpath(folder, real_root) || !realpath(full, real_path))
		return -1;
	size_t len = strlen(real_root);
	if (strncmp(real_path, real_root, len) != 0 ||
	    (real_path[len] && real_path[len] != '/')) {
		errno = EXDEV;
		return -1;
	}
	return open(real_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
}

static int open_below(int dirfd, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	return fd < 0 && errno == ENOSYS ? open_checked(dirfd, path) : (int)fd;
}

static bool cannot_open(const char *path, int cause, struct err *e)
{
	if (cause == ENOENT || cause == ENOTDIR)
		return err_set(e, ERR_MISSING, 404, "there is no '%s'", path);
	if (cause == EXDEV || cause == ELOOP)
		return err_set(e, ERR_DENIED, cause,
			       "'%s' leads out of the store's folder", path);
	return err_set(e, cause == EACCES ? ERR_DENIED : ERR_RETRY, cause, "open '%s'",
		       path);
}

static bool open_path(const char *root, const char *path, int *ret, struct err *e)
{
	AUTO_CLOSE int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_set(e, errno == ENOENT ? ERR_MISSING : ERR_RETRY, errno,
			       "folder '%s'", root);
	if (*path && !file_path_ok(path, e))
		return err_wrap(e, "path");
	int fd = open_below(top, *path ? path : ".");
	if (fd < 0)
		return cannot_open(path, errno, e);
	*ret = fd;
	return true;
}

// --- one file -----------------------------------------------------------------------------

static void version_of(const struct stat *st, const char *name, struct digest *d)
{
	AUTO_FREE char *s = mem_printf("%s %llu %llu.%09ld %lld\n", name,
				       (unsigned long long)st->st_ino,
				       (unsigned long long)st->st_mtim.tv_sec,
				       st->st_mtim.tv_nsec, (long long)st->st_size);
	digest_add(d, bytes_of_str(s));
}

static bool version_end(struct digest *d, struct file_got *g, struct err *e)
{
	unsigned char sum[DIGEST_SHA256_LEN];
	if (!digest_end(d, sum, e))
		return false;
	for (size_t i = 0; i < VERSION_BYTES; i++)
		snprintf(g->version + 2 * i, 3, "%02x", sum[i]);
	return true;
}

static bool is_text(const struct buf *b)
{
	return !memchr(buf_str(b), '\0', b->len) && str_valid_utf8(buf_str(b), b->len);
}

static json_t *value_of(const struct buf *b)
{
	if (is_text(b))
		return json_str(buf_str(b), b->len);
	AUTO_BUF struct buf text = BUF_INIT(2 * FILE_SIZE_MAX);
	codec_b64_encode(b->data, b->len, B64_STD, &text);
	return json_str(buf_str(&text), text.len);
}

static bool read_fd(int fd, const char *name, struct buf *to, struct stat *st,
		    struct err *e)
{
	if (fstat(fd, st) != 0)
		return err_set(e, ERR_RETRY, errno, "'%s'", name);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_DENIED, 0, "'%s' is no regular file", name);
	return file_read_fd(fd, to, e) || err_wrap(e, "'%s'", name);
}

static json_t *single_value(const struct buf *b)
{
	json_t *j = NULL;
	if (b->len && json_parse(b->data, b->len, b->len, JSON_KEEP_NUMBERS, &j, NULL) &&
	    json_is_object(j))
		return j;
	json_decref(j);
	j = json_object();
	json_object_set_new(j, "value", value_of(b));
	if (!is_text(b))
		json_object_set_new(j, "encoding", json_string("base64"));
	return j;
}

static bool get_file(int fd, const char *path, struct digest *d, json_t **ret,
		     struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(FILE_SIZE_MAX);
	struct stat st;
	if (!read_fd(fd, path, &b, &st, e))
		return false;
	version_of(&st, path, d);
	*ret = single_value(&b);
	return true;
}

// --- a folder -----------------------------------------------------------------------------

// Behind Kubernetes' link there is one whole version of a projected folder.
static int open_version(int dirfd)
{
	int fd = open_below(dirfd, "..data/.");
	return fd >= 0 ? fd : open_below(dirfd, ".");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// The names that are secrets, sorted, into ret, which has room for FILE_COUNT_MAX.
static bool read_names(int dirfd, char **ret, size_t *ret_n, struct err *e)
{
	int fd = open_below(dirfd, ".");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(e, ERR_RETRY, errno, "read the folder");
	bool ok = true;
	for (const struct dirent *d; ok && (d = readdir(dir));) {
		if (d->d_name[0] == '.')
			continue;
		if (*ret_n == FILE_COUNT_MAX)
			ok = err_set(e, ERR_LIMIT, 0, "more than %d names in the folder",
				     FILE_COUNT_MAX);
		else
			ret[(*ret_n)++] = mem_strdup(d->d_name);
	}
	closedir(dir);
	qsort(ret, *ret_n, sizeof(*ret), by_text);
	return ok;
}

// Runs fn on each name of one version of the folder.
typedef bool each_fn(int dirfd, const char *name, void *ctx, struct err *e);
static bool each_name(int dirfd, each_fn *fn, void *ctx, struct err *e)
{
	AUTO_FREE char **names = mem_calloc(FILE_COUNT_MAX, sizeof(*names));
	AUTO_CLOSE int version = open_version(dirfd);
	size_t n = 0;
	bool ok = version >= 0 ? read_names(version, names, &n, e)
			       : err_set(e, ERR_RETRY, errno, "read the folder");
	for (size_t i = 0; i < n; i++) {
		ok = ok && fn(version, names[i], ctx, e);
		mem_free(names[i]);
	}
	return ok;
}

struct folder {
	json_t *data;
	struct digest *digest;
	size_t bytes;
};

static bool add_file(int dirfd, const char *name, void *ctx, struct err *e)
{
	struct folder *f = ctx;
	AUTO_BUF struct buf b = BUF_INIT(FILE_SIZE_MAX);
	AUTO_CLOSE int fd = open_below(dirfd, name);
	struct stat st;
	if (fd < 0)
		return errno == ENOENT || cannot_open(name, errno, e); // gone meanwhile
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	if (!read_fd(fd, name, &b, &st, e))
		return false;
	f->bytes += b.len;
	if (f->bytes > FILE_SIZE_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d bytes in the folder",
			       FILE_SIZE_MAX);
	if (!str_valid_utf8(name, strlen(name)))
		return err_set(e, ERR_DENIED, 0, "a name in the folder is not UTF-8");
	version_of(&st, name, f->digest);
	AUTO_FREE char *key = mem_printf("%s%s", name, is_text(&b) ? "" : ".base64");
	json_object_set_new(f->data, key, value_of(&b));
	return true;
}

static bool add_name(int dirfd, const char *name, void *ctx, struct err *e)
{
	struct folder *f = ctx;
	struct stat st;
	AUTO_CLOSE int fd = open_below(dirfd, name);
	(void)e;
	if (fd < 0 || fstat(fd, &st) != 0 || !str_valid_utf8(name, strlen(name)))
		return true;
	AUTO_FREE char *s = mem_printf("%s%s", name, S_ISDIR(st.st_mode) ? "/" : "");
	json_array_append_new(f->data, json_string(s));
	digest_add(f->digest, bytes_of_str(s));
	return true;
}

// --- the face -----------------------------------------------------------------------------

bool file_get(const char *root, const char *path, struct file_got *ret, struct err *e)
{
	AUTO_CLOSE int fd = -1;
	AUTO_DIGEST struct digest *d = NULL;
	AUTO_JSON json_t *data = NULL;
	struct stat st;
	if (!open_path(root, path, &fd, e) || !digest_new(DIGEST_SHA256, &d, e))
		return false;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		struct folder f = { .data = data = json_object(), .digest = d };
		if (!each_name(fd, add_file, &f, e))
			return err_wrap(e, "'%s'", *path ? path : root);
	} else if (!get_file(fd, path, d, &data, e)) {
		return false;
	}
	if (!version_end(d, ret, e))
		return false;
	ret->body = json_pack("{s:s, s:i, s:b, s:O}", "lease_id", "", "lease_duration", 0,
			      "renewable", 0, "data", data);
	return true;
}

bool file_list(const char *root, const char *path, struct file_got *ret, struct err *e)
{
	AUTO_CLOSE int fd = -1;
	AUTO_DIGEST struct digest *d = NULL;
	AUTO_JSON json_t *names = json_array();
	struct folder f = { .data = names };
	if (!open_path(root, path, &fd, e) || !digest_new(DIGEST_SHA256, &d, e))
		return false;
	f.digest = d;
	if (!each_name(fd, add_name, &f, e))
		return err_wrap(e, "'%s'", *path ? path : root);
	if (!version_end(d, ret, e))
		return false;
	ret->body = json_incref(names);
	return true;
}
