// SPDX-License-Identifier: Apache-2.0
// The peer's `command`: a shell line or an argument vector, while the agent's image has no
// shell. kill, pkill and killall, which most of them are, become signals; a line of plain
// words becomes an argument vector; the rest stays ["/bin/sh", "-c", line] for an image that
// has a shell. design.md section 5.
#include <ctype.h>
#include <signal.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/load.h"

enum { TIMEOUT_MS = 30 * 1000 };

// --- kill and its relatives

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

struct killing {
	int signal;
	const char *operand;
	const char *pidfile;
	const char *user;
	bool too_much; // an option that has no equal here
};

static bool is_simple_name(const char *s)
{
	if (*s == '\0' || *s == '-')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-+:", *s))
			return false;
	return true;
}

// An absolute path that needs no quotes in the text form of a notification.
static bool is_simple_path(const char *s)
{
	if (*s != '/')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("/._-+:@", *s))
			return false;
	return true;
}

// A word that begins with '-': the option at words[*i] of kill, pkill or killall.
static void read_option(const char *const *words, size_t n, size_t *i, struct killing *k)
{
	const char *o = words[*i];
	const char *value = *i + 1 < n ? words[*i + 1] : "";
	bool takes = true;
	if (strcmp(o, "-s") == 0 || strcmp(o, "--signal") == 0)
		k->too_much |= !notify_signal(value, &k->signal);
	else if (str_starts(o, "--signal=") && notify_signal(o + 9, &k->signal))
		takes = false;
	else if (strcmp(o, "-F") == 0 || strcmp(o, "--pidfile") == 0)
		k->pidfile = value;
	else if (strcmp(o, "-u") == 0 || strcmp(o, "-U") == 0)
		k->user = value;
	else if (strcmp(o, "-x") == 0 || strcmp(o, "--exact") == 0 ||
		 strcmp(o, "-o") == 0 || strcmp(o, "-e") == 0 || strcmp(o, "-q") == 0 ||
		 strcmp(o, "--") == 0)
		takes = false;
	else if (notify_signal(o + 1, &k->signal))
		takes = false;
	else
		k->too_much = true;
	*i += takes;
}

static bool read_killing(const char *const *words, size_t n, struct killing *k)
{
	k->signal = SIGTERM;
	for (size_t i = 1; i < n; i++) {
		if (words[i][0] == '-' && words[i][1] != '\0')
			read_option(words, n, &i, k);
		else if (k->operand)
			k->too_much = true;
		else
			k->operand = words[i];
	}
	return !k->too_much;
}

static bool notify_from_words(struct pool *p, const char *const *words, size_t n,
			      struct conf_notify *ret)
{
	struct killing k = { 0 };
	if (n < 2)
		return false;
	const char *program = base_name(words[0]);
	bool by_name = strcmp(program, "pkill") == 0 || strcmp(program, "killall") == 0;
	if ((!by_name && strcmp(program, "kill") != 0) || !read_killing(words, n, &k))
		return false;
	*ret = (struct conf_notify){
		.kind = NOTIFY_SIGNAL,
		.signal = k.signal,
		.uid = -1,
		.timeout_ms = TIMEOUT_MS,
	};
	if (by_name && k.operand && !k.pidfile && !k.user && is_simple_name(k.operand)) {
		ret->target = TARGET_PROCESS;
		ret->name = pool_strdup(p, k.operand);
		return true;
	}
	if (by_name && k.pidfile && is_simple_path(k.pidfile) && !k.operand && !k.user) {
		ret->target = TARGET_PIDFILE;
		ret->name = pool_strdup(p, k.pidfile);
		return true;
	}
	ret->target = TARGET_UID;
	return by_name && k.user && !k.operand && !k.pidfile &&
	       str_int64(k.user, &ret->uid, NULL) && ret->uid >= 0;
}

// --- kill -HUP $(cat FILE), $(pidof NAME), $(pgrep NAME), and the same in `backquotes`

static struct str before(struct str s, const char *end)
{
	return (struct str){ s.p, (size_t)(end - s.p) };
}

static const char *find(struct str s, const char *text)
{
	return s.len ? memmem(s.p, s.len, text, strlen(text)) : NULL;
}

// Splits `kill -HUP "$(cat FILE)"` into what stands before and inside of the substitution, which
// must end the line.
static bool split_substitution(struct str line, struct str *ret_head,
			       struct str *ret_inside)
{
	const char *open = find(line, "$(");
	char close = open ? ')' : '`';
	size_t width = open ? 2 : 1;
	if (!open)
		open = find(line, "`");
	if (!open)
		return false;
	const char *end = line.p + line.len;
	struct str head = before(line, open);
	if (head.len && head.p[head.len - 1] == '"' && end[-1] == '"') {
		head.len--;
		end--;
	}
	if (end <= open + width || end[-1] != close)
		return false;
	*ret_head = str_trim(head);
	*ret_inside = (struct str){ open + width, (size_t)(end - 1 - open) - width };
	return true;
}

// cat FILE, pidof NAME, pgrep NAME.
static bool read_finder(struct pool *p, char *const *words, size_t n,
			struct conf_notify *ret)
{
	static const char *const harmless[] = { "-x", "-o", "-s" };
	const char *program = n ? base_name(words[0]) : "", *last = n ? words[n - 1] : "";
	if (strcmp(program, "cat") == 0) {
		ret->target = TARGET_PIDFILE;
		ret->name = pool_strdup(p, last);
		return n == 2 && is_simple_path(last);
	}
	bool plain = n == 2;
	for (size_t i = 0; n == 3 && i < ARRAY_LEN(harmless); i++)
		plain |= strcmp(words[1], harmless[i]) == 0;
	ret->target = TARGET_PROCESS;
	ret->name = pool_strdup(p, last);
	return plain && is_simple_name(last) &&
	       (strcmp(program, "pidof") == 0 || strcmp(program, "pgrep") == 0);
}

static bool kill_substituted(struct pool *p, struct str line, struct conf_notify *ret)
{
	char *outer[WORDS_MAX], *inner[WORDS_MAX];
	size_t n_outer = 0, n_inner = 0;
	struct str head, inside;
	struct killing k = { 0 };
	if (!split_substitution(line, &head, &inside) ||
	    !notify_words(p, pool_strndup(p, head.p, head.len), outer, &n_outer, NULL) ||
	    !notify_words(p, pool_strndup(p, inside.p, inside.len), inner, &n_inner,
			  NULL))
		return false;
	if (n_outer == 0 || strcmp(base_name(outer[0]), "kill") != 0 ||
	    !read_killing((const char *const *)outer, n_outer, &k) || k.operand ||
	    k.pidfile || k.user)
		return false;
	*ret = (struct conf_notify){
		.kind = NOTIFY_SIGNAL,
		.signal = k.signal,
		.uid = -1,
		.timeout_ms = TIMEOUT_MS,
	};
	return read_finder(p, inner, n_inner, ret);
}

// --- a whole line

// Takes off what only makes a failing kill look well: "|| true", "; exit 0", "2>/dev/null".
static struct str without_excuses(struct str s)
{
	static const char *const tails[] = {
		"true",       ":",           "exit 0",      ";",
		"||",         "&&",          "2>/dev/null", "2> /dev/null",
		">/dev/null", "> /dev/null", "2>&1",        "&>/dev/null"
	};
	for (size_t i = 0; i < ARRAY_LEN(tails);) {
		s = str_trim(s);
		size_t len = strlen(tails[i]);
		bool word = i < 3; // only behind a separator: "kill true" keeps its word
		if (s.len > len && memcmp(s.p + s.len - len, tails[i], len) == 0 &&
		    (!word || strchr("|;& ", s.p[s.len - len - 1])) &&
		    (!word || find(before(s, s.p + s.len - len), "||") ||
		     find(before(s, s.p + s.len - len), ";"))) {
			s.len -= len;
			i = 0;
			continue;
		}
		i++;
	}
	return str_trim(s);
}

static bool notify_from_line(struct pool *p, const char *line, struct conf_notify *ret)
{
	struct str s = without_excuses(str_of(line));
	char *words[WORDS_MAX];
	size_t n = 0;
	if (s.len == 0)
		return false;
	if (kill_substituted(p, s, ret))
		return true;
	return notify_words(p, pool_strndup(p, s.p, s.len), words, &n, NULL) &&
	       notify_from_words(p, (const char *const *)words, n, ret);
}

static bool is_shell(const char *program)
{
	static const char *const shells[] = { "sh", "bash", "ash", "dash" };
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (strcmp(base_name(program), shells[i]) == 0)
			return true;
	return false;
}

// The line of sh -c LINE, or NULL.
static const char *shell_line(const char *const *argv)
{
	if (!argv[0] || !argv[1] || !argv[2] || argv[3] || !is_shell(argv[0]))
		return NULL;
	bool c = strcmp(argv[1], "-c") == 0 || strcmp(argv[1], "-ec") == 0 ||
		 strcmp(argv[1], "-lc") == 0;
	return c ? argv[2] : NULL;
}

static const char *text_of(struct pool *p, const char *const *argv)
{
	AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 20);
	for (size_t i = 0; argv[i]; i++)
		buf_printf(&b, "%s%s", i ? " " : "", argv[i]);
	return pool_strndup(p, buf_str(&b), b.len);
}

// Borrowed words as a vector of the pool's.
static const char *const *vector(struct pool *p, const char *const *words, size_t n)
{
	const char **copy = pool_alloc(p, (n + 1) * sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = pool_strdup(p, words[i]);
	return copy;
}

// What is no signal stays a command: the vector as it is, a line of plain words as its words,
// any other line for a shell.
static const char *const *command_vector(struct pool *p, const char *const *argv,
					 size_t n)
{
	char *words[WORDS_MAX];
	size_t n_words = 0;
	if (n > 1 || !strpbrk(argv[0], " \t\n"))
		return vector(p, argv, n);
	if (notify_words(p, argv[0], words, &n_words, NULL) && n_words > 0 && words[0][0])
		return vector(p, (const char *const *)words, n_words);
	return vector(p, (const char *const[]){ "/bin/sh", "-c", argv[0] }, 3);
}

// The line that a shell would read: of sh -c LINE, as a vector or as one string; else a single
// string itself. NULL: there is none.
static const char *line_of(struct pool *p, const char *const *argv, size_t n)
{
	char *words[WORDS_MAX];
	size_t n_words = 0;
	if (n != 1)
		return shell_line(argv);
	if (!notify_words(p, argv[0], words, &n_words, NULL) || n_words != 3)
		return argv[0];
	const char *const single[] = { words[0], words[1], words[2], NULL };
	const char *line = shell_line(single);
	return line ? line : argv[0];
}

bool notify_add_command(struct pool *p, const char *const *argv,
			struct conf_notify **list, size_t *n_list, struct err *e)
{
	struct conf_notify one = { 0 };
	size_t n = 0;
	while (argv[n])
		n++;
	if (n == 0 || !argv[0][0])
		return err_set(e, ERR_CONFIG, 0, "an empty command");
	const char *line = line_of(p, argv, n);
	bool found = line ? notify_from_line(p, line, &one)
			  : n <= WORDS_MAX && notify_from_words(p, argv, n, &one);
	if (!found)
		one = (struct conf_notify){ .kind = NOTIFY_COMMAND,
					    .argv = command_vector(p, argv, n),
					    .uid = -1,
					    .timeout_ms = TIMEOUT_MS };
	one.text = text_of(p, argv);
	*list = pool_append(p, *list, n_list, sizeof(**list));
	(*list)[*n_list - 1] = one;
	return true;
}
