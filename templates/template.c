// SPDX-License-Identifier: Apache-2.0
// The face: parse once, run over the answers that are there.
#include "templates/template.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "templates/parse.h"
#include "templates/run.h"

enum {
	DEFAULT_STEPS = 1000000,
	DEFAULT_OUTPUT = 1024 * 1024,
	DEFAULT_MS = 2000,
	MEMORY_FACTOR = 16, // of the output's limit, for the values of a run
};

struct tmpl {
	struct tree tree;
	struct tmpl_opts opts;
	char *name;
};

bool tmpl_parse(const char *text, size_t len, const struct tmpl_opts *opts,
		struct tmpl **ret, struct err *e)
{
	struct tmpl *t = mem_alloc(sizeof(*t));
	t->opts = *opts;
	t->name = mem_strdup(opts->name ? opts->name : "template");
	struct parse_opts how = { t->name, opts->left_delim, opts->right_delim };
	if (!tree_parse(text, len, &how, &t->tree, e)) {
		tmpl_free(t);
		return false;
	}
	*ret = t;
	return true;
}

void tmpl_free(struct tmpl *t)
{
	if (!t)
		return;
	tree_release(&t->tree);
	mem_free(t->name);
	mem_free(t);
}

static bool write_files(const struct run *r, struct err *e)
{
	for (const struct run_write *w = r->writes; w; w = w->next)
		if (!r->source->write(r->source->ctx, &w->file, e))
			return err_wrap(e, "%s: writeToFile", r->name);
	return true;
}

static void set_limits(struct run *r, const struct tmpl_opts *o)
{
	unsigned ms = o->max_ms ? o->max_ms : DEFAULT_MS;
	r->max_steps = o->max_steps ? o->max_steps : DEFAULT_STEPS;
	r->max_output = o->max_output ? o->max_output : DEFAULT_OUTPUT;
	r->deadline_ms = clock_mono_ms() + ms;
	r->arena.max = r->max_output * MEMORY_FACTOR;
}

// Hands memory and content over; each keeps its own maximum.
static void lend(struct buf *to, struct buf *from)
{
	size_t to_max = to->max, from_max = from->max;
	*to = *from;
	to->max = to_max;
	to->failed = false;
	*from = (struct buf)BUF_INIT(from_max);
}

bool tmpl_run(const struct tmpl *t, const struct tmpl_source *source, const json_t *data,
	      struct buf *out, bool *ret_complete, struct err *e)
{
	struct err own = ERR_INIT;
	struct run r = { .tree = &t->tree, .name = t->name, .opts = &t->opts };
	r.source = source;
	r.e = &own;
	r.writes_end = &r.writes;
	set_limits(&r, &t->opts);
	AUTO_BUF struct buf text = BUF_INIT(r.max_output);
	bool lent = out->len == 0; // an empty buffer's memory serves, and no copy is made
	if (lent)
		lend(&text, out);
	r.out = &text;
	struct val dot = val_unwrap(val_json(&r.arena, data));
	bool ok = run_template(&r, &t->tree.defs[0], dot);
	*ret_complete = !r.wanted;
	// What was cut short for want of an answer is no error yet; a limit is one.
	if (!ok && r.wanted && own.kind != ERR_LIMIT)
		ok = true;
	else if (!ok && e && e->kind == ERR_NONE)
		*e = own;
	bool done = ok && *ret_complete;
	if (done)
		done = ok = write_files(&r, e);
	if (lent)
		lend(out, &text);
	if (done && lent ? out->len > out->max
			 : done && !buf_add(out, buf_str(&text), text.len))
		done = ok =
			err_set(e, ERR_LIMIT, 0, "%s: the output is too large", t->name);
	if (lent && !done)
		buf_reset(out);
	arena_release(&r.arena);
	return ok;
}
