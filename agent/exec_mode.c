// SPDX-License-Identifier: Apache-2.0
#include "agent/exec_mode.h"

#include "agent/child.h"
#include "agent/exec_vars.h"
#include "lib/base/mem.h"

struct exec_mode {
	struct exec_mode_setup setup;
	struct exec *exec;
	const struct agent *agent; // while it looks
	unsigned long generation;
	bool started, over;
	int code;
	struct err error;
};

bool exec_mode_wanted(const struct conf *c, const char *const *argv)
{
	return (argv && argv[0]) || c->exec.command;
}

static bool fill(void *ctx, struct exec_env *to, struct err *e)
{
	struct exec_mode *m = ctx;
	return exec_vars_fill(m->agent, NULL, to, e);
}

static void on_ended(void *ctx, int code, const struct err *e)
{
	struct exec_mode *m = ctx;
	m->code = code;
	m->over = true; // nothing that changes in this round starts it again
	if (e)
		m->error = *e;
	m->setup.ended(m->setup.ctx);
}

static void on_told(void *ctx, int signo, bool running)
{
	struct exec_mode *m = ctx;
	m->setup.told(m->setup.ctx, signo, running);
}

bool exec_mode_new(const struct exec_mode_setup *setup, struct exec_mode **ret,
		   struct err *e)
{
	struct exec_mode *m = mem_alloc(sizeof(*m));
	struct exec_setup exec = { .loop = setup->loop,
				   .conf = &setup->conf->exec,
				   .argv = setup->argv,
				   .fill = fill,
				   .ended = on_ended,
				   .told = on_told,
				   .ctx = m };
	m->setup = *setup;
	if (!exec_new(&exec, &m->exec, e)) {
		exec_mode_free(m);
		return false;
	}
	*ret = m;
	return true;
}

void exec_mode_free(struct exec_mode *m)
{
	if (!m)
		return;
	exec_free(m->exec);
	mem_free(m);
}

void exec_mode_look(struct exec_mode *m, const struct agent *a)
{
	m->agent = a;
	if (m->over || !exec_vars_ready(a, NULL))
		return;
	unsigned long generation = exec_vars_generation(a, NULL);
	if (m->started && generation == m->generation)
		return;
	m->started = true;
	m->generation = generation;
	exec_changed(m->exec);
}

bool exec_mode_running(const struct exec_mode *m)
{
	return m && exec_pid(m->exec) != 0;
}

void exec_mode_stop(struct exec_mode *m)
{
	exec_stop(m->exec);
}

bool exec_mode_signal(const struct exec_mode *m, int signo, struct err *e)
{
	return exec_signal(m->exec, signo, e);
}

int exec_mode_code(const struct exec_mode *m, struct err *e)
{
	if (m->error.kind != ERR_NONE)
		*e = m->error;
	return m->code;
}

bool exec_mode_become(const struct exec_mode_setup *setup, const struct agent *a,
		      struct err *e)
{
	AUTO_ENV struct exec_env env = { 0 };
	const struct conf_exec *x = &setup->conf->exec;
	struct child_program p = { .argv = setup->argv && setup->argv[0] ? setup->argv
									 : x->command,
				   .out = x->out,
				   .err = x->err };
	exec_env_inherit(&env);
	if (!exec_vars_fill(a, NULL, &env, e))
		return false;
	p.env = env.list;
	return child_become(setup->loop, &p, e);
}
