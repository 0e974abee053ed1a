// SPDX-License-Identifier: Apache-2.0
#include "agent/exec_serve.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/audit.h"
#include "agent/exec_frame.h"
#include "agent/exec_vars.h"
#include "agent/unix.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { ASKERS_MAX = 16, IDLE_MS = 10000, OUT_MAX = FRAME_ENV_MAX + 2 * FRAME_LINE_MAX };

static const char question[] = "env 1\n";

struct place_served;

struct asker {
	struct asker *next;
	struct place_served *place;
	int fd;
	struct loop_fd *io;
	struct loop_timer idle; // until it has asked
	struct buf in, out;
	size_t sent;
	bool asked, answered, closing;
	unsigned long generation; // that it was told
	struct err reason;        // that it was told
};

struct place_served {
	struct exec_serve *serve;
	const struct conf_deliver *deliver;
	int fd;
	struct loop_fd *io;
	struct asker *askers;
	unsigned n_askers;
};

struct exec_serve {
	struct loop *loop;
	const struct conf *conf;
	const struct agent *agent;
	struct place_served *places;
	size_t n_places;
	bool stay; // whether a wrapper has something to do after the start
};

static void asker_free(struct asker *k)
{
	struct asker **at = &k->place->askers;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	k->place->n_askers--;
	loop_timer_cancel(&k->idle);
	loop_fd_remove(k->io);
	close(k->fd);
	buf_release(&k->in);
	buf_release(&k->out);
	mem_free(k);
}

// Sends what it can. False when the asker has gone, and is freed.
static bool flush(struct asker *k)
{
	while (k->sent < k->out.len) {
		ssize_t n = send(k->fd, k->out.data + k->sent, k->out.len - k->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN &&
		    loop_fd_change(k->io, LOOP_READ | LOOP_WRITE, NULL))
			return true;
		if (n <= 0) {
			asker_free(k);
			return false;
		}
		k->sent += (size_t)n;
	}
	buf_release(&k->out); // no copy of the variables stays
	k->out.max = OUT_MAX;
	k->sent = 0;
	if (!k->closing && loop_fd_change(k->io, LOOP_READ, NULL))
		return true;
	asker_free(k);
	return false;
}

static bool tell(struct asker *k, const struct exec_frame *f)
{
	exec_frame_write(&k->out, f);
	if (buf_failed(&k->out)) { // it does not read
		asker_free(k);
		return false;
	}
	return flush(k);
}

static bool tell_reason(struct asker *k, enum exec_frame_kind kind, const struct err *why)
{
	struct exec_frame f = { .kind = kind,
				.bytes = why->text,
				.len = strlen(why->text) };
	if (k->reason.kind == why->kind && strcmp(k->reason.text, why->text) == 0)
		return true;
	k->reason = *why;
	k->closing = kind == FRAME_NO;
	return tell(k, &f);
}

static bool tell_variables(struct asker *k)
{
	const struct exec_serve *s = k->place->serve;
	const char *container = k->place->deliver->container;
	AUTO_ENV struct exec_env env = { 0 };
	AUTO_BUF struct buf bytes = BUF_INIT(FRAME_ENV_MAX);
	struct err e = ERR_INIT;
	k->generation = exec_vars_generation(s->agent, container);
	if (!exec_vars_fill(s->agent, container, &env, &e)) {
		log_fail(LOG_ERROR, &e, "variables not given out",
			 LOG_STR("container", container));
		return k->answered || tell_reason(k, FRAME_NO, &e);
	}
	for (size_t i = 0; i < env.n; i++)
		buf_add(&bytes, env.list[i], strlen(env.list[i]) + 1);
	if (buf_failed(&bytes)) {
		err_set(&e, ERR_LIMIT, 0, "the variables are longer than 8 MiB");
		return tell_reason(k, FRAME_NO, &e);
	}
	struct exec_frame f = { .kind = FRAME_ENV,
				.stay = s->stay,
				.signo = s->conf->exec.stop_signo,
				.stop_ms = s->conf->exec.stop_timeout_ms,
				.bytes = buf_str(&bytes),
				.len = bytes.len };
	audit(AUDIT_VARIABLES, LOG_STR("container", container),
	      LOG_INT("count", (int64_t)env.n),
	      LOG_STR("mode", s->stay ? "stay" : "become"));
	k->answered = true;
	return tell(k, &f);
}

static void look_at(struct asker *k)
{
	const struct exec_serve *s = k->place->serve;
	const char *container = k->place->deliver->container;
	if (!k->asked || k->closing)
		return;
	if (exec_vars_ready(s->agent, container)) {
		bool fresh = !k->answered ||
			     (s->conf->exec.restart == RESTART_ALWAYS &&
			      k->generation != exec_vars_generation(s->agent, container));
		if (fresh)
			tell_variables(k);
		return;
	}
	struct err why = ERR_INIT;
	exec_vars_reason(s->agent, container, &why);
	if (!k->answered && why.kind != ERR_NONE)
		tell_reason(k, FRAME_WAIT, &why);
}

static bool may_ask(const struct asker *k, struct err *e)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	int64_t uid = k->place->deliver->uid;
	if (getsockopt(k->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return err_set(e, ERR_DENIED, errno, "it is not known who asks");
	return uid < 0 || who.uid == (uid_t)uid || who.uid == 0 ||
	       err_set(e, ERR_DENIED, 0,
		       "the variables are for user %lld, not for %u (uid of deliver "
		       "'%s')",
		       (long long)uid, (unsigned)who.uid, k->place->deliver->container);
}

static void on_question(struct asker *k)
{
	struct err e = ERR_INIT;
	k->asked = true;
	loop_timer_cancel(&k->idle);
	if (strcmp(buf_str(&k->in), question) != 0)
		err_set(&e, ERR_BUG, 0, "the wrapper speaks another version");
	if (e.kind != ERR_NONE || !may_ask(k, &e)) {
		log_fail(LOG_WARN, &e, "variables refused",
			 LOG_STR("container", k->place->deliver->container));
		tell_reason(k, FRAME_NO, &e);
		return;
	}
	look_at(k);
}

static void on_asker(void *ctx, int fd, unsigned events)
{
	struct asker *k = ctx;
	char bytes[sizeof(question)];
	if ((events & LOOP_WRITE) && !flush(k))
		return;
	if (!(events & (LOOP_READ | LOOP_HANGUP)))
		return;
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || k->asked || !buf_add(&k->in, bytes, (size_t)n)) {
		asker_free(k);
		return;
	}
	if (memchr(k->in.data, '\n', k->in.len))
		on_question(k);
}

static void on_idle(void *ctx, struct loop_timer *t)
{
	(void)t;
	asker_free(ctx);
}

static void on_accept(void *ctx, int fd, unsigned events)
{
	struct place_served *p = ctx;
	struct loop *l = p->serve->loop;
	(void)events;
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (got < 0)
		return;
	if (p->n_askers == ASKERS_MAX) {
		close(got);
		return;
	}
	struct asker *k = mem_alloc(sizeof(*k));
	k->place = p;
	k->fd = got;
	k->in.max = sizeof(question) - 1;
	k->out.max = OUT_MAX;
	k->next = p->askers;
	p->askers = k;
	p->n_askers++;
	loop_timer_in(l, &k->idle, IDLE_MS, on_idle, k);
	if (!loop_fd_add(l, got, LOOP_READ, on_asker, k, &k->io, NULL))
		asker_free(k);
}

void exec_serve_look(struct exec_serve *s)
{
	for (size_t i = 0; s && i < s->n_places; i++)
		for (struct asker *k = s->places[i].askers, *next; k; k = next) {
			next = k->next;
			look_at(k);
		}
}

bool exec_serve_signal(struct exec_serve *s, int signo, struct err *e)
{
	struct exec_frame f = { .kind = FRAME_SIGNAL, .signo = signo };
	size_t told = 0;
	for (size_t i = 0; s && i < s->n_places; i++)
		for (struct asker *k = s->places[i].askers, *next; k; k = next) {
			next = k->next;
			if (k->answered && s->stay && tell(k, &f))
				told++;
		}
	return told > 0 || err_set(e, ERR_MISSING, 0, "no wrapped command is connected");
}

static bool tells_child(const struct conf_template *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < t[i].n_notify; k++)
			if (t[i].notify[k].target == TARGET_CHILD &&
			    t[i].notify[k].kind == NOTIFY_SIGNAL)
				return true;
	return false;
}

static bool listen_for(struct exec_serve *s, const struct conf_deliver *d, struct err *e)
{
	struct place_served *p = &s->places[s->n_places];
	mode_t mode = d->uid >= 0 && (uid_t)d->uid == geteuid() ? 0600 : 0666;
	*p = (struct place_served){ .serve = s, .deliver = d, .fd = -1 };
	if (!unix_listen(d->env_socket, mode, "env_socket", &p->fd, e))
		return false;
	s->n_places++;
	return loop_fd_add(s->loop, p->fd, LOOP_READ, on_accept, p, &p->io, e);
}

bool exec_serve_new(struct loop *l, const struct conf *c, const struct agent *a,
		    struct exec_serve **ret, struct err *e)
{
	struct exec_serve *s = mem_alloc(sizeof(*s));
	*s = (struct exec_serve){
		.loop = l,
		.conf = c,
		.agent = a,
		.stay = c->exec.restart == RESTART_ALWAYS ||
			tells_child(c->variables, c->n_variables) ||
			tells_child(c->templates, c->n_templates),
	};
	s->places = mem_calloc(c->n_deliver + 1, sizeof(*s->places));
	for (size_t i = 0; i < c->n_deliver; i++)
		if (c->deliver[i].env_socket && !listen_for(s, &c->deliver[i], e)) {
			exec_serve_free(s);
			return false;
		}
	*ret = s;
	return true;
}

void exec_serve_free(struct exec_serve *s)
{
	for (size_t i = 0; s && i < s->n_places; i++) {
		struct place_served *p = &s->places[i];
		while (p->askers)
			asker_free(p->askers);
		loop_fd_remove(p->io);
		close(p->fd);
		unlink(p->deliver->env_socket);
	}
	if (s)
		mem_free(s->places);
	mem_free(s);
}
