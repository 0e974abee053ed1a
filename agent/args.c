// SPDX-License-Identifier: Apache-2.0
// Command line parsing: a table of our own words; any other flag must be a row of the
// option table.
#include "agent/args.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/options.h"

enum word {
	W_HELP,
	W_VERSION,
	W_CONFIG,
	W_ONCE,
	W_TIMEOUT,
	W_PROBE,
	W_WAIT,
	W_SOCKET,
	W_STRICT,
	W_WRAP,
	W_COPY_TO,
};

static const struct {
	const char *name;
	enum word word;
	bool takes_value;
	const char *help;
} words[] = {
	{ "help", W_HELP, false, "this text" },
	{ "h", W_HELP, false, NULL },
	{ "version", W_VERSION, false, "versions, ours and those of both TLS libraries" },
	{ "config", W_CONFIG, true,
	  "configuration file or folder (HCL or JSON); repeats" },
	{ "once", W_ONCE, false, "end with 0 when every template has been rendered" },
	{ "exit-after-auth", W_ONCE, false, NULL },
	{ "timeout", W_TIMEOUT, true,
	  "deadline of the start and of --wrap (5m); with --probe --wait" },
	{ "probe", W_PROBE, true, "ask the running agent: startup, ready or live" },
	{ "wait", W_WAIT, false, "with --probe: wait until the answer is yes" },
	{ "socket", W_SOCKET, true,
	  "with --probe: the agent's socket, if no --config names it" },
	{ "wrap", W_WRAP, true,
	  "run COMMAND with the variables of the sidecar at this env_socket" },
	{ "copy-to", W_COPY_TO, true,
	  "copy this program into a folder; without a configuration that is all" },
	{ "strict", W_STRICT, false, "warnings about the configuration are errors" },
};

static bool set_probe(const char *value, enum args_probe *ret, struct err *e)
{
	static const char *const names[] = { [PROBE_STARTUP] = "startup",
					     [PROBE_READY] = "ready",
					     [PROBE_LIVE] = "live" };
	for (size_t i = PROBE_STARTUP; i < ARRAY_LEN(names); i++)
		if (strcmp(value, names[i]) == 0) {
			*ret = (enum args_probe)i;
			return true;
		}
	return err_set(e, ERR_CONFIG, 0, "--probe takes startup, ready or live, not '%s'",
		       value);
}

static void add(const char ***list, size_t *n, const char *item)
{
	*list = mem_realloc(*list, (*n + 2) * sizeof(**list));
	(*list)[(*n)++] = item;
	(*list)[*n] = NULL;
}

static bool take(struct args *a, enum word w, const char *value, struct err *e)
{
	switch (w) {
	case W_HELP:
		a->help = true;
		break;
	case W_VERSION:
		a->version = true;
		break;
	case W_CONFIG:
		add(&a->configs, &a->n_configs, value);
		break;
	case W_ONCE:
		a->once = true;
		break;
	case W_TIMEOUT:
		a->timeout = value;
		break;
	case W_PROBE:
		return set_probe(value, &a->probe, e);
	case W_WAIT:
		a->wait = true;
		break;
	case W_SOCKET:
		a->socket = value;
		break;
	case W_WRAP:
		a->wrap = value;
		break;
	case W_COPY_TO:
		a->copy_to = value;
		break;
	case W_STRICT:
		a->strict = true;
		break;
	}
	return true;
}

static bool unknown(const char *name, struct err *e)
{
	const char *names[ARRAY_LEN(words)];
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		names[i] = words[i].name;
	const char *near = str_nearest(name, names, ARRAY_LEN(names));
	return err_set(e, ERR_CONFIG, 0, "unknown option '--%s'%s%s%s; see --help", name,
		       near ? " (did you mean '--" : "", near ? near : "",
		       near ? "'?)" : "");
}

// One flag at argv[*i], its value behind '=' or in the next word.
static bool parse_flag(char **argv, int argc, int *i, struct args *a, struct err *e)
{
	const char *text = argv[*i] + (str_starts(argv[*i], "--") ? 2 : 1);
	const char *eq = strchr(text, '=');
	AUTO_FREE char *name =
		eq ? mem_strndup(text, (size_t)(eq - text)) : mem_strdup(text);
	const struct option_row *row = options_by_flag(name);
	size_t w = 0;
	while (w < ARRAY_LEN(words) && strcmp(words[w].name, name) != 0)
		w++;
	if (w == ARRAY_LEN(words) && !row)
		return unknown(name, e);
	bool takes =
		w < ARRAY_LEN(words) ? words[w].takes_value : !options_is_switch(row);
	const char *value = eq ? eq + 1 : NULL;
	if (!takes && w < ARRAY_LEN(words) && value) // "-exit-after-auth=true"
		return str_eq(str_of(value), "true")
			       ? take(a, words[w].word, NULL, e)
			       : str_eq(str_of(value), "false") || unknown(text, e);
	if (takes && !value) {
		if (*i + 1 >= argc)
			return err_set(e, ERR_CONFIG, 0, "option '--%s' wants a value",
				       name);
		value = argv[++*i];
	}
	if (w < ARRAY_LEN(words))
		return take(a, words[w].word, value, e);
	add(&a->overrides, &a->n_overrides,
	    options_override(row, value ? value : "true"));
	return true;
}

bool args_parse(int argc, char **argv, struct args *ret, struct err *e)
{
	int i = 1;
	*ret = (struct args){ 0 };
	if (i < argc && strcmp(argv[i], "agent") == 0)
		i++; // as `vault agent -config=…`
	for (; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			ret->command = argv + i + 1;
			return i + 1 < argc || err_set(e, ERR_CONFIG, 0,
						       "a command is missing behind --");
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			return err_set(
				e, ERR_CONFIG, 0,
				"'%s' is no option (a command stands behind --); see "
				"--help",
				argv[i]);
		if (!parse_flag(argv, argc, &i, ret, e))
			return false;
	}
	return true;
}

void args_release(struct args *a)
{
	for (size_t i = 0; i < a->n_overrides; i++)
		mem_free((void *)(uintptr_t)a->overrides[i]);
	mem_free(a->configs);
	mem_free(a->overrides);
	*a = (struct args){ 0 };
}

void args_help(void)
{
	puts("usage: ampoule-agent --config FILE [--once [--timeout 5m]] [-- COMMAND "
	     "ARG...]\n"
	     "       ampoule-agent --probe startup|ready|live [--wait] --config FILE\n"
	     "\n"
	     "Logs in to the pod's secret stores, renders templates into memory "
	     "volumes,\n"
	     "signals the application when they change, and watches that it reads them.\n"
	     "With a COMMAND it starts it with the variables of env_template, passes "
	     "signals\n"
	     "on, restarts it when they change, and ends with its exit code.\n"
	     "Without --config: AMPOULE_CONFIG (base64 or plain), then VAULT_CONFIG or\n"
	     "BAO_CONFIG.\n");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].help)
			printf("  --%-18s %s\n", words[i].name, words[i].help);
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);
	options_help(&b);
	fputs(buf_str(&b), stdout);
}
