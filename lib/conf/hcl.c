// SPDX-License-Identifier: Apache-2.0
// The door of the document readers: limits, letters, line ends; then HCL or JSON. Also the
// cursor that both share.
#include "lib/conf/hcl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/conf/hcl_int.h"

unsigned cursor_column(struct cursor *c, const char *at)
{
	if (!c->column_at || c->column_at < c->line_start || c->column_at > at) {
		c->column_at = c->line_start;
		c->column = 1;
	}
	for (; c->column_at < at; c->column_at++)
		c->column += ((unsigned char)*c->column_at & 0xc0) != 0x80;
	return c->column;
}

bool cursor_err(struct cursor *c, const char *at, const char *fmt, ...)
{
	char reason[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return err_set(c->e, ERR_CONFIG, 0, "%s:%u:%u: %s", c->file, c->line,
		       cursor_column(c, at), reason);
}

struct node *cursor_node(struct cursor *c, enum node_kind kind, unsigned line,
			 unsigned column)
{
	if (++c->nodes > HCL_NODES_MAX) {
		err_set(c->e, ERR_LIMIT, 0, "%s:%u:%u: more than %d keys and values",
			c->file, line, column, HCL_NODES_MAX);
		return NULL;
	}
	struct node *n = pool_alloc(c->pool, sizeof(*n));
	n->kind = kind;
	n->file = c->file;
	n->line = line;
	n->column = column;
	return n;
}

bool cursor_enter(struct cursor *c)
{
	if (++c->depth > HCL_DEPTH_MAX)
		return cursor_err(c, c->p, "nested deeper than %d levels", HCL_DEPTH_MAX);
	return true;
}

void cursor_leave(struct cursor *c)
{
	c->depth--;
}

bool cursor_hex(struct cursor *c, unsigned n, uint32_t *ret)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < n; i++, c->p++) {
		char d = c->p < c->end ? *c->p : '\0';
		if (d >= '0' && d <= '9')
			v = v << 4 | (uint32_t)(d - '0');
		else if ((d >= 'a' && d <= 'f') || (d >= 'A' && d <= 'F'))
			v = v << 4 | (uint32_t)((d | 0x20) - 'a' + 10);
		else
			return cursor_err(c, c->p,
					  "an escape wants %u hexadecimal digits", n);
	}
	*ret = v;
	return true;
}

bool cursor_put_rune(struct cursor *c, struct buf *to, uint32_t rune)
{
	if (rune == 0)
		return cursor_err(c, c->p, "a NUL letter in a string");
	if (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		return cursor_err(c, c->p, "an escape that names no Unicode letter");
	return buf_put_rune(to, rune);
}

bool cursor_number(struct cursor *c, const char *from, struct node *ret)
{
	ret->text = pool_strndup(c->pool, from, (size_t)(c->p - from));
	ret->kind = NODE_INT;
	if (strpbrk(ret->text, ".eE") == NULL &&
	    str_int64(ret->text, &ret->integer, NULL))
		return true;
	ret->kind = NODE_REAL;
	if (!str_double(ret->text, &ret->real, NULL))
		return cursor_err(c, from, "a number that is out of range");
	return true;
}

// The first byte that is no part of valid UTF-8 text, or NUL; `end` when all is well.
static const char *first_bad(const char *p, const char *end)
{
	size_t good = 0, len = (size_t)(end - p);
	const char *nul = memchr(p, '\0', len);
	if (nul)
		len = (size_t)(nul - p);
	if (str_valid_utf8(p, len))
		return p + len;
	for (size_t step = len; step > 0; step /= 2)
		while (good + step <= len && str_valid_utf8(p + good, step))
			good += step;
	// The search by halves may stop inside a good letter: go on one by one.
	for (size_t n = 1; n <= 4 && good + n <= len; n++)
		if (str_valid_utf8(p + good, n))
			good += n, n = 0;
	return p + good;
}

static bool check_letters(struct cursor *c)
{
	const char *bad = first_bad(c->p, c->end);
	if (bad == c->end)
		return true;
	for (const char *p = c->p; p < bad; p++)
		if (*p == '\n') {
			c->line++;
			c->line_start = p + 1;
		}
	return cursor_err(c, bad, *bad ? "the text is not valid UTF-8" : "a NUL byte");
}

// CRLF becomes LF, as the peer's reader has it; heredocs come out alike on both.
static char *unix_lines(struct pool *p, const char *text, size_t *len)
{
	char *copy = pool_strndup(p, text, *len);
	size_t n = 0;
	for (size_t i = 0; i < *len; i++)
		if (copy[i] != '\r' || i + 1 >= *len || copy[i + 1] != '\n')
			copy[n++] = copy[i];
	copy[n] = '\0';
	*len = n;
	return copy;
}

bool hcl_parse(struct pool *p, const char *file, const char *text, size_t len,
	       const struct node **ret, struct err *e)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct err ignored = ERR_INIT;
	if (len > HCL_BYTES_MAX)
		return err_set(e, ERR_LIMIT, 0, "%s: longer than %d bytes", file,
			       HCL_BYTES_MAX);
	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	const char *copy = unix_lines(p, text, &len);
	struct cursor c = {
		.pool = p,
		.file = pool_strdup(p, file),
		.p = copy,
		.end = copy + len,
		.line_start = copy,
		.line = 1,
		.e = e ? e : &ignored,
	};
	if (!check_letters(&c))
		return false;
	struct node *root = NULL;
	struct str rest = str_trim((struct str){ copy, len });
	bool json = rest.len > 0 && (rest.p[0] == '{' || rest.p[0] == '[');
	if (!(json ? hcl_read_json(&c, &root) : hcl_read_hcl(&c, &root)))
		return false;
	*ret = root;
	return true;
}
