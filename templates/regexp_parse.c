// SPDX-License-Identifier: Apache-2.0
// The syntax of regular expressions: recursive descent to a tree. Classes in brackets and
// escapes are in regexp_set.c.
#include <string.h>

#include "templates/regexp_set.h"
#include "templates/unicode.h"

bool regexp_fail(struct regexp_parse *p, const char *why)
{
	return err_set(p->e, ERR_CONFIG, 0, "regular expression, column %zu: %s",
		       p->pos + 1, why);
}

static struct regexp_node *node(struct regexp_parse *p, enum regexp_kind kind)
{
	struct regexp_node *n = arena_alloc(p->re->arena, sizeof(*n));
	n->kind = kind;
	return n;
}

static void add_sub(struct regexp_parse *p, struct regexp_node *n,
		    struct regexp_node *sub)
{
	if (n->n == n->cap) {
		n->cap = n->cap ? n->cap * 2 : 4;
		n->subs = arena_grow(p->re->arena, n->subs, n->n, n->cap,
				     sizeof(struct regexp_node *));
	}
	n->subs[n->n++] = sub;
}

static struct regexp_node *class_node(struct regexp_parse *p, struct regexp_class *c)
{
	struct regexp_node *n = node(p, RE_CLASS);
	class_clean(c);
	n->class = c;
	return n;
}

static struct regexp_node *rune_node(struct regexp_parse *p, uint32_t r)
{
	if (p->flags & RE_FOLD && unicode_fold(r) != r) {
		struct regexp_class *c = arena_alloc(p->re->arena, sizeof(*c));
		class_add_folded(p->re->arena, c, r, r);
		return class_node(p, c);
	}
	struct regexp_node *n = node(p, RE_RUNE);
	n->rune = r;
	return n;
}

static struct regexp_node *assert_node(struct regexp_parse *p, enum regexp_assert kind)
{
	struct regexp_node *n = node(p, RE_ASSERT);
	n->assert = kind;
	return n;
}

static bool more(const struct regexp_parse *p)
{
	return p->pos < p->expr.len;
}

static bool looking_at(const struct regexp_parse *p, const char *s)
{
	size_t n = strlen(s);
	return n <= p->expr.len - p->pos && memcmp(p->expr.p + p->pos, s, n) == 0;
}

static bool alternation(struct regexp_parse *p, struct regexp_node **ret);

static bool name_ok(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		if (c != '_' && !(c >= '0' && c <= '9') &&
		    !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			return false;
	}
	return name.len > 0;
}

static bool group_name(struct regexp_parse *p, struct str *ret)
{
	p->pos += looking_at(p, "(?P<") ? 4 : 3;
	const char *start = p->expr.p + p->pos;
	const char *end = memchr(start, '>', p->expr.len - p->pos);
	if (!end)
		return regexp_fail(p, "the name of the group is not closed");
	*ret = (struct str){ start, (size_t)(end - start) };
	if (!name_ok(*ret))
		return regexp_fail(p, "invalid name of a group");
	p->pos += ret->len + 1;
	return true;
}

// "(?flags)" sets them to the end of the group, "(?flags:" for the group that it opens.
static bool flag_group(struct regexp_parse *p, bool *ret_opens)
{
	unsigned flags = p->flags;
	bool minus = false, any = false;
	for (p->pos += 2; more(p); p->pos++) {
		unsigned flag = 0;
		switch (p->expr.p[p->pos]) {
		case 'i':
			flag = RE_FOLD;
			break;
		case 'm':
			flag = RE_MULTILINE;
			break;
		case 's':
			flag = RE_DOT_NL;
			break;
		case 'U':
			flag = RE_UNGREEDY;
			break;
		case '-':
			if (minus)
				return regexp_fail(p, "invalid flags");
			minus = true;
			any = false;
			continue;
		case ':':
		case ')':
			if (minus && !any)
				return regexp_fail(p, "invalid flags");
			*ret_opens = p->expr.p[p->pos++] == ':';
			p->flags = flags;
			return true;
		default:
			return regexp_fail(p, "this kind of group is not supported");
		}
		any = true;
		flags = minus ? flags & ~flag : flags | flag;
	}
	return regexp_fail(p, "a parenthesis is not closed");
}

static bool close_group(struct regexp_parse *p, unsigned flags)
{
	if (!more(p) || p->expr.p[p->pos] != ')')
		return regexp_fail(p, "a parenthesis is not closed");
	p->pos++;
	p->flags = flags;
	p->depth--;
	return true;
}

static bool capture(struct regexp_parse *p, struct regexp_node **ret)
{
	unsigned flags = p->flags;
	struct str name = { "", 0 };
	if (looking_at(p, "(?P<") || looking_at(p, "(?<")) {
		if (!group_name(p, &name))
			return false;
	} else {
		p->pos++;
	}
	struct regexp *re = p->re;
	struct regexp_node *n = node(p, RE_GROUP), *sub = NULL;
	re->names = arena_grow(re->arena, re->names, re->groups, re->groups + 1,
			       sizeof(*re->names));
	n->group = re->groups++;
	re->names[n->group] = name;
	if (!alternation(p, &sub))
		return false;
	add_sub(p, n, sub);
	*ret = n;
	return close_group(p, flags);
}

static bool group(struct regexp_parse *p, struct regexp_node **ret)
{
	unsigned flags = p->flags;
	bool opens = false;
	if (++p->depth > REGEXP_DEPTH_MAX)
		return regexp_fail(p, "nested too deep");
	if (!looking_at(p, "(?") || looking_at(p, "(?P<") || looking_at(p, "(?<"))
		return capture(p, ret);
	if (looking_at(p, "(?P"))
		return regexp_fail(p, "invalid name of a group");
	if (!flag_group(p, &opens))
		return false;
	if (!opens) {
		p->depth--;
		*ret = NULL; // sets flags only
		return true;
	}
	return alternation(p, ret) && close_group(p, flags);
}

// An escape outside of brackets.
static bool escape(struct regexp_parse *p, struct regexp_node **ret)
{
	static const char asserts[] = "AbBz";
	static const enum regexp_assert kinds[] = { ASSERT_TEXT_START, ASSERT_WORD,
						    ASSERT_NOT_WORD, ASSERT_TEXT_END };
	char c = p->pos + 1 < p->expr.len ? p->expr.p[p->pos + 1] : 0;
	const char *hit = c ? strchr(asserts, c) : NULL;
	if (hit) {
		p->pos += 2;
		*ret = assert_node(p, kinds[hit - asserts]);
		return true;
	}
	struct regexp_class *set = arena_alloc(p->re->arena, sizeof(*set));
	bool found = false;
	if (!regexp_class_escape(p, set, &found))
		return false;
	if (found) {
		*ret = class_node(p, set);
		return true;
	}
	uint32_t r = 0;
	if (!regexp_escape(p, &r))
		return false;
	*ret = rune_node(p, r);
	return true;
}

// One item; *ret is NULL where only flags changed.
static bool atom(struct regexp_parse *p, struct regexp_node **ret)
{
	size_t width = 0;
	bool lines = p->flags & RE_MULTILINE;
	switch (p->expr.p[p->pos]) {
	case '(':
		return group(p, ret);
	case '[':
		return regexp_brackets(p, ret);
	case '\\':
		return escape(p, ret);
	case '.':
		*ret = node(p, p->flags & RE_DOT_NL ? RE_ANY : RE_ANY_NOT_NL);
		p->pos++;
		return true;
	case '^':
		*ret = assert_node(p, lines ? ASSERT_LINE_START : ASSERT_TEXT_START);
		p->pos++;
		return true;
	case '$':
		*ret = assert_node(p, lines ? ASSERT_LINE_END : ASSERT_TEXT_END);
		p->pos++;
		return true;
	default:
		break;
	}
	*ret = rune_node(p,
			 rune_decode(p->expr.p + p->pos, p->expr.len - p->pos, &width));
	p->pos += width;
	return true;
}

static bool bound(struct regexp_parse *p, size_t *i, int *ret)
{
	size_t start = *i;
	long n = 0;
	for (; *i < p->expr.len && p->expr.p[*i] >= '0' && p->expr.p[*i] <= '9'; (*i)++)
		n = n < 100000 ? n * 10 + (p->expr.p[*i] - '0') : n;
	*ret = (int)n;
	// "007" is no bound
	return *i > start && !(p->expr.p[start] == '0' && *i > start + 1);
}

// "{n}", "{n,}", "{n,m}"; false when it is something else, which is literal text then.
static bool bounds(struct regexp_parse *p, int *ret_min, int *ret_max)
{
	size_t i = p->pos + 1;
	if (!bound(p, &i, ret_min) || i >= p->expr.len)
		return false;
	*ret_max = *ret_min;
	if (p->expr.p[i] == ',') {
		i++;
		if (i < p->expr.len && p->expr.p[i] == '}')
			*ret_max = -1;
		else if (!bound(p, &i, ret_max))
			return false;
	}
	if (i >= p->expr.len || p->expr.p[i] != '}')
		return false;
	p->pos = i + 1;
	return true;
}

static bool repeat_op(struct regexp_parse *p, int *ret_min, int *ret_max)
{
	char c = more(p) ? p->expr.p[p->pos] : 0;
	*ret_max = -1;
	if (c == '{')
		return bounds(p, ret_min, ret_max);
	if (c != '*' && c != '+' && c != '?')
		return false;
	*ret_min = c == '+';
	*ret_max = c == '?' ? 1 : -1;
	p->pos++;
	return true;
}

// Whether nested counts multiply to no more than the limit.
static bool counts_ok(const struct regexp_node *n, int limit)
{
	if (n->kind == RE_REPEAT && (n->min >= 2 || n->max >= 2)) {
		int m = n->max >= 0 ? n->max : n->min;
		if (m > limit)
			return false;
		if (m > 0)
			limit /= m;
	}
	for (size_t i = 0; i < n->n; i++)
		if (!counts_ok(n->subs[i], limit))
			return false;
	return true;
}

// A repetition of the last item, which has just been read.
static bool repetition(struct regexp_parse *p, struct regexp_node *all, int min, int max,
		       bool again)
{
	if (min > REGEXP_REPEAT_MAX || max > REGEXP_REPEAT_MAX || (max >= 0 && min > max))
		return regexp_fail(p, "invalid repeat count");
	struct regexp_node *n = node(p, RE_REPEAT);
	n->min = min;
	n->max = max;
	n->lazy = p->flags & RE_UNGREEDY;
	if (more(p) && p->expr.p[p->pos] == '?') {
		p->pos++;
		n->lazy = !n->lazy;
	}
	if (again)
		return regexp_fail(p, "a repetition of a repetition needs parentheses");
	if (all->n == 0)
		return regexp_fail(p, "nothing to repeat");
	add_sub(p, n, all->subs[all->n - 1]);
	all->subs[all->n - 1] = n;
	return counts_ok(n, REGEXP_REPEAT_MAX) ||
	       regexp_fail(p, "nested counts are too large");
}

// \Q…\E: each letter stands for itself.
static void quoted(struct regexp_parse *p, struct regexp_node *all)
{
	p->pos += 2;
	while (more(p) && !looking_at(p, "\\E")) {
		size_t width = 0;
		uint32_t r =
			rune_decode(p->expr.p + p->pos, p->expr.len - p->pos, &width);
		add_sub(p, all, rune_node(p, r));
		p->pos += width;
	}
	p->pos += more(p) ? 2 : 0;
}

static bool concatenation(struct regexp_parse *p, struct regexp_node **ret)
{
	struct regexp_node *all = node(p, RE_CONCAT);
	bool repeated = false;
	while (more(p) && p->expr.p[p->pos] != '|' && p->expr.p[p->pos] != ')') {
		struct regexp_node *n = NULL;
		int min = 0, max = 0;
		if (repeat_op(p, &min, &max)) {
			if (!repetition(p, all, min, max, repeated))
				return false;
			repeated = true;
			continue;
		}
		repeated = false;
		if (looking_at(p, "\\Q")) {
			quoted(p, all);
			continue;
		}
		if (!atom(p, &n))
			return false;
		if (n)
			add_sub(p, all, n);
	}
	*ret = all->n == 1 ? all->subs[0] : all;
	if (all->n == 0)
		(*ret)->kind = RE_EMPTY;
	return true;
}

static bool alternation(struct regexp_parse *p, struct regexp_node **ret)
{
	struct regexp_node *n = NULL;
	if (!concatenation(p, &n))
		return false;
	if (!more(p) || p->expr.p[p->pos] != '|') {
		*ret = n;
		return true;
	}
	struct regexp_node *all = node(p, RE_ALTERNATE);
	add_sub(p, all, n);
	while (more(p) && p->expr.p[p->pos] == '|') {
		p->pos++;
		if (!concatenation(p, &n))
			return false;
		add_sub(p, all, n);
	}
	*ret = all;
	return true;
}

bool regexp_parse(struct regexp *re, struct str expr, struct regexp_node **ret,
		  struct err *e)
{
	struct regexp_parse p = { .re = re, .expr = expr, .e = e };
	if (!str_valid_utf8(expr.p, expr.len))
		return regexp_fail(&p, "invalid UTF-8");
	re->groups = 1;
	re->names = arena_alloc(re->arena, sizeof(*re->names));
	if (!alternation(&p, ret))
		return false;
	return !more(&p) || regexp_fail(&p, "unexpected )");
}
