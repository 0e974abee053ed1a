// SPDX-License-Identifier: Apache-2.0
#include "agent/unix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 32 };

static bool address(const char *path, const char *what, struct sockaddr_un *ret,
		    struct err *e)
{
	size_t len = strlen(path);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len >= sizeof(ret->sun_path))
		return err_set(e, ERR_CONFIG, 0, "%s '%s' is longer than %zu bytes", what,
			       path, sizeof(ret->sun_path) - 1);
	memcpy(ret->sun_path, path, len + 1);
	return true;
}

bool unix_listen(const char *path, mode_t mode, const char *what, int *ret, struct err *e)
{
	struct sockaddr_un at;
	struct stat st;
	if (!address(path, what, &at, e))
		return false;
	AUTO_CLOSE int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, ERR_CONFIG, errno, "make a socket");
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFIG, 0, "%s '%s' exists and is no socket", what,
			       path);
	unlink(path);
	mode_t old = umask(0777 & ~mode);
	int rc = bind(fd, (const struct sockaddr *)&at, sizeof(at));
	int cause = errno;
	umask(old);
	if (rc != 0)
		return err_set(e, ERR_CONFIG, cause, "%s '%s'", what, path);
	if (listen(fd, BACKLOG) != 0)
		return err_set(e, ERR_CONFIG, errno, "listen at '%s'", path);
	*ret = TAKE_FD(fd);
	return true;
}

bool unix_connect(const char *path, int *ret, struct err *e)
{
	struct sockaddr_un at;
	if (!address(path, "socket", &at, e))
		return false;
	AUTO_CLOSE int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, ERR_CONFIG, errno, "make a socket");
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return err_set(e, ERR_RETRY, errno, "connect to '%s'", path);
	*ret = TAKE_FD(fd);
	return true;
}
