// SPDX-License-Identifier: Apache-2.0
#include "agent/exec_wrap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/exec.h"
#include "agent/exec_frame.h"
#include "agent/unix.h"
#include "lib/base/auto.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"

enum {
	RETRY_MS = 50,        // while the sidecar is awaited
	RETRY_SLOW_MS = 1000, // once the command runs
	READ_STEP = 16 * 1024,
	SALT_LEN = 16,
	SIGNAL_BASE = 128,
};

struct wrap {
	const struct exec_wrap_setup *setup;
	struct loop *loop;
	struct exec *exec;
	struct conf_exec conf; // as the sidecar says
	int fd;
	struct loop_fd *io;
	struct loop_timer again, deadline;
	struct buf in;   // from the socket
	struct buf vars; // "K=V" with NULs, until the command has been started
	bool become, over;
	unsigned char salt[SALT_LEN], digest[DIGEST_SHA256_LEN];
	int code;
	struct err error, waiting; // the end's reason; what the sidecar waits for
};

static void finish(struct wrap *w, int code)
{
	if (!w->over)
		w->code = code;
	w->over = true;
	loop_stop(w->loop);
}

static void connect_now(struct wrap *w);

static void on_again(void *ctx, struct loop_timer *t)
{
	(void)t;
	connect_now(ctx);
}

static void hang_up(struct wrap *w)
{
	loop_fd_remove(w->io);
	w->io = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	buf_release(&w->in);
}

static void later(struct wrap *w, const struct err *why)
{
	hang_up(w);
	if (!exec_pid(w->exec))
		w->waiting = *why;
	loop_timer_in(w->loop, &w->again, exec_pid(w->exec) ? RETRY_SLOW_MS : RETRY_MS,
		      on_again, w);
}

static void on_deadline(void *ctx, struct loop_timer *t)
{
	struct wrap *w = ctx;
	(void)t;
	err_set(&w->error, ERR_RETRY, 0,
		"no variables came from the sidecar at '%s' within %lld s: %s",
		w->setup->socket, (long long)(w->setup->timeout_ms / 1000),
		w->waiting.kind ? w->waiting.text : "it does not answer");
	finish(w, EXIT_FAILURE);
}

// --- variables

static bool is_new(struct wrap *w, const struct exec_frame *f, struct err *e)
{
	unsigned char sum[DIGEST_SHA256_LEN];
	AUTO_DIGEST struct digest *d = NULL;
	if (!digest_new(DIGEST_SHA256, &d, e))
		return false;
	digest_add(d, (struct bytes){ w->salt, SALT_LEN });
	digest_add(d, (struct bytes){ (const unsigned char *)f->bytes, f->len });
	if (!digest_end(d, sum, e) || memcmp(sum, w->digest, sizeof(sum)) == 0)
		return false;
	memcpy(w->digest, sum, sizeof(sum));
	return true;
}

static bool fill(void *ctx, struct exec_env *to, struct err *e)
{
	const struct wrap *w = ctx;
	struct exec_frame f = { .bytes = buf_str(&w->vars), .len = w->vars.len };
	for (const char *pair = NULL; (pair = exec_frame_pair(&f, pair));)
		if (!exec_env_put(to, pair, e))
			return false;
	return true;
}

static void on_started(void *ctx)
{
	struct wrap *w = ctx;
	buf_release(&w->vars); // wipes
}

static void on_variables(struct wrap *w, const struct exec_frame *f)
{
	struct err e = ERR_INIT;
	loop_timer_cancel(&w->deadline);
	w->conf.stop_signo = f->signo;
	w->conf.stop_timeout_ms = f->stop_ms;
	if (!is_new(w, f, &e)) {
		if (e.kind == ERR_NONE)
			return; // the sidecar has come back with what we have
		w->error = e;
		finish(w, EXIT_FAILURE);
		return;
	}
	buf_release(&w->vars);
	w->vars = (struct buf)BUF_INIT(FRAME_ENV_MAX);
	buf_add(&w->vars, f->bytes, f->len);
	if (!f->stay && !exec_pid(w->exec)) {
		w->become = true;
		finish(w, EXIT_FAILURE);
		return;
	}
	exec_changed(w->exec);
}

// --- the socket

static void on_frame(struct wrap *w, const struct exec_frame *f)
{
	switch (f->kind) {
	case FRAME_WAIT:
		err_clear(&w->waiting);
		err_set(&w->waiting, ERR_RETRY, 0, "%.*s", (int)f->len, f->bytes);
		break;
	case FRAME_NO:
		err_set(&w->error, ERR_DENIED, 0, "the sidecar refuses: %.*s",
			(int)f->len, f->bytes);
		if (!exec_pid(w->exec))
			finish(w, EXIT_FAILURE);
		break;
	case FRAME_ENV:
		on_variables(w, f);
		break;
	case FRAME_SIGNAL:
		(void)!exec_signal(w->exec, f->signo, NULL);
		break;
	case FRAME_PART:
		break;
	}
}

static bool take_frames(struct wrap *w, struct err *e)
{
	struct exec_frame f;
	size_t at = 0;
	bool ok;
	while ((ok = exec_frame_read(w->in.data + at, w->in.len - at, &f, e)) &&
	       f.kind != FRAME_PART && !w->over) {
		on_frame(w, &f);
		at += f.taken;
	}
	size_t left = w->in.len - at;
	if (ok && at > 0) {
		memmove(w->in.data, w->in.data + at, left);
		buf_truncate(&w->in, left); // wipes
	}
	if (left == 0)
		buf_release(&w->in);
	return ok;
}

static void on_socket(void *ctx, int fd, unsigned events)
{
	struct wrap *w = ctx;
	struct err e = ERR_INIT;
	(void)events;
	w->in.max = FRAME_ENV_MAX + 2 * FRAME_LINE_MAX + READ_STEP;
	char *to = buf_room(&w->in, READ_STEP);
	ssize_t n = to ? recv(fd, to, READ_STEP, MSG_DONTWAIT) : -1;
	if (n < 0 && to && errno == EAGAIN)
		return;
	if (n > 0) {
		w->in.len += (size_t)n;
		buf_end(&w->in);
		if (take_frames(w, &e))
			return;
	} else {
		err_set(&e, ERR_RETRY, 0, "the sidecar has hung up");
	}
	if (!w->over)
		later(w, &e);
}

static void connect_now(struct wrap *w)
{
	static const char ask[] = "env 1\n";
	struct err e = ERR_INIT;
	if (unix_connect(w->setup->socket, &w->fd, &e) &&
	    loop_fd_add(w->loop, w->fd, LOOP_READ, on_socket, w, &w->io, &e) &&
	    send(w->fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(ask) - 1)
		return;
	later(w, &e);
}

// --- the whole

static void on_told(void *ctx, int signo, bool running)
{
	struct wrap *w = ctx;
	if (!running && (signo == SIGTERM || signo == SIGINT))
		finish(w, SIGNAL_BASE + signo);
}

static void on_ended(void *ctx, int code, const struct err *e)
{
	struct wrap *w = ctx;
	if (e)
		w->error = *e;
	finish(w, code);
}

static bool prepare(struct wrap *w)
{
	struct exec_setup exec = { .loop = NULL,
				   .conf = &w->conf,
				   .argv = w->setup->argv,
				   .fill = fill,
				   .started = on_started,
				   .ended = on_ended,
				   .told = on_told,
				   .ctx = w };
	signal(SIGPIPE, SIG_IGN);
	if (!crypto_init(&w->error) || !crypto_random(w->salt, SALT_LEN, &w->error) ||
	    !loop_new(&w->loop, &w->error))
		return false;
	exec.loop = w->loop;
	return exec_new(&exec, &w->exec, &w->error);
}

static int become(struct wrap *w)
{
	AUTO_ENV struct exec_env env = { 0 };
	struct child_program p = { .argv = w->setup->argv };
	exec_env_inherit(&env);
	if (!fill(w, &env, &w->error))
		return EXIT_FAILURE;
	p.env = env.list;
	(void)!child_become(w->loop, &p, &w->error);
	return child_exit_code(&w->error);
}

int exec_wrap_run(const struct exec_wrap_setup *setup, struct err *e)
{
	struct wrap w = { .setup = setup, .fd = -1, .code = EXIT_FAILURE };
	if (prepare(&w)) {
		if (setup->timeout_ms > 0)
			loop_timer_in(w.loop, &w.deadline, setup->timeout_ms, on_deadline,
				      &w);
		connect_now(&w);
		(void)!loop_run(w.loop, &w.error);
	}
	if (w.become)
		w.code = become(&w);
	loop_timer_cancel(&w.again);
	loop_timer_cancel(&w.deadline);
	hang_up(&w);
	buf_release(&w.vars);
	exec_free(w.exec);
	loop_free(w.loop);
	*e = w.error;
	return w.code;
}
