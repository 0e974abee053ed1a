// SPDX-License-Identifier: Apache-2.0
// The server of the agent's socket.
#include "agent/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/unix.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { QUESTION_MAX = 64, ANSWER_MAX = 16 << 20, CLIENTS_MAX = 32, IDLE_MS = 10000 };

struct client {
	struct client *next;
	struct control *owner;
	int fd;
	struct loop_fd *handle;
	struct loop_timer timer;
	struct buf in, out;
	size_t sent;
	bool waiting, answering;
};

struct control {
	struct loop *loop;
	struct agent *agent;
	char *path;
	int fd;
	struct loop_fd *handle;
	struct client *clients;
	unsigned n_clients;
};

static void client_free(struct client *k)
{
	struct client **p = &k->owner->clients;
	while (*p != k)
		p = &(*p)->next;
	*p = k->next;
	k->owner->n_clients--;
	loop_timer_cancel(&k->timer);
	loop_fd_remove(k->handle);
	close(k->fd);
	buf_release(&k->in);
	buf_release(&k->out);
	mem_free(k);
}

static void on_idle(void *ctx, struct loop_timer *t)
{
	(void)t;
	client_free(ctx);
}

// Sends what it can; the client goes when all is out or it is no longer there.
static void flush(struct client *k)
{
	while (k->sent < k->out.len) {
		ssize_t n = send(k->fd, k->out.data + k->sent, k->out.len - k->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN &&
		    loop_fd_change(k->handle, LOOP_WRITE, NULL))
			return;
		if (n <= 0)
			break;
		k->sent += (size_t)n;
	}
	client_free(k);
}

static void answer_status(struct client *k)
{
	AUTO_JSON json_t *doc = agent_status(k->owner->agent);
	if (!json_write(doc, &k->out, NULL))
		buf_puts(&k->out, "{}");
	buf_putc(&k->out, '\n');
}

// Whether the question could be answered now.
static bool answer(struct client *k)
{
	const struct agent *a = k->owner->agent;
	const char *q = buf_str(&k->in);
	bool wait = str_ends(q, " wait");
	if (strcmp(q, "status") == 0)
		answer_status(k);
	else if (strcmp(q, "probe live") == 0)
		buf_puts(&k->out, "ok\n");
	else if (str_starts(q, "probe startup") || str_starts(q, "probe ready")) {
		bool startup = str_starts(q, "probe startup");
		bool ok = startup ? agent_started(a) : agent_is_ready(a);
		if (!ok && wait)
			return false;
		buf_puts(&k->out, ok        ? "ok\n"
				  : startup ? "no: not every file has been rendered yet\n"
					    : "no: see ampoule status\n");
	} else {
		buf_puts(&k->out, "no: the question is not known\n");
	}
	return true;
}

static void try_answer(struct client *k)
{
	if (!answer(k)) {
		k->waiting = true;
		loop_timer_cancel(&k->timer); // as long as the asker stays
		return;
	}
	k->waiting = false;
	k->answering = true;
	flush(k);
}

static void on_client(void *ctx, int fd, unsigned events)
{
	struct client *k = ctx;
	char bytes[QUESTION_MAX];
	(void)events;
	if (k->answering) {
		flush(k);
		return;
	}
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || k->waiting || !buf_add(&k->in, bytes, (size_t)n)) {
		client_free(k);
		return;
	}
	char *end = memchr(k->in.data, '\n', k->in.len);
	if (!end)
		return;
	*end = '\0';
	try_answer(k);
}

static void on_accept(void *ctx, int fd, unsigned events)
{
	struct control *c = ctx;
	(void)events;
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (got < 0)
		return;
	if (c->n_clients == CLIENTS_MAX) {
		close(got);
		return;
	}
	struct client *k = mem_alloc(sizeof(*k));
	k->owner = c;
	k->fd = got;
	k->in.max = QUESTION_MAX;
	k->out.max = ANSWER_MAX;
	k->next = c->clients;
	c->clients = k;
	c->n_clients++;
	loop_timer_in(c->loop, &k->timer, IDLE_MS, on_idle, k);
	if (!loop_fd_add(c->loop, got, LOOP_READ, on_client, k, &k->handle, NULL))
		client_free(k);
}

static bool listen_at(struct control *c, struct err *e)
{
	return unix_listen(c->path, 0600, "status_socket", &c->fd, e) &&
	       loop_fd_add(c->loop, c->fd, LOOP_READ, on_accept, c, &c->handle, e);
}

bool control_new(struct loop *l, const char *path, struct agent *a, struct control **ret,
		 struct err *e)
{
	struct control *c = mem_alloc(sizeof(*c));
	c->loop = l;
	c->agent = a;
	c->fd = -1;
	c->path = mem_strdup(path);
	if (!listen_at(c, e)) {
		control_free(c);
		return false;
	}
	*ret = c;
	return true;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	while (c->clients)
		client_free(c->clients);
	if (c->handle)
		unlink(c->path);
	loop_fd_remove(c->handle);
	if (c->fd >= 0)
		close(c->fd);
	mem_free(c->path);
	mem_free(c);
}

void control_poke(struct control *c)
{
	for (struct client *k = c ? c->clients : NULL, *next; k; k = next) {
		next = k->next;
		if (k->waiting)
			try_answer(k);
	}
}
