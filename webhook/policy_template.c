// SPDX-License-Identifier: Apache-2.0
// A look at a template's text: which functions its actions call, and with which literal first
// argument. It does not parse the language (the agent does, and refuses there what a policy
// forbids): whatever it does not understand counts as computed.
#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"
#include "webhook/policy_int.h"

enum { OPTIONS_MAX = 16, NAME_MAX_LEN = 64 };

struct scan {
	struct pool *pool;
	const char *p, *end;
	template_word_fn *fn;
	void *ctx;
	const char *function; // the call whose arguments are being read
	bool first;           // its first argument is still to come
	struct template_word word;
};

static void flush(struct scan *s)
{
	if (s->function)
		s->fn(s->ctx, &s->word);
	s->function = NULL;
}

// A quoted text; its escapes are left as they are, so that one that hides something is not
// plain afterwards.
static const char *literal(struct scan *s)
{
	char quote = *s->p++;
	const char *from = s->p;
	while (s->p < s->end && *s->p != quote) {
		if (*s->p == '\\' && quote != '`' && s->p + 1 < s->end)
			s->p++;
		s->p++;
	}
	const char *text = pool_strndup(s->pool, from, (size_t)(s->p - from));
	s->p += s->p < s->end;
	return text;
}

static void argument(struct scan *s, const char *text)
{
	if (!s->function)
		return;
	if (s->first) {
		s->first = false;
		s->word.literal = text;
		return;
	}
	if (text && strchr(text, '=')) {
		struct template_word more = s->word;
		more.option = text;
		s->fn(s->ctx, &more);
	}
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool is_keyword(const char *name, size_t len)
{
	static const char *const words[] = { "if",       "else",     "end",   "range",
					     "with",     "define",   "block", "break",
					     "continue", "template", "nil",   "true",
					     "false" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i]) == len && memcmp(words[i], name, len) == 0)
			return true;
	return false;
}

// A name begins a call at the head of a pipeline or parenthesis; elsewhere it is an argument
// (a function without arguments), which is computed.
static void name(struct scan *s, bool head)
{
	const char *from = s->p;
	while (s->p < s->end && is_name(*s->p))
		s->p++;
	size_t len = (size_t)(s->p - from);
	if (is_keyword(from, len))
		return;
	if (!head)
		argument(s, NULL);
	else
		flush(s);
	const char *before = s->function;
	struct template_word keep = s->word;
	bool first = s->first;
	s->function =
		pool_strndup(s->pool, from, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
	s->word = (struct template_word){ .function = s->function };
	s->first = true;
	if (!head) { // told at once; the outer call goes on
		flush(s);
		s->function = before;
		s->word = keep;
		s->first = first;
	}
}

// .Field, $variable, a number: computed.
static void other(struct scan *s)
{
	s->p++;
	while (s->p < s->end && (is_name(*s->p) || *s->p == '.' || *s->p == '$'))
		s->p++;
	argument(s, NULL);
}

static bool begins_call(const struct scan *s, const char *action)
{
	const char *p = s->p;
	while (p > action &&
	       (p[-1] == ' ' || p[-1] == '\t' || p[-1] == '\n' || p[-1] == '\r'))
		p--;
	if (p == action || p[-1] == '(' || p[-1] == '|' || p[-1] == '=' || p[-1] == '-')
		return true;
	size_t len = 0;
	while (p - len > action && is_name(p[-1 - (ptrdiff_t)len]))
		len++;
	return len > 0 && (p - len == action || p[-1 - (ptrdiff_t)len] != '.') &&
	       is_keyword(p - len, len);
}

static void action(struct scan *s)
{
	const char *begin = s->p;
	while (s->p < s->end) {
		char c = *s->p;
		if (c == '"' || c == '`')
			argument(s, literal(s));
		else if (c == '\'') // a letter's number
			(void)literal(s), argument(s, NULL);
		else if (isalpha((unsigned char)c) || c == '_')
			name(s, begins_call(s, begin));
		else if (c == '.' || c == '$' || isdigit((unsigned char)c))
			other(s);
		else if (c == '(')
			argument(s, NULL), flush(s), s->p++;
		else
			s->p++;
	}
	flush(s);
}

// The end of an action that begins at p: the right delimiter outside of quotes.
static const char *action_end(const char *p, const char *right)
{
	size_t len = strlen(right);
	char quote = 0;
	for (; *p; p++) {
		if (quote && *p == '\\' && quote != '`' && p[1])
			p++;
		else if (quote)
			quote = *p == quote ? 0 : quote;
		else if (strncmp(p, right, len) == 0)
			return p;
		else if (*p == '"' || *p == '`' || *p == '\'')
			quote = *p;
	}
	return p;
}

// Behind the comment that an action is, or NULL: p begins no comment.
static const char *comment_end(const char *p)
{
	if (*p == '-' && p[1] && strchr(" \t\r\n", p[1]))
		p += 2;
	if (!str_starts(p, "/*"))
		return NULL;
	const char *end = strstr(p + 2, "*/");
	return end ? end + 2 : p + strlen(p);
}

void template_words(struct pool *pool, const char *text, const char *left,
		    const char *right, template_word_fn *fn, void *ctx)
{
	left = left && *left ? left : "{{";
	right = right && *right ? right : "}}";
	for (const char *p = text; (p = strstr(p, left));) {
		p += strlen(left);
		const char *end = comment_end(p);
		if (end) {
			p = end;
			continue;
		}
		end = action_end(p, right);
		struct scan s = {
			.pool = pool, .p = p, .end = end, .fn = fn, .ctx = ctx
		};
		action(&s);
		p = end;
	}
}
