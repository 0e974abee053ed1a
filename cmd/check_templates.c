// SPDX-License-Identifier: Apache-2.0
// Parses what the agent would parse, with the same delimiters.
#include "cmd/check_templates.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "templates/template.h"

enum { TEMPLATE_MAX = 1 << 20 };

static bool parse(const char *text, size_t len, const struct tmpl_opts *opts,
		  struct err *e)
{
	struct tmpl *t = NULL;
	bool ok = tmpl_parse(text, len, opts, &t, e);
	tmpl_free(t);
	return ok;
}

static bool check_one(const struct conf_template *t, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(TEMPLATE_MAX);
	const struct tmpl_opts opts = { .name = t->source ? t->source : t->name,
					.left_delim = t->left_delimiter,
					.right_delim = t->right_delimiter };
	if (t->stock)
		return tmpl_stock(t->stock) ||
		       err_set(e, ERR_CONFIG, 0, "there is no stock template '%s'",
			       t->stock);
	if (t->source && access(t->source, R_OK) != 0)
		return true;
	if (t->source ? !file_read(t->source, &text, e)
		      : t->contents && !buf_puts(&text, t->contents))
		return err_set(e, ERR_LIMIT, 0, "longer than 1 MiB");
	return parse(buf_str(&text), text.len, &opts, e);
}

static unsigned check_list(const char *path, const struct conf_template *list, size_t n,
			   conf_warn_fn *error, void *ctx)
{
	unsigned found = 0;
	for (size_t i = 0; i < n; i++) {
		struct err e = ERR_INIT;
		if (check_one(&list[i], &e))
			continue;
		err_wrap(&e, "%s: template '%s'", path, list[i].name);
		error(ctx, e.text);
		found++;
	}
	return found;
}

unsigned check_templates(const char *path, const struct conf *c, conf_warn_fn *error,
			 void *ctx)
{
	return check_list(path, c->templates, c->n_templates, error, ctx) +
	       check_list(path, c->variables, c->n_variables, error, ctx);
}

bool check_is_template(const char *path)
{
	return str_ends(path, ".tmpl") || str_ends(path, ".tpl") ||
	       str_ends(path, ".ctmpl");
}

bool check_template_file(const char *path, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(TEMPLATE_MAX);
	const struct tmpl_opts opts = { .name = path };
	return file_read(path, &text, e) && parse(buf_str(&text), text.len, &opts, e);
}
