// SPDX-License-Identifier: Apache-2.0
// The asking side of the agent's socket: `--probe`, `ampoule status`. Blocking, no loop.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/control.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { CONNECT_AGAIN_MS = 10, COMES_UP_MS = 5 * 60 * 1000, READ_STEP = 4096 };

static bool wait_for(int fd, short events, int64_t until_ms, struct err *e)
{
	int64_t left = until_ms - clock_mono_ms();
	struct pollfd p = { .fd = fd, .events = events };
	if (left > 0 && poll(&p, 1, (int)(left > 60000 ? 60000 : left)) >= 0 &&
	    clock_mono_ms() < until_ms)
		return true;
	return err_set(e, ERR_RETRY, 0, "the agent did not answer in time");
}

static bool connect_to(const struct control_question *q, int64_t until_ms, int *ret,
		       struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(q->socket);
	if (len >= sizeof(at.sun_path))
		return err_set(e, ERR_CONFIG, 0, "socket path '%s' is too long",
			       q->socket);
	memcpy(at.sun_path, q->socket, len + 1);
	for (;;) {
		AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return err_set(e, ERR_CONFIG, errno, "make a socket");
		if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0) {
			*ret = TAKE_FD(fd);
			return true;
		}
		if (!q->patient || (errno != ENOENT && errno != ECONNREFUSED))
			return err_set(e, ERR_RETRY, errno,
				       "no agent answers at socket '%s'", q->socket);
		if (clock_mono_ms() >= until_ms)
			return err_set(e, ERR_RETRY, 0, "no agent came up at socket '%s'",
				       q->socket);
		poll(NULL, 0, CONNECT_AGAIN_MS);
	}
}

// In one piece: an agent that ends between two would end us by SIGPIPE.
static bool say(int fd, const char *line, struct err *e)
{
	AUTO_FREE char *text = mem_printf("%s\n", line);
	size_t len = strlen(text);
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ||
	       err_set(e, ERR_RETRY, errno, "write to the agent");
}

bool control_ask(const struct control_question *q, struct buf *to, struct err *e)
{
	int64_t limit_ms = q->timeout_ms ? q->timeout_ms : COMES_UP_MS;
	int64_t until_ms = clock_mono_ms() + limit_ms;
	AUTO_CLOSE int fd = -1;
	if (!connect_to(q, until_ms, &fd, e) || !say(fd, q->line, e))
		return false;
	if (!q->timeout_ms)
		until_ms = INT64_MAX;
	for (;;) {
		if (!wait_for(fd, POLLIN, until_ms, e))
			return false;
		char *at = buf_room(to, READ_STEP);
		if (!at)
			return err_set(e, ERR_LIMIT, 0, "the agent's answer is too long");
		ssize_t n = recv(fd, at, READ_STEP, MSG_DONTWAIT);
		if (n == 0)
			return to->len > 0 ||
			       err_set(e, ERR_RETRY, 0,
				       "the agent ended before it answered");
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_set(e, ERR_RETRY, errno, "read from the agent");
		if (n > 0) {
			to->len += (size_t)n;
			buf_end(to);
		}
	}
}
