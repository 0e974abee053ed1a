// SPDX-License-Identifier: Apache-2.0
// A value in the user's editor. The file that the editor sees lies on a memory file system
// (tmpfs or ramfs) in a folder of its own, together with what editors write beside it (swap
// and backup files), and is wiped and removed afterwards. Without such a file system the edit
// is refused: a plaintext on a disk cannot be taken back.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/seal_int.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

extern char **environ;

static bool in_memory(const char *dir)
{
	struct statfs fs;
	return dir && dir[0] == '/' && statfs(dir, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC) &&
	       access(dir, W_OK | X_OK) == 0;
}

static bool make_folder(char **ret, struct err *e)
{
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", "/run",
				       getenv("TMPDIR"), "/tmp" };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!in_memory(places[i]))
			continue;
		AUTO_FREE char *dir = mem_printf("%s/ampoule-edit.XXXXXX", places[i]);
		if (!mkdtemp(dir)) // mode 0700
			continue;
		*ret = TAKE(dir);
		return true;
	}
	return err_set(
		e, ERR_CONFIG, 0,
		"there is no memory file system to edit in (/dev/shm, $XDG_RUNTIME_DIR), "
		"and on a disk the value would stay readable: give it on standard input");
}

// Overwrites, then removes, every file of the folder.
static void wipe_folder(const char *dir)
{
	DIR *d = opendir(dir);
	char zeros[4096] = { 0 };
	for (struct dirent *entry = d ? readdir(d) : NULL; entry; entry = readdir(d)) {
		AUTO_CLOSE int fd =
			openat(dirfd(d), entry->d_name,
			       O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		struct stat st;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(zeros))
				if (pwrite(fd, zeros, sizeof(zeros), at) < 0)
					break;
		unlinkat(dirfd(d), entry->d_name, 0);
	}
	if (d)
		closedir(d);
	struct err e = ERR_INIT;
	if (rmdir(dir) != 0 && !file_remove_tree(AT_FDCWD, dir, &e))
		seal_note("'%s' could not be removed: remove it by hand", dir);
}

// $EDITOR may hold arguments ("code --wait"), so that the shell starts it, as Git does.
static bool run_editor(const char *path, struct err *e)
{
	const char *editor = getenv("VISUAL");
	if (!editor || !editor[0])
		editor = getenv("EDITOR");
	if (!editor || !editor[0])
		editor = "vi";
	AUTO_FREE char *command = mem_printf("%s \"$1\"", editor);
	char *argv[] = { "sh", "-c", command, "editor", (char *)path, NULL };
	pid_t pid;
	int rc = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
	if (rc != 0)
		return err_set(e, ERR_CONFIG, rc, "start the editor");
	// Ctrl-C is the editor's: we must live to wipe.
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old_int, old_quit;
	sigaction(SIGINT, &ignore, &old_int);
	sigaction(SIGQUIT, &ignore, &old_quit);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGQUIT, &old_quit, NULL);
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
	       err_set(e, ERR_CONFIG, 0, "the editor '%s' failed: nothing was written",
		       editor);
}

static bool edit_in(const char *dir, struct buf *value, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/value", dir);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, ERR_CONFIG, errno, "create '%s'", path);
	if (!file_write_all(fd, buf_str(value), value->len, e) || !run_editor(path, e))
		return false;
	buf_reset(value);
	return file_read(path, value, e);
}

bool seal_value_edit(struct buf *value, struct err *e)
{
	AUTO_FREE char *dir = NULL;
	if (!make_folder(&dir, e))
		return false;
	bool ok = edit_in(dir, value, e);
	wipe_folder(dir);
	return ok;
}
