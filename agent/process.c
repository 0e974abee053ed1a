// SPDX-License-Identifier: Apache-2.0
// A walk over /proc: by container (mount table), name, uid or pid file.
#include "agent/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/mountinfo.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { STAT_MAX = 4096, PIDS_MAX = 64 };

struct search {
	const struct conf_notify *what;
	const struct mount_point *mount; // TARGET_CONTAINER
};

static void auto_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool read_proc(pid_t pid, const char *name, struct buf *to)
{
	AUTO_FREE char *path = mem_printf("/proc/%d/%s", (int)pid, name);
	return file_read(path, to, NULL);
}

// Fields of /proc/PID/stat behind the name, which may hold anything (proc(5)).
struct stat_fields {
	char state;
	int64_t ppid;
	uint64_t start; // clock ticks after boot
};

static bool read_stat(pid_t pid, struct stat_fields *ret)
{
	enum { STATE, PPID, START = 19, N_FIELDS };
	AUTO_BUF struct buf b = BUF_INIT(STAT_MAX);
	if (!read_proc(pid, "stat", &b))
		return false;
	const char *end = strrchr(buf_str(&b), ')');
	if (!end || end[1] != ' ')
		return false;
	struct str rest = str_of(end + 2), field;
	char number[32];
	for (int i = 0; i < N_FIELDS && str_next(&rest, ' ', &field); i++) {
		snprintf(number, sizeof(number), "%.*s", (int)field.len, field.p);
		if (i == STATE)
			ret->state = *number;
		else if (i == PPID && !str_int64(number, &ret->ppid, NULL))
			return false;
		else if (i == START)
			return str_uint64(number, &ret->start, NULL);
	}
	return false;
}

static bool has_name(pid_t pid, const char *name)
{
	enum { COMM_MAX = 15 }; // the kernel cuts names
	AUTO_BUF struct buf b = BUF_INIT(64);
	if (!read_proc(pid, "comm", &b))
		return false;
	struct str comm = str_trim((struct str){ buf_str(&b), b.len });
	size_t n = strlen(name);
	if (n > COMM_MAX)
		n = COMM_MAX;
	return comm.len == n && memcmp(comm.p, name, n) == 0;
}

static bool has_uid(pid_t pid, int64_t uid)
{
	char path[32];
	struct stat st;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) == 0 && (int64_t)st.st_uid == uid;
}

static bool matches(const struct search *s, pid_t pid)
{
	struct stat_fields f;
	if (pid == getpid() || !read_stat(pid, &f) || f.state == 'Z')
		return false;
	switch (s->what->target) {
	case TARGET_CONTAINER:
		return mountinfo_shows(pid, s->mount);
	case TARGET_PROCESS:
		return has_name(pid, s->what->name);
	case TARGET_UID:
		return has_uid(pid, s->what->uid);
	default:
		return true;
	}
}

// The main process of a container: of those that match, the one whose parent does not.
// A later `kubectl exec` has an outside parent too, so the oldest wins.
static size_t keep_main(pid_t *pids, size_t n)
{
	pid_t main_pid = 0;
	uint64_t oldest = 0;
	for (size_t i = 0; i < n; i++) {
		struct stat_fields f;
		if (!read_stat(pids[i], &f))
			continue;
		bool inside = false;
		for (size_t k = 0; k < n && !inside; k++)
			inside = pids[k] == f.ppid;
		if (!inside && (!main_pid || f.start < oldest)) {
			main_pid = pids[i];
			oldest = f.start;
		}
	}
	if (!main_pid)
		return 0;
	pids[0] = main_pid;
	return 1;
}

static bool pid_from_file(const char *path, pid_t *ret, struct err *e)
{
	AUTO_FREE char *text = NULL;
	int64_t pid;
	if (!file_read_token(path, &text, e))
		return false;
	if (!str_int64(text, &pid, NULL) || pid <= 1 || pid > INT32_MAX)
		return err_set(e, ERR_CONFIG, 0, "'%s' holds no process id", path);
	*ret = (pid_t)pid;
	return true;
}

static bool find(const struct search *s, pid_t *pids, size_t *ret_n, struct err *e)
{
	size_t n = 0;
	if (s->what->target == TARGET_PIDFILE) {
		if (!pid_from_file(s->what->name, &pids[0], e))
			return false;
		*ret_n = matches(s, pids[0]) ? 1 : 0;
		return true;
	}
	__attribute__((cleanup(auto_dir))) DIR *d = opendir("/proc");
	if (!d)
		return err_set(e, ERR_CONFIG, errno, "read /proc");
	struct dirent *entry;
	while ((entry = readdir(d)) && n < PIDS_MAX) {
		int64_t pid;
		if (str_int64(entry->d_name, &pid, NULL) && pid > 0 &&
		    matches(s, (pid_t)pid))
			pids[n++] = (pid_t)pid;
	}
	*ret_n = s->what->target == TARGET_CONTAINER ? keep_main(pids, n) : n;
	return true;
}

// By pidfd, looked at again after it was opened. Where the kernel or a seccomp profile has
// no pidfds a look right before kill() must do.
static int send_checked(const struct search *s, pid_t pid)
{
	AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0 && errno == ESRCH)
		return ESRCH;
	if (!matches(s, pid))
		return ESRCH; // gone meanwhile
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, s->what->signal, NULL, 0) == 0)
		return 0;
	if (fd >= 0 && errno != ENOSYS)
		return errno;
	return kill(pid, s->what->signal) == 0 ? 0 : errno;
}

static bool send_one(const struct search *s, pid_t pid, bool *ret_sent, struct err *e)
{
	int cause = send_checked(s, pid);
	*ret_sent = cause == 0;
	if (cause == 0 || cause == ESRCH)
		return true;
	return err_set(
		e, ERR_DENIED, cause,
		"signal process %d (the agent must run as the application's user to "
		"signal it)",
		(int)pid);
}

bool process_signal(const struct conf_notify *what, const struct volume *volume,
		    size_t *ret_n, struct err *e)
{
	AUTO(mount_point_release) struct mount_point mount = { 0 };
	struct search s = { .what = what, .mount = &mount };
	if (what->target == TARGET_CONTAINER) {
		if (!volume)
			return err_set(e, ERR_CONFIG, 0,
				       "container '%s' is not in `deliver`: its process "
				       "cannot be found",
				       what->name);
		if (!mountinfo_of_volume(volume_folder(volume), volume_mount(volume),
					 &mount, e))
			return false;
	}
	pid_t pids[PIDS_MAX] = { 0 };
	size_t n = 0;
	*ret_n = 0;
	if (!find(&s, pids, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool sent = false;
		if (!send_one(&s, pids[i], &sent, e))
			return false;
		*ret_n += sent;
	}
	if (*ret_n > 0)
		return true;
	return err_set(
		e, ERR_MISSING, 0,
		what->target == TARGET_CONTAINER
			? "no process of it is seen (shareProcessNamespace lets the "
			  "agent see the application)"
			: "no such process is running");
}
