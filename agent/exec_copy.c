// SPDX-License-Identifier: Apache-2.0
#include "agent/exec_copy.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { PROGRAM_MAX = 64 << 20, MODE = 0555 };

bool exec_copy(const char *folder, struct err *e)
{
	AUTO_BUF struct buf program = BUF_INIT(PROGRAM_MAX);
	AUTO_BUF struct buf there = BUF_INIT(PROGRAM_MAX);
	AUTO_FREE char *path = mem_printf("%s/ampoule-agent", folder);
	struct file_attr attr = { .mode = MODE, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct statvfs fs;
	struct stat st;
	if (statvfs(folder, &fs) != 0)
		return err_set(e, ERR_CONFIG, errno, "folder '%s'", folder);
	if (fs.f_flag & ST_NOEXEC)
		return err_set(e, ERR_CONFIG, 0,
			       "folder '%s' is mounted noexec: nothing could be executed "
			       "there",
			       folder);
	if (!file_read("/proc/self/exe", &program, e))
		return false;
	if (stat(path, &st) == 0 && (st.st_mode & 07777) == MODE &&
	    file_read(path, &there, NULL) && buf_equal(&program, &there))
		return true;
	return file_replace(path, program.data, program.len, attr, e);
}
