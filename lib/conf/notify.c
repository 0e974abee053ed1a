// SPDX-License-Identifier: Apache-2.0
// Notifications from their text form, the same in configurations and annotations:
//	signal:HUP@CONTAINER, signal:HUP@process=NAME, @pidfile=PATH, @uid=N, @child
//	http:PORT/path        restart@CONTAINER        command:["argv", …] or command:word word
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/load.h"

enum { TIMEOUT_MS = 30 * 1000, TEXT_MAX = 16 * 1024, ARGS_MAX = 256, LIST_MAX = 32 };

static const char forms[] = "signal:HUP@CONTAINER, signal:HUP@process=NAME, "
			    "http:8080/-/reload, restart@CONTAINER or command:[\"…\"]";

static const struct {
	const char *name;
	int signal;
} signals[] = {
	{ "HUP", SIGHUP },     { "INT", SIGINT },   { "QUIT", SIGQUIT },
	{ "ABRT", SIGABRT },   { "KILL", SIGKILL }, { "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },   { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },
	{ "TERM", SIGTERM },   { "CHLD", SIGCHLD }, { "CONT", SIGCONT },
	{ "STOP", SIGSTOP },   { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },   { "URG", SIGURG },   { "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },   { "PROF", SIGPROF }, { "VTALRM", SIGVTALRM },
	{ "IO", SIGIO },       { "PWR", SIGPWR },   { "SYS", SIGSYS },
	{ "WINCH", SIGWINCH },
};

bool notify_signal(const char *name, int *ret)
{
	int64_t number;
	if (str_int64(name, &number, NULL)) {
		*ret = (int)number;
		return number >= 1 && number <= 64;
	}
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (strcasecmp(name, signals[i].name) == 0) {
			*ret = signals[i].signal;
			return true;
		}
	return false;
}

const char *notify_signal_name(int signal)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].signal == signal)
			return signals[i].name;
	return NULL;
}

static bool bad_signal(const char *name, struct err *e)
{
	const char *names[ARRAY_LEN(signals)];
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		names[i] = signals[i].name;
	const char *near = str_nearest(name, names, ARRAY_LEN(names));
	return err_set(e, ERR_CONFIG, 0,
		       "'%.20s' is no signal; write HUP, USR1, TERM or a number%s%s%s",
		       name, near ? " (did you mean " : "", near ? near : "",
		       near ? "?)" : "");
}

bool notify_is_container(const char *s)
{
	size_t len = strlen(s);
	if (len == 0 || len > 63 || s[0] == '-' || s[len - 1] == '-')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool parse_container(struct pool *p, const char *s, struct conf_notify *ret,
			    struct err *e)
{
	if (!notify_is_container(s))
		return err_set(
			e, ERR_CONFIG, 0,
			"'%.63s' is no container's name (small letters, digits, '-'); "
			"other targets are process=NAME, pidfile=PATH, uid=N, child",
			s);
	ret->target = TARGET_CONTAINER;
	ret->name = pool_strdup(p, s);
	return true;
}

static bool parse_target(struct pool *p, const char *s, struct conf_notify *ret,
			 struct err *e)
{
	const char *eq = strchr(s, '=');
	const char *value = eq ? eq + 1 : "";
	if (strcmp(s, "child") == 0) {
		ret->target = TARGET_CHILD;
		return true;
	}
	if (str_starts(s, "uid=")) {
		ret->target = TARGET_UID;
		if (str_int64(value, &ret->uid, NULL) && ret->uid >= 0 &&
		    ret->uid < UINT32_MAX)
			return true;
		return err_set(e, ERR_CONFIG, 0, "uid=N wants a user's number");
	}
	if (str_starts(s, "process=")) {
		ret->target = TARGET_PROCESS;
		ret->name = pool_strdup(p, value);
		return *value || err_set(e, ERR_CONFIG, 0, "process=NAME wants a name");
	}
	if (str_starts(s, "pidfile=")) {
		ret->target = TARGET_PIDFILE;
		ret->name = pool_strdup(p, value);
		return *value == '/' ||
		       err_set(e, ERR_CONFIG, 0, "pidfile=PATH wants an absolute path");
	}
	return parse_container(p, s, ret, e);
}

static bool parse_signal(struct pool *p, const char *s, struct conf_notify *ret,
			 struct err *e)
{
	const char *at = strchr(s, '@');
	if (!at || at[1] == '\0')
		return err_set(e, ERR_CONFIG, 0,
			       "a signal wants a target: signal:HUP@CONTAINER, "
			       "@process=NAME, @pidfile=PATH, @uid=N or @child");
	const char *name = pool_strndup(p, s, (size_t)(at - s));
	ret->kind = NOTIFY_SIGNAL;
	if (!notify_signal(name, &ret->signal))
		return bad_signal(name, e);
	return parse_target(p, at + 1, ret, e);
}

static bool parse_http(struct pool *p, const char *s, struct conf_notify *ret,
		       struct err *e)
{
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s);
	const char *text = pool_strndup(p, s, len);
	uint64_t port = 0;
	ret->kind = NOTIFY_HTTP;
	if (!str_uint64(text, &port, NULL) || port == 0 || port > 65535)
		return err_set(
			e, ERR_CONFIG, 0,
			"http wants a port of this pod and a path: http:8080/-/reload");
	ret->port = (unsigned)port;
	ret->path = pool_strdup(p, slash ? slash : "/");
	for (const char *c = ret->path; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '#')
			return err_set(
				e, ERR_CONFIG, 0,
				"the path of http may hold no blank, '#' or letter "
				"that needs escaping; write %%20 for a blank");
	return true;
}

static bool json_argv(struct pool *p, const char *s, const char *const **ret,
		      struct err *e)
{
	AUTO_JSON json_t *list = NULL;
	struct err why = ERR_INIT;
	size_t n;
	if (!json_parse(s, strlen(s), TEXT_MAX, JSON_PLAIN, &list, &why) ||
	    (n = json_array_size(list)) == 0 || n > ARGS_MAX)
		return err_set(e, ERR_CONFIG, 0,
			       "command wants a JSON list of strings: "
			       "command:[\"/bin/reload\", \"-q\"]");
	const char **argv = pool_alloc(p, (n + 1) * sizeof(*argv));
	for (size_t i = 0; i < n; i++) {
		const char *arg = json_string_value(json_array_get(list, i));
		if (!arg || strlen(arg) != json_string_length(json_array_get(list, i)) ||
		    (i == 0 && !*arg))
			return err_set(e, ERR_CONFIG, 0,
				       "command wants strings only, the program's first");
		argv[i] = pool_strdup(p, arg);
	}
	*ret = argv;
	return true;
}

static bool parse_command(struct pool *p, const char *s, struct conf_notify *ret,
			  struct err *e)
{
	ret->kind = NOTIFY_COMMAND;
	if (*s == '[')
		return json_argv(p, s, &ret->argv, e);
	char *words[WORDS_MAX];
	size_t n = 0;
	if (!notify_words(p, s, words, &n, e))
		return false;
	if (n == 0 || !words[0][0])
		return err_set(e, ERR_CONFIG, 0, "command wants a program");
	const char **argv = pool_alloc(p, (n + 1) * sizeof(*argv));
	for (size_t i = 0; i < n; i++)
		argv[i] = words[i];
	ret->argv = argv;
	return true;
}

static bool parse_one(struct pool *p, struct str text, struct conf_notify *ret,
		      struct err *e)
{
	const char *s = pool_strndup(p, text.p, text.len);
	*ret = (struct conf_notify){ .timeout_ms = TIMEOUT_MS, .uid = -1, .text = s };
	bool ok;
	if (str_starts(s, "signal:"))
		ok = parse_signal(p, s + 7, ret, e);
	else if (str_starts(s, "http:"))
		ok = parse_http(p, s + 5, ret, e);
	else if (str_starts(s, "restart@"))
		ok = parse_container(p, s + 8, ret, e);
	else if (str_starts(s, "command:"))
		ok = parse_command(p, s + 8, ret, e);
	else
		return err_set(e, ERR_CONFIG, 0, "'%.*s' is no notification; write %s",
			       (int)strcspn(s, " \t\n:="), s, forms);
	if (str_starts(s, "restart@")) {
		ret->kind = NOTIFY_RESTART;
		ret->signal = SIGTERM;
	}
	return ok;
}

// The text before the next comma that lies outside of brackets and quotes.
static bool next_item(struct str *rest, struct str *ret)
{
	if (rest->len == 0)
		return false;
	size_t i = 0;
	int depth = 0;
	char quote = '\0';
	for (; i < rest->len; i++) {
		char c = rest->p[i];
		if (quote) {
			if (c == '\\' && quote == '"' && i + 1 < rest->len)
				i++;
			else if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '[') {
			depth++;
		} else if (c == ']') {
			depth--;
		} else if (c == ',' && depth <= 0) {
			break;
		}
	}
	*ret = str_trim((struct str){ rest->p, i });
	size_t taken = i < rest->len ? i + 1 : i;
	rest->p += taken;
	rest->len -= taken;
	return true;
}

bool notify_add(struct pool *p, const char *text, struct conf_notify **list,
		size_t *n_list, struct err *e)
{
	struct str rest = str_of(text), item;
	if (rest.len > TEXT_MAX)
		return err_set(e, ERR_LIMIT, 0, "longer than %d bytes", TEXT_MAX);
	if (str_trim(rest).len == 0)
		return err_set(e, ERR_CONFIG, 0, "an empty notification; write %s",
			       forms);
	while (next_item(&rest, &item)) {
		struct conf_notify one;
		if (item.len == 0)
			return err_set(e, ERR_CONFIG, 0,
				       "an empty notification between commas");
		if (*n_list >= LIST_MAX)
			return err_set(e, ERR_LIMIT, 0, "more than %d notifications",
				       LIST_MAX);
		if (!parse_one(p, item, &one, e))
			return false;
		*list = pool_append(p, *list, n_list, sizeof(**list));
		(*list)[*n_list - 1] = one;
	}
	return true;
}

// --- for callers without a pool: each string is an allocation of its own

static char **copy_argv(const char *const *argv)
{
	size_t n = 0;
	while (argv[n])
		n++;
	char **copy = mem_calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(argv[i]);
	return copy;
}

bool conf_notify_parse(const char *text, struct conf_notify *ret, struct err *e)
{
	AUTO_POOL struct pool p = { 0 };
	struct conf_notify *list = NULL;
	size_t n = 0;
	if (!notify_add(&p, text, &list, &n, e))
		return false;
	if (n != 1)
		return err_set(e, ERR_CONFIG, 0, "one notification is wanted, not %zu",
			       n);
	*ret = list[0];
	ret->name = mem_strdup(ret->name);
	ret->path = mem_strdup(ret->path);
	ret->text = mem_strdup(ret->text);
	ret->argv = ret->argv ? (const char *const *)copy_argv(ret->argv) : NULL;
	return true;
}

static void free_const(const void *p)
{
	mem_free((void *)(uintptr_t)p);
}

void conf_notify_release(struct conf_notify *n)
{
	for (size_t i = 0; n->argv && n->argv[i]; i++)
		free_const(n->argv[i]);
	free_const(n->argv);
	free_const(n->name);
	free_const(n->path);
	free_const(n->text);
	*n = (struct conf_notify){ 0 };
}
