// SPDX-License-Identifier: Apache-2.0
// The words of a command line, as a shell splits them, without anything else that a shell
// would do: a line that wants more is refused.
#include <string.h>

#include "lib/conf/load.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool needs_shell(struct err *e)
{
	return err_set(
		e, ERR_CONFIG, 0,
		"this command needs a shell, which the agent's image has not: write "
		"notify = \"signal:HUP@CONTAINER\", or command = [\"/bin/sh\", \"-c\", "
		"\"…\"] where an image has one");
}

static bool take_quoted(const char **s, char *out, size_t *n, struct err *e)
{
	char quote = *(*s)++;
	for (; **s && **s != quote; (*s)++) {
		if (quote == '"' && (**s == '$' || **s == '`'))
			return needs_shell(e);
		if (quote == '"' && **s == '\\' && (*s)[1] && strchr("\\\"$`", (*s)[1]))
			(*s)++;
		out[(*n)++] = **s;
	}
	if (!**s)
		return err_set(e, ERR_CONFIG, 0, "a command with an open quote");
	(*s)++;
	return true;
}

static bool take_word(struct pool *p, const char **s, char **ret, struct err *e)
{
	char *out = pool_alloc(p, strlen(*s) + 1);
	size_t n = 0;
	while (**s && !is_blank(**s)) {
		if (**s == '"' || **s == '\'') {
			if (!take_quoted(s, out, &n, e))
				return false;
			continue;
		}
		if (strchr("$`;|&<>()*?[]{}!#~", **s))
			return needs_shell(e);
		if (**s == '\\' && (*s)[1])
			(*s)++;
		out[n++] = *(*s)++;
	}
	out[n] = '\0';
	*ret = out;
	return true;
}

bool notify_words(struct pool *p, const char *line, char **ret, size_t *ret_n,
		  struct err *e)
{
	size_t n = 0;
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line)
			break;
		if (n == WORDS_MAX)
			return err_set(e, ERR_LIMIT, 0, "a command of more than %d words",
				       WORDS_MAX);
		if (!take_word(p, &line, &ret[n++], e))
			return false;
	}
	*ret_n = n;
	return true;
}
