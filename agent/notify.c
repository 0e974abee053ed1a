// SPDX-License-Identifier: Apache-2.0
// Notifications: one job for each distinct text, with its own back-off.
#include "agent/notify.h"

#include <signal.h>
#include <string.h>

#include "agent/child.h"
#include "agent/process.h"
#include "lib/base/backoff.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/http/client.h"

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 60 * 1000, ANSWER_MAX = 64 * 1024 };

struct job {
	struct job *next;
	struct notifier *owner;
	const struct conf_notify *what;
	struct output **outputs; // for whom, since the last delivery
	size_t n_outputs;
	bool due, running;
	struct backoff backoff;
	struct loop_timer timer;
	struct child *child;
	struct http_call *call;
	struct err error;
};

struct notifier {
	struct loop *loop;
	struct volume *const *volumes;
	notifier_done_fn *done;
	void *ctx;
	struct job *jobs;
	struct http_client *http;
	bool (*signal_child)(void *ctx, int signo, struct err *e);
	void *child_ctx;
};

struct notifier *notifier_new(struct loop *l, struct volume *const *volumes,
			      notifier_done_fn *done, void *ctx)
{
	struct notifier *n = mem_alloc(sizeof(*n));
	*n = (struct notifier){ .loop = l, .volumes = volumes, .done = done, .ctx = ctx };
	return n;
}

static bool check_commands(const struct conf_notify *list, size_t n, const char *whose,
			   struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *program = list[i].argv ? list[i].argv[0] : NULL;
		if (list[i].kind != NOTIFY_COMMAND || child_can_start(program))
			continue;
		if (strcmp(program, "/bin/sh") == 0)
			return err_set(e, ERR_CONFIG, 0,
				       "%s: its command needs a shell, and the agent's "
				       "image has none: write notify = "
				       "\"signal:HUP@CONTAINER\", \"http:…\", or the "
				       "argument vector of a program",
				       whose);
		log_warn("there is no such program for a command",
			 LOG_STR("program", program), LOG_STR("template", whose));
	}
	return true;
}

bool notifier_check(const struct conf *c, struct err *e)
{
	for (size_t i = 0; i < c->n_templates; i++)
		if (!check_commands(c->templates[i].notify, c->templates[i].n_notify,
				    c->templates[i].name, e))
			return err_wrap(e, "template");
	for (size_t i = 0; i < c->n_variables; i++)
		if (!check_commands(c->variables[i].notify, c->variables[i].n_notify,
				    c->variables[i].name, e))
			return err_wrap(e, "env_template");
	return check_commands(c->notify, c->n_notify, "notify", e);
}

void notifier_set_child(struct notifier *n,
			bool (*fn)(void *ctx, int signo, struct err *e), void *ctx)
{
	n->signal_child = fn;
	n->child_ctx = ctx;
}

static bool to_child(const struct notifier *n, int signo, struct err *e)
{
	if (!n->signal_child)
		return err_set(e, ERR_CONFIG, 0,
			       "@child is the command of exec mode, and there is none");
	return n->signal_child(n->child_ctx, signo, e);
}

void notifier_free(struct notifier *n)
{
	if (!n)
		return;
	while (n->jobs) {
		struct job *j = n->jobs;
		n->jobs = j->next;
		loop_timer_cancel(&j->timer);
		loop_later_cancel(n->loop, j);
		child_kill(j->child);
		mem_free(j->outputs);
		mem_free(j);
	}
	http_client_free(n->http); // cancels its calls
	mem_free(n);
}

static void run(struct job *j);

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	run(ctx);
}

static void on_later(void *ctx)
{
	run(ctx);
}

static void ended(struct job *j, const struct err *e)
{
	struct notifier *n = j->owner;
	j->running = false;
	if (e) {
		j->error = *e;
		loop_timer_in(n->loop, &j->timer, backoff_next(&j->backoff), on_timer, j);
	} else {
		err_clear(&j->error);
		backoff_reset(&j->backoff);
	}
	for (size_t i = 0; i < j->n_outputs; i++)
		n->done(n->ctx, j->outputs[i], j->what, e);
	if (e)
		return;
	// What was added while it ran wants a run of its own.
	if (j->due)
		loop_later(n->loop, on_later, j);
	else
		j->n_outputs = 0;
}

static const struct volume *volume_of(const struct notifier *n, const char *container)
{
	for (struct volume *const *v = n->volumes; container && *v; v++)
		if (strcmp(volume_container(*v), container) == 0)
			return *v;
	return NULL;
}

static void send_signal(struct job *j)
{
	struct conf_notify what = *j->what;
	struct err e = ERR_INIT;
	size_t sent;
	if (what.kind == NOTIFY_RESTART)
		what.signal = SIGTERM;
	bool ok = what.target == TARGET_CHILD && what.kind == NOTIFY_SIGNAL
			  ? to_child(j->owner, what.signal, &e)
			  : process_signal(&what, volume_of(j->owner, what.name), &sent,
					   &e);
	ended(j, ok ? NULL : &e);
}

static void on_command(void *ctx, const struct err *e)
{
	struct job *j = ctx;
	j->child = NULL;
	ended(j, e);
}

static void run_command(struct job *j)
{
	struct child_setup setup = { .argv = j->what->argv,
				     .timeout_ms = j->what->timeout_ms };
	struct err e = ERR_INIT;
	if (!child_start(j->owner->loop, &setup, on_command, j, &j->child, &e))
		ended(j, &e);
}

static void on_response(void *ctx, const struct http_response *r, const struct err *e)
{
	struct job *j = ctx;
	struct err bad = ERR_INIT;
	j->call = NULL;
	if (r && (r->status < 200 || r->status > 299)) {
		err_set(&bad, ERR_RETRY, r->status,
			"port %u answered with HTTP status %d", j->what->port, r->status);
		e = &bad;
	}
	ended(j, e);
}

static void send_request(struct job *j)
{
	struct notifier *n = j->owner;
	struct err e = ERR_INIT;
	struct http_client_opts opts = { .proxy = "", .close_idle = true };
	AUTO_FREE char *url =
		mem_printf("http://127.0.0.1:%u%s", j->what->port, j->what->path);
	struct http_request req = { .method = "POST",
				    .url = url,
				    .body = "",
				    .timeout_ms = j->what->timeout_ms,
				    .max_body = ANSWER_MAX,
				    .no_redirect = true };
	if ((!n->http && !http_client_new(n->loop, &opts, &n->http, &e)) ||
	    !http_send(n->http, &req, on_response, j, &j->call, &e))
		ended(j, &e);
}

static void run(struct job *j)
{
	static void (*const how[])(struct job *) = {
		[NOTIFY_SIGNAL] = send_signal,
		[NOTIFY_RESTART] = send_signal,
		[NOTIFY_HTTP] = send_request,
		[NOTIFY_COMMAND] = run_command,
	};
	if (j->running)
		return;
	j->running = true;
	j->due = false;
	loop_timer_cancel(&j->timer);
	how[j->what->kind](j);
}

static struct job *find_job(struct notifier *n, const struct conf_notify *what)
{
	for (struct job *j = n->jobs; j; j = j->next)
		if (j->what == what || strcmp(j->what->text, what->text) == 0)
			return j;
	struct job *j = mem_alloc(sizeof(*j));
	j->owner = n;
	j->what = what;
	j->backoff = (struct backoff){ .min_ms = RETRY_MIN_MS, .max_ms = RETRY_MAX_MS };
	j->next = n->jobs;
	n->jobs = j;
	return j;
}

static void add_output(struct job *j, struct output *o)
{
	for (size_t i = 0; i < j->n_outputs; i++)
		if (j->outputs[i] == o)
			return;
	j->outputs =
		mem_realloc(j->outputs, (j->n_outputs + 1) * sizeof(struct output *));
	j->outputs[j->n_outputs++] = o;
}

void notifier_add(struct notifier *n, struct output *o, const struct conf_notify *what)
{
	struct job *j = find_job(n, what);
	add_output(j, o);
	if (j->due)
		return;
	j->due = true;
	backoff_reset(&j->backoff);
	if (!j->running)
		loop_later(n->loop, on_later, j);
}

size_t notifier_pending(const struct notifier *n)
{
	size_t pending = 0;
	for (const struct job *j = n->jobs; j; j = j->next)
		pending += j->due || j->running || loop_timer_armed(&j->timer);
	return pending;
}

bool notifier_owes(const struct notifier *n, const struct output *o)
{
	for (const struct job *j = n->jobs; j; j = j->next)
		for (size_t i = 0; i < j->n_outputs; i++)
			if (j->outputs[i] == o)
				return true;
	return false;
}

const struct err *notifier_error(const struct notifier *n)
{
	for (const struct job *j = n->jobs; j; j = j->next)
		if (j->error.kind != ERR_NONE)
			return &j->error;
	return NULL;
}
