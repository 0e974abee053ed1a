// SPDX-License-Identifier: Apache-2.0
// The JSON half (RFC 8259, strict) into the same tree. lib/base/json.h reads the answers of
// stores; this reader exists because messages about a configuration need the line of a key.
#include <string.h>

#include "lib/base/json_letters.h"
#include "lib/base/str.h"
#include "lib/conf/hcl_int.h"

static char skip_blanks(struct cursor *c)
{
	for (; c->p < c->end; c->p++) {
		if (*c->p == '\n') {
			c->line++;
			c->line_start = c->p + 1;
		} else if (*c->p != ' ' && *c->p != '\t' && *c->p != '\r') {
			return *c->p;
		}
	}
	return '\0';
}

static bool wanted(struct cursor *c, const char *what)
{
	if (c->p >= c->end)
		return cursor_err(c, c->p,
				  "%s is wanted here, not the end of the document", what);
	return cursor_err(c, c->p, "%s is wanted here", what);
}

static bool is_digit(const struct cursor *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool is_at(const struct cursor *c, const char *letters)
{
	return c->p < c->end && strchr(letters, *c->p);
}

static bool read_number(struct cursor *c, struct node *n)
{
	const char *from = c->p;
	c->p += *c->p == '-';
	bool zero = is_at(c, "0");
	if (!is_digit(c))
		return wanted(c, "a digit");
	while (is_digit(c))
		c->p++;
	if (zero && c->p - from > 1 + (*from == '-'))
		return cursor_err(
			c, from,
			"a number with a leading 0; JSON knows no octal numbers, "
			"write a file mode as \"0640\"");
	if (is_at(c, ".")) {
		c->p++;
		if (!is_digit(c))
			return wanted(c, "a digit");
		while (is_digit(c))
			c->p++;
	}
	if (is_at(c, "eE")) {
		c->p++;
		if (is_at(c, "+-"))
			c->p++;
		if (!is_digit(c))
			return wanted(c, "a digit");
		while (is_digit(c))
			c->p++;
	}
	return cursor_number(c, from, n);
}

// \uXXXX, the second half of a pair included. c->p stands behind the 'u'.
static bool read_unicode(struct cursor *c, struct buf *to)
{
	uint32_t rune, low;
	if (!cursor_hex(c, 4, &rune))
		return false;
	if (rune >= 0xd800 && rune <= 0xdbff && c->end - c->p > 2 && c->p[0] == '\\' &&
	    c->p[1] == 'u') {
		c->p += 2;
		if (!cursor_hex(c, 4, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return cursor_err(c, c->p, "half of a surrogate pair");
		rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
	}
	return cursor_put_rune(c, to, rune);
}

static bool read_string(struct cursor *c, const char **ret)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	AUTO_BUF struct buf text = BUF_INIT(HCL_BYTES_MAX);
	const char *from = c->p++;
	size_t plain = json_letters(c->p, (size_t)(c->end - c->p), NULL);
	if (plain < (size_t)(c->end - c->p) && c->p[plain] == '"') { // as nearly all are
		*ret = pool_strndup(c->pool, c->p, plain);
		c->p += plain + 1;
		return true;
	}
	for (;;) {
		if (c->p >= c->end)
			return cursor_err(c, from, "a string without its closing quote");
		char ch = *c->p;
		if ((unsigned char)ch < ' ')
			return cursor_err(
				c, c->p,
				"a control letter in a string; write \\n for a new "
				"line");
		c->p++;
		if (ch == '"')
			break;
		if (ch != '\\') {
			buf_putc(&text, ch);
			continue;
		}
		char name = c->p < c->end ? *c->p : '\0';
		const char *known = name ? strchr(names, name) : NULL;
		if (!known && name != 'u')
			return cursor_err(c, c->p - 1, "an unknown escape in a string");
		c->p++;
		if (known)
			buf_putc(&text, values[known - names]);
		else if (!read_unicode(c, &text))
			return false;
	}
	*ret = pool_strndup(c->pool, buf_str(&text), text.len);
	return true;
}

static bool read_value(struct cursor *c, struct node **ret);

static bool read_member(struct cursor *c, struct node *to)
{
	const char *key;
	unsigned line = c->line, column = cursor_column(c, c->p);
	if (!is_at(c, "\""))
		return wanted(c, "a key in quotes");
	if (!read_string(c, &key))
		return false;
	if (skip_blanks(c) != ':')
		return wanted(c, "':'");
	c->p++;
	struct node *value = NULL;
	if (!read_value(c, &value))
		return false;
	value->key = key;
	value->line = line;
	value->column = column;
	node_add(to, value);
	return true;
}

// The inside of { } or [ ].
static bool read_inside(struct cursor *c, struct node *to)
{
	char close = to->kind == NODE_OBJECT ? '}' : ']';
	c->p++;
	if (!cursor_enter(c))
		return false;
	for (bool first = true;; first = false) {
		char ch = skip_blanks(c);
		if (ch == close && first)
			break;
		struct node *value = NULL;
		if (to->kind == NODE_OBJECT ? !read_member(c, to)
					    : !read_value(c, &value))
			return false;
		if (value)
			node_add(to, value);
		ch = skip_blanks(c);
		if (ch == close)
			break;
		if (ch != ',')
			return wanted(c, close == '}' ? "',' or '}'" : "',' or ']'");
		c->p++;
	}
	c->p++;
	cursor_leave(c);
	return true;
}

static bool take_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0)
		return false;
	c->p += len;
	return true;
}

static bool read_value(struct cursor *c, struct node **ret)
{
	char ch = skip_blanks(c);
	struct node *n = cursor_node(c, NODE_NULL, c->line, cursor_column(c, c->p));
	if (!n)
		return false;
	*ret = n;
	if (ch == '{' || ch == '[') {
		n->kind = ch == '{' ? NODE_OBJECT : NODE_LIST;
		return read_inside(c, n);
	}
	if (ch == '"') {
		n->kind = NODE_STRING;
		return read_string(c, &n->text);
	}
	if (ch == '-' || is_digit(c))
		return read_number(c, n);
	if (take_word(c, "null"))
		return true;
	n->kind = NODE_BOOL;
	n->truth = take_word(c, "true");
	return n->truth || take_word(c, "false") || wanted(c, "a value");
}

bool hcl_read_json(struct cursor *c, struct node **ret)
{
	if (!read_value(c, ret))
		return false;
	if (skip_blanks(c) != '\0' || c->p < c->end)
		return cursor_err(c, c->p, "more text behind the document's closing '}'");
	return true;
}
