// SPDX-License-Identifier: Apache-2.0
// spew_*: values for a look while a template is written. What they print is a secret like
// any other output; the two that print to the terminal in the peers print nothing here.
#include "templates/format.h"
#include "templates/funcs.h"
#include "templates/run.h"
#include "templates/text.h"

static void indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_putc(out, ' ');
}

static void dump(struct run *r, struct buf *out, const struct val *v, unsigned depth)
{
	enum { DEPTH_MAX = 100 };
	if (depth > DEPTH_MAX || buf_failed(out)) {
		out->failed = true;
		return;
	}
	if (v->kind == VAL_NONE || v->kind == VAL_NIL) {
		buf_puts(out, "(interface {}) <nil>\n");
		return;
	}
	buf_printf(out, "(%s) ", val_type(v));
	if (v->kind == VAL_MAP && v->map) {
		buf_printf(out, "(len=%zu) {\n", map_len(v->map));
		const struct entry *e = map_entries(&r->arena, v->map);
		for (size_t i = 0; i < map_len(v->map); i++) {
			indent(out, depth + 1);
			buf_printf(out, "(%s) (len=%zu) ", val_type(&e[i].key),
				   e[i].key.s.len);
			if (val_is_string(&e[i].key))
				format_quote(out, val_text(&e[i].key), '"', false);
			else
				format_action(out, &r->arena, &e[i].key);
			buf_puts(out, ": ");
			dump(r, out, &e[i].value, depth + 1);
		}
		indent(out, depth);
		buf_puts(out, "}\n");
	} else if (v->kind == VAL_LIST && v->list) {
		buf_printf(out, "(len=%zu cap=%zu) {\n", list_len(v->list), v->list->cap);
		for (size_t i = 0; i < list_len(v->list); i++) {
			struct val item = list_at(&r->arena, v->list, i);
			indent(out, depth + 1);
			dump(r, out, &item, depth + 1);
		}
		indent(out, depth);
		buf_puts(out, "}\n");
	} else if (val_is_string(v)) {
		buf_printf(out, "(len=%zu) ", v->s.len);
		format_quote(out, val_text(v), '"', false);
		buf_putc(out, '\n');
	} else {
		format_action(out, &r->arena, v);
		buf_putc(out, '\n');
	}
}

static bool fn_sdump(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	for (size_t i = 0; i < n; i++)
		dump(r, &out, &args[i], 0);
	return run_take(r, &out, ret);
}

static bool fn_sprintf(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	format_printf(&out, &r->arena, val_text(&args[0]), args + 1, n - 1);
	return run_take(r, &out, ret);
}

static bool fn_nothing(struct run *r UNUSED, const struct val *args UNUSED,
		       size_t n UNUSED, struct val *ret)
{
	*ret = val_strz("");
	return true;
}

const struct func funcs_debug[] = {
	FUNC("spew_sdump", "a*", fn_sdump, "types and values, a line each",
	     "{{spew_sdump 1}}", "(int) 1\n", 0),
	FUNC("spew_sprintf", "sa*", fn_sprintf, "as printf", "{{spew_sprintf \"%v\" 1}}",
	     "1", 0),
	FUNC("spew_dump", "a*", fn_nothing,
	     "prints nothing: a secret belongs on no terminal", "{{spew_dump 1}}", "", 0),
	FUNC("spew_printf", "sa*", fn_nothing, "prints nothing",
	     "{{spew_printf \"%v\" 1}}", "", 0),
	{ .name = NULL },
};
