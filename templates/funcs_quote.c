// SPDX-License-Identifier: Apache-2.0
// Quoting for other formats, so that a password with quotes, newlines, $ or # survives. They
// take any value: text as it is, everything else as JSON. A value that a format cannot hold
// is an error.
#include <string.h>

#include "lib/base/codec.h"
#include "templates/emit.h"
#include "templates/funcs.h"
#include "templates/run.h"
#include "templates/text.h"
#include "templates/unicode.h"

static bool text_of(struct run *r, const struct val *v, struct str *ret)
{
	struct err e = ERR_INIT;
	struct val text;
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	*ret = str_of("");
	if (v->kind == VAL_NIL || v->kind == VAL_NONE)
		return true;
	*ret = val_text(v);
	if (val_is_string(v))
		return true;
	if (!emit_json(&out, &r->arena, v, (struct emit_json){ .unescaped = true }, &e))
		return func_fail_kind(r, e.kind, "%s", e.text);
	if (!run_take(r, &out, &text))
		return false;
	*ret = val_text(&text);
	return true;
}

static bool no_control(struct run *r, struct str s, const char *format)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\0')
			return func_fail(r, "%s cannot hold a value with a line break",
					 format);
	return true;
}

static bool fn_text(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct str s;
	if (!text_of(r, &args[0], &s))
		return false;
	*ret = val_str(s.p, s.len);
	return true;
}

static bool fn_shell(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s;
	if (!text_of(r, &args[0], &s))
		return false;
	if (memchr(s.p, 0, s.len))
		return func_fail(r, "a shell variable cannot hold a NUL byte");
	buf_putc(&out, '\'');
	text_replace(&out, s, str_of("'"), str_of("'\\''"), -1);
	buf_putc(&out, '\'');
	return run_take(r, &out, ret);
}

static bool fn_dotenv(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s;
	if (!text_of(r, &args[0], &s))
		return false;
	buf_putc(&out, '\'');
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '\\' || s.p[i] == '\'')
			buf_putc(&out, '\\');
		buf_putc(&out, s.p[i]);
	}
	buf_putc(&out, '\'');
	return run_take(r, &out, ret);
}

static void java_unit(struct buf *out, uint32_t unit)
{
	buf_printf(out, "\\u%04X", unit);
}

static bool fn_properties(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	static const char letters[] = "\t\n\r\f", names[] = "tnrf";
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s;
	if (!text_of(r, &args[0], &s))
		return false;
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t c = rune_decode(s.p + i, s.len - i, &width);
		const char *hit = c && c < 0x80 ? strchr(letters, (int)c) : NULL;
		if (hit) {
			buf_printf(&out, "\\%c", names[hit - letters]);
		} else if (c < 0x80 && c && strchr("\\ :=#!", (int)c)) {
			buf_printf(&out, "\\%c", (char)c);
		} else if (c > 0xFFFF) {
			java_unit(&out, 0xD800 + ((c - 0x10000) >> 10));
			java_unit(&out, 0xDC00 + ((c - 0x10000) & 0x3FF));
		} else if (c < ' ' || c > '~') {
			java_unit(&out, c);
		} else {
			buf_putc(&out, (char)c);
		}
	}
	return run_take(r, &out, ret);
}

// Lines behind the first are indented; a line that would be a comment or lose blanks cannot
// be written.
static bool fn_ini(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s, rest, line;
	if (!text_of(r, &args[0], &s))
		return false;
	rest = s;
	for (bool first = true; first || rest.len; first = false) {
		const char *nl = memchr(rest.p, '\n', rest.len);
		line = (struct str){ rest.p, nl ? (size_t)(nl - rest.p) : rest.len };
		struct str bare = text_trim_space(line);
		bool bad = bare.len != line.len || memchr(line.p, '\r', line.len) ||
			   (!first && (!line.len || *line.p == '#' || *line.p == ';'));
		if (bad || (nl && nl + 1 == rest.p + rest.len))
			return func_fail(
				r,
				"INI cannot hold this value: a line begins or "
				"ends with a blank, is empty, or looks like a comment");
		if (!first)
			buf_puts(&out, "\n\t");
		text_replace(&out, line, str_of("%"), str_of("%%"), -1);
		size_t used = line.len + (nl != NULL);
		rest = (struct str){ rest.p + used, rest.len - used };
	}
	return run_take(r, &out, ret);
}

// MySQL's option files: in double quotes with backslash escapes.
static bool fn_mycnf(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	static const char special[] = "\b\t\n\r\\\"", letters[] = "btnr\\\"";
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s;
	if (!text_of(r, &args[0], &s))
		return false;
	buf_putc(&out, '"');
	for (size_t i = 0; i < s.len; i++) {
		const char *hit = s.p[i] ? strchr(special, s.p[i]) : NULL;
		if (hit)
			buf_printf(&out, "\\%c", letters[hit - special]);
		else
			buf_putc(&out, s.p[i]);
	}
	buf_putc(&out, '"');
	return run_take(r, &out, ret);
}

static bool fn_pgpass(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s;
	if (!text_of(r, &args[0], &s) || !no_control(r, s, ".pgpass"))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == ':' || s.p[i] == '\\')
			buf_putc(&out, '\\');
		buf_putc(&out, s.p[i]);
	}
	return run_take(r, &out, ret);
}

static bool fn_url(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s;
	if (!text_of(r, &args[0], &s))
		return false;
	codec_url_escape(s.p, s.len, "", &out);
	return run_take(r, &out, ret);
}

static bool fn_line(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct str s;
	if (!text_of(r, &args[0], &s) || !no_control(r, s, "this format"))
		return false;
	*ret = val_str(s.p, s.len);
	return true;
}

static bool fn_name(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s = val_text(&args[0]);
	if (!s.len || (s.p[0] >= '0' && s.p[0] <= '9'))
		buf_putc(&out, '_');
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t c = rune_decode(s.p + i, s.len - i, &width);
		bool ok = c < 0x80 && (unicode_is_letter(c) || unicode_is_digit(c));
		buf_putc(&out, ok ? (char)c : '_');
	}
	return run_take(r, &out, ret);
}

const struct func funcs_quote[] = {
	FUNC("asText", "a", fn_text,
	     "text as it is, nil as \"\", any other value as JSON",
	     "{{sprig_list 1 2 | asText}}", "[1,2]", 0),
	FUNC("asLine", "a", fn_line, "the same; a line break is an error",
	     "{{asLine \"a\"}}", "a", 0),
	FUNC("asName", "s", fn_name, "a valid name of a variable: other letters become _",
	     "{{asName \"db-user\"}}", "db_user", 0),
	FUNC("quoteShell", "a", fn_shell, "in single quotes for a POSIX shell",
	     "{{quoteShell \"it's\"}}", "'it'\\''s'", 0),
	FUNC("quoteDotenv", "a", fn_dotenv, "in single quotes for .env files",
	     "{{quoteDotenv \"it's\"}}", "'it\\'s'", 0),
	FUNC("quoteProperties", "a", fn_properties,
	     "for a key or value of Java properties", "{{quoteProperties \"a=b\"}}",
	     "a\\=b", 0),
	FUNC("quoteIni", "a", fn_ini, "for a value of an INI file with interpolation",
	     "{{quoteIni \"5%\"}}", "5%%", 0),
	FUNC("quoteMyCnf", "a", fn_mycnf, "for a value of a MySQL option file",
	     "{{quoteMyCnf \"a#b\"}}", "\"a#b\"", 0),
	FUNC("quotePgpass", "a", fn_pgpass, "for a field of .pgpass",
	     "{{quotePgpass \"a:b\"}}", "a\\:b", 0),
	FUNC("quoteURL", "a", fn_url, "for a user, password or path segment of a URL",
	     "{{quoteURL \"p@ss/1\"}}", "p%40ss%2F1", 0),
	{ .name = NULL },
};
