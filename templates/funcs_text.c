// SPDX-License-Identifier: Apache-2.0
// Strings. Arguments stand in the order that suits a pipeline: the text is the last.
#include <string.h>

#include "templates/funcs.h"
#include "templates/funcs_shared.h"
#include "templates/run.h"
#include "templates/text.h"
#include "templates/unicode.h"

static bool fn_split(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	struct str s = text_trim_space(val_text(&args[1]));
	*ret = val_list(s.len ? text_split(&r->arena, s, val_text(&args[0]), -1)
			      : list_new(&r->arena, LIST_STR, 0));
	return true;
}

static bool fn_split_map(struct run *r, const struct val *args, size_t n UNUSED,
			 struct val *ret)
{
	struct str s = text_trim_space(val_text(&args[2])), sep = val_text(&args[1]);
	struct map *m = map_new(&r->arena, MAP_STR);
	*ret = val_map(m);
	if (!s.len)
		return true;
	struct list *parts = text_split(&r->arena, s, val_text(&args[0]), -1);
	for (size_t i = 0; i < parts->n; i++) {
		struct str p = val_text(&parts->items[i]);
		size_t at = text_find(p, sep);
		if (at == SIZE_MAX)
			continue;
		map_set(&r->arena, m, val_str(p.p, at),
			val_str(p.p + at + sep.len, p.len - at - sep.len));
	}
	return true;
}

static bool fn_join(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	for (size_t i = 0; i < list_len(args[1].list); i++) {
		struct val item = list_at(&r->arena, args[1].list, i);
		if (i)
			buf_add(&out, args[0].s.p, args[0].s.len);
		buf_add(&out, item.s.p, item.s.len);
	}
	return run_take(r, &out, ret);
}

bool func_slice(struct str s, struct val *ret)
{
	*ret = val_str(s.p, s.len);
	return true;
}

bool fn_trim(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
	     struct val *ret)
{
	return func_slice(text_trim(val_text(&args[1]), val_text(&args[0]), true, true),
			  ret);
}

bool fn_trim_prefix(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct str s = val_text(&args[1]), cut = val_text(&args[0]);
	if (text_starts(s, cut))
		s = (struct str){ s.p + cut.len, s.len - cut.len };
	return func_slice(s, ret);
}

bool fn_trim_suffix(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct str s = val_text(&args[1]), cut = val_text(&args[0]);
	if (text_ends(s, cut))
		s.len -= cut.len;
	return func_slice(s, ret);
}

bool fn_trim_space(struct run *r UNUSED, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	return func_slice(text_trim_space(val_text(&args[0])), ret);
}

bool fn_replace(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	text_replace(&out, val_text(&args[2]), val_text(&args[0]), val_text(&args[1]),
		     -1);
	return run_take(r, &out, ret);
}

static bool mapped(struct run *r, const struct val *v, uint32_t (*map)(uint32_t),
		   struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	text_map(&out, val_text(v), map);
	return run_take(r, &out, ret);
}

bool fn_lower(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	return mapped(r, &args[0], unicode_lower, ret);
}

bool fn_upper(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	return mapped(r, &args[0], unicode_upper, ret);
}

static bool fn_title(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	text_title(&out, val_text(&args[0]));
	return run_take(r, &out, ret);
}

static bool fn_indent(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct str s = val_text(&args[1]);
	bool start = true;
	if (args[0].i < 0)
		return func_fail(r, "the number of blanks must not be negative");
	for (size_t i = 0; i < s.len && !buf_failed(&out); i++) {
		if (start && s.p[i] != '\n')
			for (int64_t k = 0; k < args[0].i && buf_putc(&out, ' '); k++)
				;
		buf_putc(&out, s.p[i]);
		start = s.p[i] == '\n';
	}
	return run_take(r, &out, ret);
}

bool regex_start(struct run *r, const struct val *expr, struct regex *ret)
{
	struct err e = ERR_INIT;
	if (!regexp_compile(&r->arena, val_text(expr), &ret->re, &e))
		return func_fail(r, "%s", e.text);
	ret->budget = (struct regexp_budget){ .left = (r->max_steps - r->steps) * 64 };
	return true;
}

bool regex_end(struct run *r, const struct regex *x)
{
	if (x->budget.failed)
		return func_fail_kind(r, ERR_LIMIT,
				      "the expression needs too many steps");
	return run_steps(r, (r->max_steps - r->steps) - x->budget.left / 64);
}

bool fn_regex_match(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct regex x;
	if (!regex_start(r, &args[0], &x))
		return false;
	*ret = val_bool(regexp_match(x.re, val_text(&args[1]), &x.budget));
	return regex_end(r, &x);
}

static bool fn_regex_replace(struct run *r, const struct val *args, size_t n UNUSED,
			     struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	struct regex x;
	if (!regex_start(r, &args[0], &x))
		return false;
	regexp_replace_all(x.re, val_text(&args[2]), val_text(&args[1]), &out, &x.budget);
	return regex_end(r, &x) && run_take(r, &out, ret);
}

const struct func funcs_text[] = {
	FUNC("split", "ss", fn_split, "parts of a text between separators",
	     "{{split \",\" \"a,b\"}}", "[a b]", 0),
	FUNC("splitToMap", "sss", fn_split_map, "a map of the parts, each split again",
	     "{{splitToMap \",\" \"=\" \"a=1,b=2\"}}", "map[a:1 b:2]", 0),
	FUNC("join", "st", fn_join, "the items of a list of strings with a separator",
	     "{{split \",\" \"a,b\" | join \"-\"}}", "a-b", 0),
	FUNC("trim", "ss", fn_trim, "takes letters of a set off both ends",
	     "{{\"--a--\" | trim \"-\"}}", "a", 0),
	FUNC("trimPrefix", "ss", fn_trim_prefix, "takes a prefix off",
	     "{{\"v1.2\" | trimPrefix \"v\"}}", "1.2", 0),
	FUNC("trimSuffix", "ss", fn_trim_suffix, "takes a suffix off",
	     "{{\"a.pem\" | trimSuffix \".pem\"}}", "a", 0),
	FUNC("trimSpace", "s", fn_trim_space, "takes white space off both ends",
	     "{{\" a \" | trimSpace}}", "a", 0),
	FUNC("replaceAll", "sss", fn_replace, "replaces each occurrence",
	     "{{\"a.b.c\" | replaceAll \".\" \"/\"}}", "a/b/c", 0),
	FUNC("regexReplaceAll", "sss", fn_regex_replace,
	     "replaces each match of an RE2 expression; $1 and ${name} are its groups",
	     "{{\"a1b22\" | regexReplaceAll \"[0-9]+\" \"#\"}}", "a#b#", 0),
	FUNC("regexMatch", "ss", fn_regex_match,
	     "whether an RE2 expression matches somewhere",
	     "{{\"foo.bar\" | regexMatch \"^foo\"}}", "true", 0),
	FUNC("toLower", "s", fn_lower, "lower case", "{{\"ÄB\" | toLower}}", "äb", 0),
	FUNC("toUpper", "s", fn_upper, "upper case", "{{\"äb\" | toUpper}}", "ÄB", 0),
	FUNC("toTitle", "s", fn_title, "first letters in title case",
	     "{{\"a bc\" | toTitle}}", "A Bc", 0),
	FUNC("indent", "ns", fn_indent, "blanks before each line that is not empty",
	     "{{indent 2 \"a\\nb\"}}", "  a\n  b", 0),
	{ .name = NULL },
};
