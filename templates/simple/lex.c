// SPDX-License-Identifier: Apache-2.0
// The lexer: text until a left delimiter, then the words of an action.
#include "templates/simple/lex.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/mem.h"

struct lexer {
	const char *p, *end, *start;
	const char *left, *right;
	size_t n_left, n_right;
	const struct tmpl_opts *opts;
	struct token_list *out;
	bool trim_next;
	struct err *e;
};

static void place(const struct lexer *l, const char *at, unsigned *line, unsigned *col)
{
	*line = 1;
	const char *begin = l->start;
	for (const char *q = l->start; q < at; q++)
		if (*q == '\n') {
			++*line;
			begin = q + 1;
		}
	*col = (unsigned)(at - begin) + 1;
}

static bool fail(struct lexer *l, const char *at, const char *why)
{
	unsigned line, col;
	place(l, at, &line, &col);
	return err_set(l->e, ERR_CONFIG, 0, "%s:%u:%u: %s", l->opts->name, line, col,
		       why);
}

static struct token *add(struct lexer *l, enum tok type, const char *p, size_t len)
{
	struct token_list *o = l->out;
	if (o->n == o->cap) {
		o->cap = o->cap ? o->cap * 2 : 32;
		o->t = mem_realloc(o->t, o->cap * sizeof(*o->t));
	}
	struct token *t = &o->t[o->n++];
	*t = (struct token){ .type = type, .p = p, .len = len };
	place(l, p, &t->line, &t->col);
	t->space = p > l->start && isspace((unsigned char)p[-1]);
	return t;
}

static bool starts(const struct lexer *l, const char *what, size_t n)
{
	return (size_t)(l->end - l->p) >= n && memcmp(l->p, what, n) == 0;
}

static void add_text(struct lexer *l, const char *from, const char *to, bool trim_end)
{
	if (l->trim_next)
		while (from < to && strchr(" \t\r\n", *from))
			from++;
	if (trim_end)
		while (to > from && strchr(" \t\r\n", to[-1]))
			to--;
	l->trim_next = false;
	if (to > from)
		add(l, TOK_TEXT, from, (size_t)(to - from));
}

static bool unquote(struct lexer *l, struct token *t)
{
	struct buf b = BUF_INIT(1 << 20);
	bool raw = *t->p == '`';
	for (const char *p = t->p + 1; p < t->p + t->len - 1; p++) {
		static const char from[] = "ntr\\\"'", to[] = "\n\t\r\\\"'";
		const char *esc;
		if (raw || *p != '\\') {
			buf_putc(&b, *p);
		} else if ((esc = strchr(from, *++p)) && *p) {
			buf_putc(&b, to[esc - from]);
		} else {
			buf_release(&b);
			return fail(l, p, "unknown escape in a string");
		}
	}
	t->value = buf_take(&b, NULL);
	return true;
}

static bool quoted(struct lexer *l)
{
	char q = *l->p;
	const char *p = l->p + 1;
	while (p < l->end && *p != q) {
		if (q == '"' && *p == '\\')
			p++;
		if (q == '"' && *p == '\n')
			break;
		p++;
	}
	if (p >= l->end || *p != q)
		return fail(l, l->p, "unterminated quoted string");
	struct token *t = add(l, TOK_STRING, l->p, (size_t)(p + 1 - l->p));
	l->p = p + 1;
	return unquote(l, t);
}

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

static void word(struct lexer *l, enum tok type)
{
	const char *p = l->p + (type != TOK_WORD);
	while (p < l->end && word_char(*p))
		p++;
	if (type == TOK_FIELD && p == l->p + 1)
		type = TOK_DOT;
	add(l, type, l->p, (size_t)(p - l->p));
	l->p = p;
}

static void number(struct lexer *l)
{
	const char *p = l->p + 1;
	while (p < l->end && (word_char(*p) || *p == '.'))
		p++;
	add(l, TOK_NUMBER, l->p, (size_t)(p - l->p));
	l->p = p;
}

static bool one(struct lexer *l)
{
	static const struct {
		const char *text;
		enum tok type;
	} marks[] = { { ":=", TOK_DECLARE }, { "=", TOK_ASSIGN }, { "|", TOK_PIPE },
		      { "(", TOK_OPEN },     { ")", TOK_CLOSE },  { ",", TOK_COMMA } };
	char c = *l->p, next = l->p + 1 < l->end ? l->p[1] : '\0';
	if (c == '"' || c == '`')
		return quoted(l);
	if (c == '.')
		word(l, TOK_FIELD);
	else if (c == '$')
		word(l, TOK_VAR);
	else if (isdigit((unsigned char)c) || (c == '-' && isdigit((unsigned char)next)))
		number(l);
	else if (word_char(c))
		word(l, TOK_WORD);
	else {
		for (size_t i = 0; i < ARRAY_LEN(marks); i++)
			if (starts(l, marks[i].text, strlen(marks[i].text))) {
				add(l, marks[i].type, l->p, strlen(marks[i].text));
				l->p += strlen(marks[i].text);
				return true;
			}
		return fail(l, l->p, "unexpected character in an action");
	}
	return true;
}

static bool action(struct lexer *l)
{
	while (l->p < l->end) {
		if (*l->p == '-' && l->p > l->start && isspace((unsigned char)l->p[-1]) &&
		    (size_t)(l->end - l->p) > l->n_right &&
		    memcmp(l->p + 1, l->right, l->n_right) == 0) {
			l->trim_next = true;
			l->p++;
		}
		if (starts(l, l->right, l->n_right)) {
			add(l, TOK_RIGHT, l->p, l->n_right);
			l->p += l->n_right;
			return true;
		}
		if (isspace((unsigned char)*l->p)) {
			l->p++;
			continue;
		}
		if (!one(l))
			return false;
	}
	return fail(l, l->end, "unclosed action");
}

static bool comment(struct lexer *l, bool *ret)
{
	*ret = starts(l, "/*", 2);
	if (!*ret)
		return true;
	const char *p = l->p + 2;
	while (p + 1 < l->end && !(p[0] == '*' && p[1] == '/'))
		p++;
	const char *at = l->p;
	l->p = p + 2;
	if (l->p + 2 <= l->end && l->p[0] == ' ' && l->p[1] == '-') {
		l->p += 2;
		l->trim_next = true;
	}
	if (l->p > l->end || !starts(l, l->right, l->n_right))
		return fail(l, at, "comment ends before closing delimiter");
	l->p += l->n_right;
	return true;
}

bool lex(const char *text, size_t len, const struct tmpl_opts *opts,
	 struct token_list *ret, struct err *e)
{
	struct lexer l = { .p = text,
			   .end = text + len,
			   .start = text,
			   .opts = opts,
			   .out = ret,
			   .e = e,
			   .left = opts->left_delim ? opts->left_delim : "{{",
			   .right = opts->right_delim ? opts->right_delim : "}}" };
	l.n_left = strlen(l.left);
	l.n_right = strlen(l.right);
	const char *from = text;
	while (l.p < l.end) {
		if (!starts(&l, l.left, l.n_left)) {
			l.p++;
			continue;
		}
		const char *at = l.p;
		l.p += l.n_left;
		bool trim = l.end - l.p >= 2 && l.p[0] == '-' &&
			    isspace((unsigned char)l.p[1]);
		add_text(&l, from, at, trim);
		l.p += trim ? 2 : 0;
		bool was_comment;
		if (!comment(&l, &was_comment))
			return false;
		if (!was_comment) {
			add(&l, TOK_LEFT, at, l.n_left);
			if (!action(&l))
				return false;
		}
		from = l.p;
	}
	add_text(&l, from, l.end, false);
	add(&l, TOK_END, l.end, 0);
	return true;
}

void token_list_release(struct token_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		mem_free(l->t[i].value);
	mem_free(l->t);
	*l = (struct token_list){ 0 };
}
