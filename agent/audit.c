// SPDX-License-Identifier: Apache-2.0
// The one writer of audit events. Their table is in audit_table.c.
#include "agent/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

static const char *const names[AUDIT_EVENTS] = {
	[AUDIT_LOGIN] = "login",         [AUDIT_FETCH] = "fetch",
	[AUDIT_GONE] = "gone",           [AUDIT_RENDER] = "render",
	[AUDIT_PUBLISH] = "publish",     [AUDIT_REMOVE] = "remove",
	[AUDIT_ROLLBACK] = "rollback",   [AUDIT_SIGNAL] = "signal",
	[AUDIT_READ] = "read",           [AUDIT_UNREAD] = "unread",
	[AUDIT_RENEW] = "renew",         [AUDIT_REVOKE] = "revoke",
	[AUDIT_RESTART] = "restart",     [AUDIT_PROXY] = "proxy",
	[AUDIT_AGED] = "aged",           [AUDIT_QUIT] = "quit",
	[AUDIT_VARIABLES] = "variables", [AUDIT_POLICY] = "policy",
};

static struct {
	int fd; // -1: the log's
	struct audit_count counts[AUDIT_EVENTS];
} state = { .fd = -1 };

const char *audit_name(enum audit_event ev)
{
	return names[ev];
}

const struct audit_count *audit_count(enum audit_event ev)
{
	return &state.counts[ev];
}

void audit_write(enum audit_event ev, const struct log_field *fields, size_t n)
{
	state.counts[ev].done++;
	state.counts[ev].last_wall_ms = clock_wall_ms();
	log_write(LOG_AUDIT, names[ev], fields, n);
}

void audit_write_error(enum audit_event op, const struct err *e,
		       const struct log_field *fields, size_t n)
{
	struct log_field all[8] = { LOG_STR("op", names[op]) };
	size_t k = 1;
	state.counts[op].failed++;
	for (size_t i = 0; i < n && k < ARRAY_LEN(all); i++)
		if (fields[i].key)
			all[k++] = fields[i];
	log_write_err(LOG_AUDIT, e, "error", all, k);
}

bool audit_open(const char *path, struct err *e)
{
	int fd = -1;
	if (path) {
		fd = strcmp(path, "stderr") == 0
			     ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
			     : open(path,
				    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
					    O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
				    0600);
		if (fd < 0)
			return err_set(e, ERR_CONFIG, errno, "audit_file '%s'", path);
	}
	log_set_audit_fd(fd);
	if (state.fd >= 0)
		close(state.fd);
	state.fd = fd;
	return true;
}
