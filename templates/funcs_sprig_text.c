// SPDX-License-Identifier: Apache-2.0
// sprig's strings.
#include <string.h>

#include "templates/convert.h"
#include "templates/format.h"
#include "templates/funcs.h"
#include "templates/funcs_shared.h"
#include "templates/run.h"
#include "templates/text.h"
#include "templates/unicode.h"

static bool quoted(struct run *r, const struct val *args, size_t n, bool single,
		   struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	bool first = true;
	for (size_t i = 0; i < n; i++) {
		struct str s;
		if (args[i].kind == VAL_NIL)
			continue;
		if (!convert_text(r, &args[i], &s))
			return false;
		if (!first)
			buf_putc(&out, ' ');
		first = false;
		if (!single) {
			format_quote(&out, s, '"', false);
			continue;
		}
		buf_putc(&out, '\'');
		buf_add(&out, s.p, s.len);
		buf_putc(&out, '\'');
	}
	return run_take(r, &out, ret);
}

static bool fn_quote(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return quoted(r, args, n, false, ret);
}

static bool fn_squote(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return quoted(r, args, n, true, ret);
}

// strings.Title: a letter behind what is no letter, digit, '_' or part of a word.
static bool first_letters(struct run *r, const struct val *v, uint32_t (*map)(uint32_t),
			  struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	char utf8[UTF8_MAX];
	bool start = true;
	for (size_t i = 0, width; i < v->s.len; i += width) {
		uint32_t c = rune_decode(v->s.p + i, v->s.len - i, &width);
		buf_add(&out, utf8, rune_encode(start ? map(c) : c, utf8));
		bool word = c == '_' || unicode_is_letter(c) || unicode_is_digit(c);
		start = c < 0x80 ? !word : !word && unicode_is_space(c);
	}
	return run_take(r, &out, ret);
}

static bool fn_title(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	return first_letters(r, &args[0], unicode_title, ret);
}

static bool fn_untitle(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	return first_letters(r, &args[0], unicode_lower, ret);
}

static bool fn_repeat(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	if (args[0].i < 0)
		return func_fail(r, "the count must not be negative");
	for (int64_t i = 0; i < args[0].i && args[1].s.len && !buf_failed(&out); i++)
		buf_add(&out, args[1].s.p, args[1].s.len);
	return run_take(r, &out, ret);
}

static bool fn_contains(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	*ret = val_bool(text_contains(val_text(&args[1]), val_text(&args[0])));
	return true;
}

static bool fn_has_prefix(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	*ret = val_bool(text_starts(val_text(&args[1]), val_text(&args[0])));
	return true;
}

static bool fn_has_suffix(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	*ret = val_bool(text_ends(val_text(&args[1]), val_text(&args[0])));
	return true;
}

static bool fn_trunc(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	struct str s = val_text(&args[1]);
	int64_t c = args[0].i;
	if (c < 0 && (int64_t)s.len + c > 0)
		s = (struct str){ s.p + s.len + c, (size_t)-c };
	else if (c >= 0 && (int64_t)s.len > c)
		s.len = (size_t)c;
	return func_slice(s, ret);
}

static bool fn_substr(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	struct str s = val_text(&args[2]);
	int64_t start = args[0].i, end = args[1].i, len = (int64_t)s.len;
	if (start < 0)
		start = 0;
	else if (end < 0 || end > len)
		end = len;
	if (start > end || end > len || end < 0)
		return func_fail(r, "the bounds are out of range");
	return func_slice((struct str){ s.p + start, (size_t)(end - start) }, ret);
}

static void pad(struct buf *out, int64_t n)
{
	while (n-- > 0 && buf_putc(out, ' '))
		;
}

static bool indented(struct run *r, const struct val *args, bool newline, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s = val_text(&args[1]);
	if (args[0].i < 0)
		return func_fail(r, "the number of blanks must not be negative");
	if (newline)
		buf_putc(&out, '\n');
	pad(&out, args[0].i);
	for (size_t i = 0; i < s.len && !buf_failed(&out); i++) {
		buf_putc(&out, s.p[i]);
		if (s.p[i] == '\n')
			pad(&out, args[0].i);
	}
	return run_take(r, &out, ret);
}

static bool fn_indent(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	return indented(r, args, false, ret);
}

static bool fn_nindent(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	return indented(r, args, true, ret);
}

static bool fn_nospace(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	for (size_t i = 0, width; i < args[0].s.len; i += width)
		if (!unicode_is_space(
			    rune_decode(args[0].s.p + i, args[0].s.len - i, &width)))
			buf_add(&out, args[0].s.p + i, width);
	return run_take(r, &out, ret);
}

static bool fn_cat(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	bool first = true;
	for (size_t i = 0; i < n; i++) {
		if (args[i].kind == VAL_NIL)
			continue;
		if (!first)
			buf_putc(&out, ' ');
		first = false;
		format_print(&out, &r->arena, &args[i], 1);
	}
	return run_take(r, &out, ret);
}

static bool fn_regex_find(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	struct regex x;
	if (!regex_start(r, &args[0], &x))
		return false;
	size_t *caps = arena_calloc(&r->arena, 2 * regexp_groups(x.re), sizeof(size_t));
	*ret = val_strz("");
	if (regexp_find(x.re, val_text(&args[1]), 0, caps, &x.budget))
		*ret = val_str(args[1].s.p + caps[0], caps[1] - caps[0]);
	return regex_end(r, &x);
}

static bool fn_regex_replace(struct run *r, const struct val *args, size_t n UNUSED,
			     struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct regex x;
	if (!regex_start(r, &args[0], &x))
		return false;
	regexp_replace_all(x.re, val_text(&args[1]), val_text(&args[2]), &out, &x.budget);
	return regex_end(r, &x) && run_take(r, &out, ret);
}

const struct func funcs_sprig_text[] = {
	FUNC("sprig_quote", "a*", fn_quote, "in double quotes with Go's escapes",
	     "{{sprig_quote \"a\" 1}}", "\"a\" \"1\"", 0),
	FUNC("sprig_squote", "a*", fn_squote, "in single quotes, without escapes",
	     "{{sprig_squote \"a\"}}", "'a'", 0),
	FUNC("sprig_upper", "s", fn_upper, "upper case", "{{sprig_upper \"a\"}}", "A", 0),
	FUNC("sprig_lower", "s", fn_lower, "lower case", "{{sprig_lower \"A\"}}", "a", 0),
	FUNC("sprig_title", "s", fn_title, "first letters in title case",
	     "{{sprig_title \"a b\"}}", "A B", 0),
	FUNC("sprig_untitle", "s", fn_untitle, "first letters in lower case",
	     "{{sprig_untitle \"A B\"}}", "a b", 0),
	FUNC("sprig_trim", "s", fn_trim_space, "takes white space off both ends",
	     "{{sprig_trim \" a \"}}", "a", 0),
	FUNC("sprig_trimAll", "ss", fn_trim, "takes letters of a set off both ends",
	     "{{sprig_trimAll \"$\" \"$5$\"}}", "5", 0),
	FUNC("sprig_trimPrefix", "ss", fn_trim_prefix, "takes a prefix off",
	     "{{sprig_trimPrefix \"-\" \"-a\"}}", "a", 0),
	FUNC("sprig_trimSuffix", "ss", fn_trim_suffix, "takes a suffix off",
	     "{{sprig_trimSuffix \"-\" \"a-\"}}", "a", 0),
	FUNC("sprig_replace", "sss", fn_replace, "replaces each occurrence",
	     "{{\"a b\" | sprig_replace \" \" \"-\"}}", "a-b", 0),
	FUNC("sprig_repeat", "ns", fn_repeat, "a text n times",
	     "{{sprig_repeat 3 \"ab\"}}", "ababab", 0),
	FUNC("sprig_contains", "ss", fn_contains,
	     "whether the second text holds the first",
	     "{{sprig_contains \"b\" \"abc\"}}", "true", 0),
	FUNC("sprig_hasPrefix", "ss", fn_has_prefix, "whether it begins with it",
	     "{{sprig_hasPrefix \"a\" \"abc\"}}", "true", 0),
	FUNC("sprig_hasSuffix", "ss", fn_has_suffix, "whether it ends with it",
	     "{{sprig_hasSuffix \"c\" \"abc\"}}", "true", 0),
	FUNC("sprig_trunc", "ns", fn_trunc, "the first n bytes, or the last when n < 0",
	     "{{sprig_trunc -2 \"abc\"}}", "bc", 0),
	FUNC("sprig_substr", "nns", fn_substr, "from a to below b",
	     "{{sprig_substr 1 3 \"abcd\"}}", "bc", 0),
	FUNC("sprig_indent", "ns", fn_indent, "blanks before each line",
	     "{{sprig_indent 2 \"a\\nb\"}}", "  a\n  b", 0),
	FUNC("sprig_nindent", "ns", fn_nindent, "the same behind a newline",
	     "{{sprig_nindent 2 \"a\"}}", "\n  a", 0),
	FUNC("sprig_nospace", "s", fn_nospace, "without white space",
	     "{{sprig_nospace \"a b\"}}", "ab", 0),
	FUNC("sprig_cat", "a*", fn_cat, "the texts with blanks between",
	     "{{sprig_cat \"a\" 1 true}}", "a 1 true", 0),
	FUNC("sprig_b64dec", "s", fn_b64dec, "bytes of base64",
	     "{{sprig_b64dec \"aGk=\"}}", "hi", 0),
	FUNC("sprig_regexMatch", "ss", fn_regex_match, "whether an expression matches",
	     "{{sprig_regexMatch \"^a+$\" \"aa\"}}", "true", 0),
	FUNC("sprig_regexFind", "ss", fn_regex_find, "the first match",
	     "{{sprig_regexFind \"[0-9]+\" \"a12b\"}}", "12", 0),
	FUNC("sprig_regexReplaceAll", "sss", fn_regex_replace, "replaces each match",
	     "{{sprig_regexReplaceAll \"a(x*)\" \"-axx-\" \"${1}W\"}}", "-xxW-", 0),
	{ .name = NULL },
};
