// SPDX-License-Identifier: Apache-2.0
// YAML scalars: the choice of a style, folding at column 80, escapes; and the order of keys.
#include <string.h>

#include "lib/base/codec.h"
#include "templates/emit_yaml_int.h"
#include "templates/unicode.h"
#include "templates/yaml.h"

enum { WIDTH = 80, BASE64_LINE = 70 };

static bool is_break(uint32_t r)
{
	return r == '\r' || r == '\n' || r == 0x85 || r == 0x2028 || r == 0x2029;
}

static bool is_printable(uint32_t r)
{
	return r == '\n' || (r >= 0x20 && r <= 0x7E) || (r >= 0xA0 && r <= 0xD7FF) ||
	       (r >= 0xE000 && r <= 0xFFFD && r != 0xFEFF);
}

static struct str base64(struct yaml_out *y, struct str s)
{
	AUTO_BUF struct buf text = BUF_INIT(y->out->max * 2);
	AUTO_BUF struct buf lines = BUF_INIT(y->out->max * 2);
	codec_b64_encode(s.p, s.len, B64_STD, &text);
	bool many = text.len / BASE64_LINE + 1 > 1;
	for (size_t i = 0; i < text.len; i += BASE64_LINE) {
		size_t n = text.len - i < BASE64_LINE ? text.len - i : BASE64_LINE;
		buf_add(&lines, text.data + i, n);
		if (many)
			buf_putc(&lines, '\n');
	}
	return (struct str){ arena_dup(y->a, buf_str(&lines), lines.len), lines.len };
}

void yaml_string(struct yaml_out *y, struct str s, struct yaml_scalar *ret)
{
	struct val v;
	bool plain = true;
	*ret = (struct yaml_scalar){ .text = s };
	if (!str_valid_utf8(s.p, s.len)) {
		ret->binary = true;
		ret->text = base64(y, s);
	} else {
		plain = yaml_resolve(s, &v) == YAML_STR && !yaml_is_base60(s);
	}
	if (memchr(ret->text.p, '\n', ret->text.len))
		ret->style = YAML_LITERAL;
	else
		ret->style = plain ? YAML_PLAIN : YAML_DOUBLE;
}

// Letters that have a meaning in block style.
static bool indicator(struct str s, size_t i, uint32_t r, bool before_blank,
		      bool after_blank)
{
	if (i == 0 && r < 0x80 && r && strchr("#,[]{}&*!|>'\"%@`", (int)r))
		return true;
	if (r == ':' || (i == 0 && (r == '?' || r == '-')))
		return after_blank;
	(void)s;
	return r == '#' && before_blank;
}

struct scan {
	bool indicators, breaks, special, leading, trailing_space, trailing, break_space,
		space_break;
};

static struct scan scan(struct str s)
{
	struct scan f = { .indicators = false };
	bool space = false, brk = false, blank = true;
	f.indicators =
		s.len >= 3 && (memcmp(s.p, "---", 3) == 0 || memcmp(s.p, "...", 3) == 0);
	for (size_t i = 0, width; i < s.len; i += width) {
		uint32_t r = rune_decode(s.p + i, s.len - i, &width);
		bool last = i + width >= s.len;
		bool next_blank = last || s.p[i + width] == ' ' || s.p[i + width] == '\t';
		f.indicators |= indicator(s, i, r, blank, next_blank);
		f.special |= !is_printable(r);
		if (r == ' ') {
			f.leading |= i == 0;
			f.trailing_space |= last;
			f.break_space |= brk;
		} else if (is_break(r)) {
			f.breaks = true;
			f.leading |= i == 0;
			f.trailing |= last;
			f.space_break |= space;
		}
		space = r == ' ';
		brk = is_break(r);
		blank = r == ' ' || r == '\t' || brk || r == 0;
	}
	return f;
}

static void analyze(struct yaml_scalar *s)
{
	struct scan f = scan(s->text);
	if (!s->text.len) {
		s->multiline = s->block_ok = false;
		s->plain_ok = s->single_ok = true;
		return;
	}
	s->multiline = f.breaks;
	s->plain_ok = !(f.leading || f.trailing_space || f.trailing || f.break_space ||
			f.space_break || f.special || f.breaks || f.indicators);
	s->single_ok = !(f.break_space || f.space_break || f.special);
	s->block_ok = !(f.trailing_space || f.space_break || f.special);
}

bool yaml_is_simple(struct yaml_scalar *s, size_t max)
{
	analyze(s);
	return !s->multiline && s->text.len + (s->binary ? strlen("!!binary") : 0) <= max;
}

static bool space_at(struct str s, size_t i)
{
	return i < s.len && s.p[i] == ' ';
}

static void write_break(struct yaml_out *y, const char *p, size_t width)
{
	if (width == 1 && *p == '\n') {
		yaml_break(y);
		return;
	}
	buf_add(y->out, p, width);
	y->column = 0;
}

// Plain and single-quoted: they differ in the quote and where a line may be folded.
static void write_flowing(struct yaml_out *y, struct str s, bool breaks_ok, bool quoted)
{
	bool spaces = false, breaks = false;
	for (size_t i = 0, width; i < s.len && !buf_failed(y->out); i += width) {
		uint32_t r = rune_decode(s.p + i, s.len - i, &width);
		if (r == ' ') {
			bool inside = !quoted || (i > 0 && i < s.len - 1);
			if (breaks_ok && !spaces && y->column > WIDTH && inside &&
			    !space_at(s, i + 1))
				yaml_indent(y);
			else
				yaml_put(y, ' ');
			spaces = true;
			continue;
		}
		if (is_break(r)) {
			if (!breaks && r == '\n')
				yaml_break(y);
			write_break(y, s.p + i, width);
			y->indention = true;
			breaks = true;
			continue;
		}
		if (breaks)
			yaml_indent(y);
		if (quoted && r == '\'')
			yaml_put(y, '\'');
		for (size_t k = 0; k < width; k++)
			yaml_put(y, s.p[i + k]);
		y->indention = false;
		spaces = breaks = false;
	}
}

static void write_escape(struct yaml_out *y, uint32_t r)
{
	static const struct {
		uint32_t rune;
		char letter;
	} escapes[] = {
		{ 0, '0' },    { 7, 'a' },      { 8, 'b' },      { '\t', 't' },
		{ '\n', 'n' }, { 0xB, 'v' },    { 0xC, 'f' },    { '\r', 'r' },
		{ 0x1B, 'e' }, { '"', '"' },    { '\\', '\\' },  { 0x85, 'N' },
		{ 0xA0, '_' }, { 0x2028, 'L' }, { 0x2029, 'P' },
	};
	yaml_put(y, '\\');
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
		if (escapes[i].rune == r) {
			yaml_put(y, escapes[i].letter);
			return;
		}
	AUTO_BUF struct buf hex = BUF_INIT(16);
	buf_printf(&hex, r <= 0xFF ? "x%02X" : r <= 0xFFFF ? "u%04X" : "U%08X", r);
	for (size_t i = 0; i < hex.len; i++)
		yaml_put(y, hex.data[i]);
}

static void write_double(struct yaml_out *y, struct str s, bool breaks_ok)
{
	bool spaces = false;
	bool bom = s.len >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0;
	for (size_t i = 0, width; i < s.len && !buf_failed(y->out); i += width) {
		uint32_t r = rune_decode(s.p + i, s.len - i, &width);
		if (!is_printable(r) || bom || is_break(r) || r == '"' || r == '\\') {
			write_escape(y, r);
			spaces = false;
		} else if (r == ' ') {
			if (breaks_ok && !spaces && y->column > WIDTH && i > 0 &&
			    i < s.len - 1) {
				yaml_indent(y);
				if (space_at(s, i + 1))
					yaml_put(y, '\\');
			} else {
				yaml_put(y, ' ');
			}
			spaces = true;
		} else {
			for (size_t k = 0; k < width; k++)
				yaml_put(y, s.p[i + k]);
			spaces = false;
		}
	}
}

// How the end of a literal is kept: "-" none, "+" all line ends, "" just one.
static const char *chomping(struct str s)
{
	size_t width = 0;
	if (!is_break(rune_decode_last(s.p, s.len, &width)))
		return "-";
	if (s.len == width || is_break(rune_decode_last(s.p, s.len - width, &width)))
		return "+";
	return "";
}

static void write_literal(struct yaml_out *y, struct str s)
{
	bool breaks = true;
	size_t first = 0;
	yaml_indicator(y, "|", true, false, false);
	uint32_t r = rune_decode(s.p, s.len, &first);
	if (r == ' ' || is_break(r))
		yaml_indicator(y, "2", false, false, false);
	yaml_indicator(y, chomping(s), false, false, false);
	yaml_break(y);
	y->indention = y->whitespace = true;
	for (size_t i = 0, width; i < s.len && !buf_failed(y->out); i += width) {
		r = rune_decode(s.p + i, s.len - i, &width);
		if (is_break(r)) {
			write_break(y, s.p + i, width);
			y->indention = breaks = true;
			continue;
		}
		if (breaks)
			yaml_indent(y);
		for (size_t k = 0; k < width; k++)
			yaml_put(y, s.p[i + k]);
		y->indention = breaks = false;
	}
}

static enum yaml_style choose(const struct yaml_scalar *s, bool key)
{
	enum yaml_style style = s->style;
	if (key && s->multiline)
		style = YAML_DOUBLE;
	if (style == YAML_PLAIN && (!s->plain_ok || (!s->text.len && key)))
		style = YAML_SINGLE;
	if (style == YAML_SINGLE && !s->single_ok)
		style = YAML_DOUBLE;
	if (style == YAML_LITERAL && (!s->block_ok || key))
		style = YAML_DOUBLE;
	return style;
}

// In a list or map a block scalar is indented deeper than what holds it.
void yaml_scalar(struct yaml_out *y, struct yaml_scalar *s, bool key)
{
	int outer = y->indent;
	analyze(s);
	enum yaml_style style = choose(s, key);
	if (s->binary)
		yaml_indicator(y, "!!binary", true, false, false);
	y->indent = y->indent < 0 ? 2 : y->indent + 2;
	switch (style) {
	case YAML_PLAIN:
		if (!y->whitespace)
			yaml_put(y, ' ');
		write_flowing(y, s->text, !key, false);
		y->whitespace = y->indention = false;
		break;
	case YAML_SINGLE:
		yaml_indicator(y, "'", true, false, false);
		write_flowing(y, s->text, !key, true);
		yaml_indicator(y, "'", false, false, false);
		y->whitespace = y->indention = false;
		break;
	case YAML_DOUBLE:
		yaml_indicator(y, "\"", true, false, false);
		write_double(y, s->text, !key);
		yaml_indicator(y, "\"", false, false, false);
		y->whitespace = y->indention = false;
		break;
	case YAML_LITERAL:
		write_literal(y, s->text);
		break;
	}
	y->indent = outer;
}

static bool key_number(const struct val *v, double *ret)
{
	*ret = v->kind == VAL_FLOAT ? v->f : v->kind == VAL_BOOL ? v->b : (double)v->i;
	return v->kind == VAL_INT || v->kind == VAL_FLOAT || v->kind == VAL_BOOL;
}

// The number that begins at *i, which moves behind it.
static int64_t digits(const uint32_t *r, size_t n, size_t *i, int64_t start)
{
	uint64_t value = (uint64_t)start;
	for (; *i < n && unicode_is_digit(r[*i]); (*i)++)
		value = value * 10 + (r[*i] - '0');
	return (int64_t)value;
}

static int differ(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, size_t i)
{
	bool la = unicode_is_letter(a[i]), lb = unicode_is_letter(b[i]);
	int64_t start = 0;
	if (la && lb)
		return a[i] < b[i] ? -1 : 1;
	if (la || lb)
		return lb ? -1 : 1;
	if (a[i] == '0' || b[i] == '0')
		for (size_t k = i; k > 0 && unicode_is_digit(a[k - 1]); k--)
			if (a[k - 1] != '0') {
				start = 1;
				break;
			}
	size_t ia = i, ib = i;
	int64_t an = digits(a, na, &ia, start), bn = digits(b, nb, &ib, start);
	if (an != bn)
		return an < bn ? -1 : 1;
	if (ia != ib)
		return ia < ib ? -1 : 1;
	return a[i] < b[i] ? -1 : 1;
}

enum { KEY_RUNES = 256 };

static size_t runes_of(const struct val *v, uint32_t *to)
{
	size_t n = 0;
	for (size_t i = 0, width; i < v->s.len && n < KEY_RUNES; i += width)
		to[n++] = rune_decode(v->s.p + i, v->s.len - i, &width);
	return n;
}

int yaml_key_order(const struct val *a, const struct val *b)
{
	double fa = 0, fb = 0;
	bool na = key_number(a, &fa), nb = key_number(b, &fb);
	if (na && nb)
		return fa < fb ? -1 : fa > fb ? 1 : (int)a->kind - (int)b->kind;
	if (!val_is_string(a) || !val_is_string(b))
		return val_compare_keys(a, b);
	uint32_t ra[KEY_RUNES], rb[KEY_RUNES];
	size_t la = runes_of(a, ra), lb = runes_of(b, rb);
	for (size_t i = 0; i < la && i < lb; i++)
		if (ra[i] != rb[i])
			return differ(ra, la, rb, lb, i);
	return la < lb ? -1 : la > lb ? 1 : val_compare_keys(a, b);
}
