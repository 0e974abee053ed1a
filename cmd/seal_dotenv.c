// SPDX-License-Identifier: Apache-2.0
// Reads dotenv files. What one tool takes and another does not is refused, with its line.
#include <string.h>

#include "cmd/seal_import.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

struct cursor {
	const char *p, *end;
	const char *name;
	unsigned line;
};

static bool fail(const struct cursor *c, const char *why, struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "%s line %u: %s", c->name, c->line, why);
}

static char peek(const struct cursor *c)
{
	return c->p < c->end ? *c->p : '\0';
}

static void skip_blanks(struct cursor *c)
{
	while (peek(c) == ' ' || peek(c) == '\t')
		c->p++;
}

static bool is_key_letter(char ch, bool first)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
	       (!first && ((ch >= '0' && ch <= '9') || ch == '.' || ch == '-'));
}

static bool read_key(struct cursor *c, struct buf *key, struct err *e)
{
	static const char export[] = "export ";
	size_t n = strlen(export);
	if ((size_t)(c->end - c->p) > n && memcmp(c->p, export, n) == 0)
		c->p += n;
	skip_blanks(c);
	while (is_key_letter(peek(c), key->len == 0) && buf_putc(key, peek(c)))
		c->p++;
	skip_blanks(c);
	if (key->len == 0 || peek(c) != '=')
		return fail(c, "not of the form KEY=VALUE", e);
	c->p++;
	skip_blanks(c);
	return true;
}

static bool read_escape(struct cursor *c, struct buf *to, struct err *e)
{
	static const char from[] = "nrt\"\\$", into[] = "\n\r\t\"\\$";
	const char *at = peek(c) ? strchr(from, peek(c)) : NULL;
	if (!at)
		return fail(
			c,
			"an escape other than \\n \\r \\t \\\" \\\\ \\$ in double quotes",
			e);
	c->p++;
	return buf_putc(to, into[at - from]) || fail(c, "a value that is too long", e);
}

// Up to the same quote, over line ends too.
static bool read_quoted(struct cursor *c, struct buf *to, struct err *e)
{
	char quote = *c->p++;
	for (; c->p < c->end && *c->p != quote;) {
		char ch = *c->p++;
		if (quote == '"' && ch == '$')
			return fail(
				c,
				"a variable inside double quotes: write \\$, or single "
				"quotes",
				e);
		if (quote == '"' && ch == '\\') {
			if (!read_escape(c, to, e))
				return false;
			continue;
		}
		c->line += ch == '\n';
		if (!buf_putc(to, ch))
			return fail(c, "a value that is too long", e);
	}
	if (c->p == c->end)
		return fail(c, "a quote that is not closed", e);
	c->p++;
	skip_blanks(c);
	char next = peek(c);
	return next == '\0' || next == '\n' || next == '\r' || next == '#' ||
	       fail(c, "text behind a quoted value", e);
}

// To the end of the line, or to a comment behind a blank.
static bool read_bare(struct cursor *c, struct buf *to, struct err *e)
{
	const char *from = c->p;
	while (c->p < c->end && *c->p != '\n' &&
	       !(*c->p == '#' && (c->p == from || c->p[-1] == ' ' || c->p[-1] == '\t')))
		c->p++;
	struct str text = str_trim((struct str){ from, (size_t)(c->p - from) });
	for (size_t i = 0; i < text.len; i++)
		if (strchr("\"'`$\\", text.p[i]))
			return fail(
				c,
				"a quote, $, ` or \\ inside a bare value: put it into "
				"single quotes",
				e);
	return buf_add(to, text.p, text.len) || fail(c, "a value that is too long", e);
}

static bool read_pair(struct cursor *c, json_t *to, struct err *e)
{
	AUTO_BUF struct buf key = BUF_INIT(256), value = BUF_INIT(SEALED_VALUE_MAX);
	if (!read_key(c, &key, e))
		return false;
	bool quoted = peek(c) == '"' || peek(c) == '\'';
	if (!(quoted ? read_quoted(c, &value, e) : read_bare(c, &value, e)))
		return false;
	if (json_object_get(to, buf_str(&key)))
		return fail(c, "a key that is there already", e);
	if (!str_valid_utf8(buf_str(&value), value.len))
		return fail(c, "a value that is not UTF-8", e);
	json_object_set_new(to, buf_str(&key), json_str(buf_str(&value), value.len));
	return true;
}

static void skip_line(struct cursor *c)
{
	while (c->p < c->end && *c->p != '\n')
		c->p++;
	c->p += c->p < c->end;
	c->line++;
}

bool seal_dotenv_parse(struct str text, const char *name, json_t **ret, struct err *e)
{
	struct cursor c = { text.p, text.p + text.len, name, 1 };
	AUTO_JSON json_t *all = json_object();
	if (memchr(text.p, '\0', text.len))
		return err_set(e, ERR_CONFIG, 0, "%s holds a NUL byte", name);
	while (c.p < c.end) {
		skip_blanks(&c);
		char first = peek(&c);
		bool empty =
			first == '\n' || first == '\r' || first == '#' || first == '\0';
		if (!empty && !read_pair(&c, all, e))
			return false;
		skip_line(&c);
	}
	*ret = TAKE(all);
	return true;
}
