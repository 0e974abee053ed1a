// SPDX-License-Identifier: Apache-2.0
// ampoule-agent: arguments → configuration → mode → exit code.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/args.h"
#include "agent/audit.h"
#include "agent/child.h"
#include "agent/conf_env.h"
#include "agent/control.h"
#include "agent/exec_copy.h"
#include "agent/exec_mode.h"
#include "agent/exec_serve.h"
#include "agent/exec_wrap.h"
#include "agent/listener.h"
#include "agent/metrics.h"
#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"
#include "lib/crypto/crypto.h"
#include "lib/http/client.h"

#ifndef AMPOULE_VERSION
#define AMPOULE_VERSION "unknown"
#endif

// The README's table of exit codes; EXIT_MEMORY is mem.h's.
enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

enum {
	PROBE_TIMEOUT_MS = 1000,
	WRAP_WAIT_MS = 5 * 60 * 1000,
	STATUS_MAX = 64,
	SIGNAL_BASE = 128
};

extern char **environ;

struct program {
	struct args args;
	struct conf *conf;
	struct loop *loop;
	struct agent *agent;
	struct agent *heir; // of a changed configuration, while it is handed over
	struct conf *heir_conf;
	bool end_asked, hup_asked; // meanwhile
	struct control *control;
	struct listeners *listeners;
	struct exec_mode *exec; // NULL: no command
	struct exec_serve *served;
	bool command_ended, becoming;
	int asked; // the signal that asked us, not the command, to end
};

static void complain(const char *what, const struct err *e)
{
	fprintf(stderr, "ampoule-agent: %s%s%s\n", what, *what ? ": " : "", e->text);
}

static void on_conf_warning(void *ctx, const char *text)
{
	(void)ctx;
	log_warn("configuration", LOG_STR("warning", text));
}

static bool load_conf(const struct args *a, struct conf **ret, struct err *e)
{
	AUTO_WIPE char *text = NULL;
	if (!a->n_configs && !conf_env_read(&text, e))
		return false;
	struct conf_load_opts opts = { .paths = a->configs,
				       .text = text,
				       .strict = a->strict,
				       .has_command = a->command || a->probe,
				       .warn = on_conf_warning,
				       .overrides = a->overrides,
				       .environ_ =
					       (const char *const *)(uintptr_t)environ };
	if (!a->n_configs && !text)
		return err_set(e, ERR_CONFIG, 0,
			       "no configuration: give --config FILE or AMPOULE_CONFIG");
	if (!conf_load(&opts, ret, e))
		return false;
	if (a->timeout && !str_duration_ms(a->timeout, &(*ret)->start_timeout_ms, e)) {
		conf_free(*ret);
		*ret = NULL;
		return err_wrap(e, "--timeout");
	}
	return true;
}

// The kubelet shows this line as lastState.terminated.message.
static void write_termination(const struct conf *c, const struct err *e)
{
	const char *path =
		c->termination_log ? c->termination_log : "/dev/termination-log";
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		(void)!file_write_all(fd, e->text, strlen(e->text), NULL);
}

static void on_end_signal(void *ctx, int signo, pid_t sender)
{
	struct program *p = ctx;
	(void)sender;
	p->asked = signo;
	log_info("asked to end", LOG_STR("signal", signo == SIGTERM ? "TERM" : "INT"));
	p->end_asked = true;
	if (!p->heir)
		agent_ask_stop(p->agent);
}

static void on_hup(void *ctx, int signo, pid_t sender);

static bool once(const struct program *p)
{
	return p->args.once || p->conf->exit_after_auth;
}

static bool open_control(struct program *p, struct err *e)
{
	return !p->conf->status_socket ||
	       control_new(p->loop, p->conf->status_socket, p->agent, &p->control, e);
}

// What others reach the agent by.
static bool open_doors(struct program *p, struct err *e)
{
	struct err more = ERR_INIT; // one door that sticks keeps no other shut
	bool ok = audit_open(p->conf->audit_file, e);
	ok = open_control(p, ok ? e : &more) && ok;
	ok = listeners_new(p->loop, p->conf, p->agent, &p->listeners, ok ? e : &more) &&
	     ok;
	return (once(p) ||
		exec_serve_new(p->loop, p->conf, p->agent, &p->served, ok ? e : &more)) &&
	       ok;
}

static void close_doors(struct program *p)
{
	control_free(p->control);
	listeners_free(p->listeners);
	exec_serve_free(p->served);
	p->served = NULL;
	p->control = NULL;
	p->listeners = NULL;
}

// The old agent rests: the new one takes its place.
static void on_handed_over(void *ctx)
{
	struct program *p = ctx;
	struct err e = ERR_INIT;
	agent_inherit(p->heir, p->agent);
	close_doors(p);
	agent_free(p->agent);
	conf_free(p->conf);
	p->agent = TAKE(p->heir);
	p->conf = TAKE(p->heir_conf);
	log_setup(p->conf->log_level, p->conf->log_format);
	agent_metrics_count(COUNT_RELOADS);
	if (!open_doors(p, &e))
		log_fail(LOG_ERROR, &e,
			 "not everything of the new configuration listens");
	agent_start(p->agent);
	if (p->end_asked)
		agent_ask_stop(p->agent);
	else if (p->hup_asked)
		on_hup(p, SIGHUP, 0);
}

static void refuse_conf(struct conf *fresh, const struct err *e)
{
	log_fail(LOG_ERROR, e, "new configuration refused; the old one stays");
	conf_free(fresh);
}

// SIGHUP: with the same configuration everything is looked at again; with another one a new
// agent takes over what this one holds, and a faulty one changes nothing.
static void on_hup(void *ctx, int signo, pid_t sender)
{
	struct program *p = ctx;
	struct conf *fresh = NULL;
	struct err e = ERR_INIT;
	(void)signo;
	(void)sender;
	p->hup_asked = p->heir;
	if (p->heir || p->end_asked || agent_is_ending(p->agent))
		return;
	if (!load_conf(&p->args, &fresh, &e)) {
		refuse_conf(NULL, &e);
		return;
	}
	bool same = conf_equal(fresh, p->conf);
	if (!same && p->exec) {
		log_warn("the configuration has changed: in exec mode the next start of "
			 "the agent reads it");
		conf_free(fresh);
		return;
	}
	if (!same && !agent_succeed(p->agent, fresh, &p->heir, &e)) {
		refuse_conf(fresh, &e);
		return;
	}
	log_info("asked to reload",
		 LOG_STR("configuration", same ? "unchanged" : "changed"));
	if (same) {
		conf_free(fresh);
		if (!audit_open(p->conf->audit_file, &e)) // a rotated one is made anew
			log_fail(LOG_ERROR, &e, "audit goes to the old file");
		agent_refresh(p->agent);
		return;
	}
	p->heir_conf = fresh;
	agent_hand_over(p->agent, p->heir, on_handed_over, p);
}

static void on_state(void *ctx)
{
	struct program *p = ctx;
	if (p->exec && p->agent)
		exec_mode_look(p->exec, p->agent);
	exec_serve_look(p->served);
	control_poke(p->control);
}

// --- exec mode

// The command has got every signal before us.
static void on_exec_signal(void *ctx, int signo, bool running)
{
	struct program *p = ctx;
	if (signo == SIGHUP)
		on_hup(p, signo, 0);
	if (!running && !p->command_ended && (signo == SIGTERM || signo == SIGINT))
		on_end_signal(p, signo, 0);
}

static void on_exec_ended(void *ctx)
{
	struct program *p = ctx;
	p->command_ended = true;
	agent_stop(p->agent);
}

static bool signal_child(void *ctx, int signo, struct err *e)
{
	struct program *p = ctx;
	return p->exec ? exec_mode_signal(p->exec, signo, e)
		       : exec_serve_signal(p->served, signo, e);
}

static struct exec_mode_setup exec_setup(struct program *p)
{
	return (struct exec_mode_setup){
		.loop = p->loop,
		.conf = p->conf,
		.argv = (const char *const *)(uintptr_t)p->args.command,
		.told = on_exec_signal,
		.ended = on_exec_ended,
		.ctx = p,
	};
}

static bool wants_exec(const struct program *p)
{
	return exec_mode_wanted(p->conf, (const char *const *)(uintptr_t)p->args.command);
}

// Without --once: signals are the command's now.
static bool prepare_exec(struct program *p, struct err *e)
{
	struct exec_mode_setup setup = exec_setup(p);
	return !wants_exec(p) || once(p) || exec_mode_new(&setup, &p->exec, e);
}

// An agent that has failed does not leave its command behind.
static bool stop_command(struct program *p, struct err *e)
{
	if (!exec_mode_running(p->exec))
		return true;
	exec_mode_stop(p->exec);
	while (exec_mode_running(p->exec))
		if (!loop_once(p->loop, -1, e))
			return false;
	return true;
}

// The exit code of an agent that has come to a good end.
static int good_code(struct program *p, struct err *e)
{
	if (!wants_exec(p))
		return EXIT_GOOD;
	return p->asked ? SIGNAL_BASE + p->asked : exec_mode_code(p->exec, e);
}

static bool write_pid(const struct conf *c, struct err *e)
{
	char text[STATUS_MAX];
	struct file_attr attr = { .mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (!c->pid_file)
		return true;
	int n = snprintf(text, sizeof(text), "%d", (int)getpid());
	return file_replace(c->pid_file, text, (size_t)n, attr, e) ||
	       err_wrap(e, "pid_file");
}

// One life of an agent, from the configuration to its end.
static bool serve(struct program *p, enum agent_end *ret_end, struct err *e)
{
	struct agent_opts opts = { .once = once(p),
				   .exec = p->exec,
				   .signal_child = signal_child,
				   .changed = on_state,
				   .ctx = p };
	log_setup(p->conf->log_level, p->conf->log_format);
	if (!agent_new(p->loop, p->conf, &opts, &p->agent, e) || !open_doors(p, e))
		return false;
	agent_start(p->agent);
	if (agent_ended(p->agent, NULL) == AGENT_RUNNING && !loop_run(p->loop, e))
		return false;
	*ret_end = agent_ended(p->agent, e);
	if (*ret_end == AGENT_DONE && once(p) && wants_exec(p) && !p->asked) {
		struct exec_mode_setup setup = exec_setup(p);
		p->becoming = true;
		return exec_mode_become(&setup, p->agent, e);
	}
	return true;
}

static void finish(struct program *p)
{
	close_doors(p);
	agent_free(p->heir);
	agent_free(p->agent);
	conf_free(p->heir_conf);
	p->heir = p->agent = NULL;
	p->heir_conf = NULL;
}

static bool add_signals(struct program *p, struct err *e)
{
	signal(SIGPIPE, SIG_IGN);
	return loop_signal_add(p->loop, SIGTERM, on_end_signal, p, e) &&
	       loop_signal_add(p->loop, SIGINT, on_end_signal, p, e) &&
	       loop_signal_add(p->loop, SIGHUP, on_hup, p, e);
}

static int run(struct program *p)
{
	struct err e = ERR_INIT;
	if (!crypto_init(&e) || !load_conf(&p->args, &p->conf, &e)) {
		complain("", &e);
		return EXIT_BAD;
	}
	if (!wants_exec(p)) { // both would hold for the command, too
		mem_hide(false);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	}
	bool ok = loop_new(&p->loop, &e) && add_signals(p, &e) && prepare_exec(p, &e) &&
		  write_pid(p->conf, &e);
	enum agent_end end = AGENT_RUNNING;
	ok = ok && serve(p, &end, &e) && stop_command(p, &e);
	finish(p);
	if (p->conf->pid_file)
		unlink(p->conf->pid_file);
	int code = p->becoming               ? child_exit_code(&e)
		   : ok && end == AGENT_DONE ? good_code(p, &e)
					     : EXIT_BAD;
	if (e.kind != ERR_NONE) {
		complain("", &e);
		write_termination(p->conf, &e);
	}
	return code;
}

static int wrap(const struct args *a)
{
	struct err e = ERR_INIT;
	struct exec_wrap_setup setup = {
		.socket = a->wrap,
		.argv = (const char *const *)(uintptr_t)a->command,
		.timeout_ms = WRAP_WAIT_MS,
	};
	int code = EXIT_USAGE;
	log_setup(LOG_WARN, LOG_FORMAT_TEXT);
	if (!a->command)
		err_set(&e, ERR_CONFIG, 0, "--wrap wants a command behind --");
	else if (!a->timeout || str_duration_ms(a->timeout, &setup.timeout_ms, &e))
		code = exec_wrap_run(&setup, &e);
	if (e.kind != ERR_NONE)
		complain("", &e);
	return code;
}

// Whether that was all.
static bool copy(const struct args *a, int *ret)
{
	struct err e = ERR_INIT;
	bool ok = exec_copy(a->copy_to, &e);
	*ret = ok ? EXIT_GOOD : EXIT_BAD;
	if (!ok)
		complain("--copy-to", &e);
	return !ok || (!a->n_configs && !conf_env_is_set());
}

static int probe(const struct args *a)
{
	static const char *const names[] = { [PROBE_STARTUP] = "startup",
					     [PROBE_READY] = "ready",
					     [PROBE_LIVE] = "live" };
	struct err e = ERR_INIT;
	struct conf *conf = NULL;
	AUTO_BUF struct buf answer = BUF_INIT(1 << 16);
	char line[STATUS_MAX];
	int64_t timeout_ms = a->wait ? 0 : PROBE_TIMEOUT_MS;
	snprintf(line, sizeof(line), "probe %s%s", names[a->probe],
		 a->wait ? " wait" : "");
	bool ok = (!a->timeout || str_duration_ms(a->timeout, &timeout_ms, &e)) &&
		  (a->socket || load_conf(a, &conf, &e));
	const char *path = a->socket ? a->socket : conf ? conf->status_socket : NULL;
	if (ok && !path)
		ok = err_set(
			&e, ERR_CONFIG, 0,
			"the configuration names no status_socket, and --socket is not "
			"given");
	struct control_question q = {
		.socket = path, .line = line, .timeout_ms = timeout_ms, .patient = a->wait
	};
	ok = ok && control_ask(&q, &answer, &e);
	bool yes = ok && str_starts(buf_str(&answer), "ok");
	if (!ok)
		complain("", &e);
	else if (!yes)
		fprintf(stderr, "ampoule-agent: %s", buf_str(&answer));
	conf_free(conf);
	return yes ? EXIT_GOOD : EXIT_BAD;
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	struct err e = ERR_INIT;
	int rc = EXIT_GOOD;
	mem_init(false);
	mem_hide(true); // for good when no command wants its core limit back
	if (!args_parse(argc, argv, &p.args, &e)) {
		complain("", &e);
		rc = EXIT_USAGE;
	} else if (p.args.help) {
		args_help();
	} else if (p.args.version) {
		printf("ampoule-agent %s (%s; %s)\n", AMPOULE_VERSION, crypto_version(),
		       http_version());
	} else if (p.args.wrap) {
		rc = wrap(&p.args);
	} else if (!p.args.copy_to || !copy(&p.args, &rc)) {
		rc = p.args.probe ? probe(&p.args) : run(&p);
	}
	exec_mode_free(p.exec);
	conf_free(p.conf);
	loop_free(p.loop);
	args_release(&p.args);
	return rc;
}
