// SPDX-License-Identifier: Apache-2.0
// ampoule render: one template over local data, offline, as design.md section 3 says.
#include "cmd/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "templates/template.h"

enum { INPUT_MAX = 16 << 20 };

static const char usage[] =
	"usage: ampoule render --template FILE [--data FILE.json] [--secrets FILE.json]\n"
	"                      [--missing-key zero|error] [--left-delim X --right-delim "
	"X]\n"
	"                      [--expect FILE] [--read-dir DIR] [--env]\n"
	"       ampoule render --stock NAME [--data FILE.json] …\n"
	"       ampoule render --functions\n"
	"\n"
	"Renders a template to standard output without any store. '.' is the data (nil\n"
	"without); secret \"p\" answers from the secrets file: {\"p\": {\"data\": "
	"{…}}}.\n"
	"secrets \"p\" lists what the file has under p/, unless it holds a list itself.\n"
	"\n"
	"  --expect FILE  compares with FILE: a difference is shown and ends with status "
	"1\n"
	"  --stock NAME   a ready-made template: env, dotenv, json, yaml, properties, …\n"
	"  --read-dir DIR lets `file` read below DIR\n"
	"  --env          lets `env` read the environment\n"
	"  --functions    prints all functions of the language, as Markdown\n";

struct request {
	const char *template, *stock, *data, *secrets, *expect;
	const char *read_dirs[2];
	struct tmpl_opts opts;
	bool functions;
	json_t *answers;
	json_t *made; // lists and files that were made for this run
};

static bool flag(const char *arg, struct request *r)
{
	if (strcmp(arg, "--functions") == 0)
		r->functions = true;
	else if (strcmp(arg, "--env") == 0)
		r->opts.grants.env = true;
	else
		return false;
	return true;
}

static bool parse(int argc, char **argv, struct request *r, struct err *e)
{
	const char *missing = NULL;
	const struct {
		const char *name;
		const char **to;
	} options[] = {
		{ "--template", &r->template },
		{ "--stock", &r->stock },
		{ "--data", &r->data },
		{ "--secrets", &r->secrets },
		{ "--expect", &r->expect },
		{ "--missing-key", &missing },
		{ "--left-delim", &r->opts.left_delim },
		{ "--right-delim", &r->opts.right_delim },
		{ "--read-dir", &r->read_dirs[0] },
	};
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
		if (flag(argv[i], r))
			continue;
		while (k < ARRAY_LEN(options) && strcmp(argv[i], options[k].name) != 0)
			k++;
		if (k == ARRAY_LEN(options) || i + 1 == argc)
			return err_set(
				e, ERR_CONFIG, 0,
				"'%s' is not understood; see ampoule render --help",
				argv[i]);
		*options[k].to = argv[++i];
	}
	if (missing && strcmp(missing, "zero") != 0 && strcmp(missing, "error") != 0)
		return err_set(e, ERR_CONFIG, 0, "--missing-key takes zero or error");
	r->opts.missing_key =
		missing && *missing == 'e' ? TMPL_MISSING_ERROR : TMPL_MISSING_ZERO;
	r->opts.grants.read_dirs = r->read_dirs;
	if (!r->functions && !r->template == !r->stock)
		return err_set(e, ERR_CONFIG, 0, "give --template FILE or --stock NAME");
	return true;
}

static bool load(const char *path, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(INPUT_MAX);
	if (!path)
		return true;
	if (!file_read(path, &b, e))
		return false;
	return json_parse(buf_str(&b), b.len, INPUT_MAX, JSON_KEEP_NUMBERS, ret, e) ||
	       err_wrap(e, "'%s'", path);
}

// Numbers of --data are floats, as a Go program gets them from its JSON decoder; those of
// the secrets keep their text, as in the agent.
static bool floats(const json_t *j, json_t **ret, struct err *e)
{
	const char *number = json_number_text(j);
	double f = 0;
	if (number) {
		if (!str_double(number, &f, e))
			return err_wrap(e, "a number of the data");
		*ret = json_real(f);
		return true;
	}
	if (json_is_object(j)) {
		json_t *from = (json_t *)(uintptr_t)j;
		*ret = json_object();
		for (void *it = json_object_iter(from); it;
		     it = json_object_iter_next(from, it)) {
			json_t *v = NULL;
			if (!floats(json_object_iter_value(it), &v, e))
				return false;
			json_object_setn_new_nocheck(*ret, json_object_iter_key(it),
						     json_object_iter_key_len(it), v);
		}
	} else if (json_is_array(j)) {
		*ret = json_array();
		for (size_t i = 0; i < json_array_size(j); i++) {
			json_t *v = NULL;
			if (!floats(json_array_get(j, i), &v, e))
				return false;
			json_array_append_new(*ret, v);
		}
	} else {
		*ret = json_copy((json_t *)(uintptr_t)j);
	}
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The names directly below a path, as the store's LIST gives them.
static json_t *names_below(const json_t *answers, const char *path)
{
	AUTO_FREE const char **names =
		mem_calloc(json_object_size(answers) + 1, sizeof(*names));
	size_t n = 0, len = strlen(path);
	const char *key;
	json_t *v, *list = json_array();
	while (len && path[len - 1] == '/')
		len--;
	json_object_foreach((json_t *)(uintptr_t)answers, key,
			    v) if (strncmp(key, path, len) == 0 && key[len] == '/')
		names[n++] = key + len + 1;
	qsort(names, n, sizeof(*names), by_text);
	const char *last = "";
	size_t last_len = 0;
	for (size_t i = 0; i < n; i++) {
		const char *slash = strchr(names[i], '/');
		size_t width = slash ? (size_t)(slash - names[i]) + 1 : strlen(names[i]);
		if (width == last_len && strncmp(names[i], last, width) == 0)
			continue;
		last = names[i];
		last_len = width;
		json_array_append_new(list, json_str(names[i], width));
	}
	return list;
}

static bool read_into(const char *path, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(INPUT_MAX);
	if (!file_read(path, &b, e))
		return false;
	*ret = json_str(buf_str(&b), b.len);
	return true;
}

static enum tmpl_answer answer(void *ctx, const struct tmpl_want *w, const json_t **ret,
			       struct err *e)
{
	struct request *r = ctx;
	json_t *made = NULL;
	if (w->kind == TMPL_WANT_FILE) {
		if (!read_into(w->path, &made, e))
			return TMPL_FAILED;
	} else {
		*ret = json_object_get(r->answers, w->path);
		if (*ret)
			return TMPL_FOUND;
		if (w->kind == TMPL_WANT_LIST)
			made = names_below(r->answers, w->path);
	}
	if (made) {
		json_array_append_new(r->made, made);
		*ret = made;
		return TMPL_FOUND;
	}
	err_set(e, ERR_MISSING, 0, "the secrets file has no '%s'", w->path);
	return TMPL_FAILED;
}

// Offline nothing is written: the file is named on stderr.
static bool write_file(void *ctx, const struct tmpl_file *file, struct err *e)
{
	(void)ctx;
	(void)e;
	fprintf(stderr, "writeToFile: %s (%zu bytes, mode %s) is not written offline\n",
		file->path, file->len, file->perms);
	return true;
}

static bool read_template(struct request *r, struct buf *text, struct err *e)
{
	const char *stock = r->stock ? tmpl_stock(r->stock) : NULL;
	r->opts.name = r->stock ? r->stock : r->template;
	if (!r->stock)
		return file_read(r->template, text, e);
	if (stock)
		return buf_puts(text, stock);
	AUTO_BUF struct buf names = BUF_INIT(1024);
	for (size_t i = 0; tmpl_stock_name(i); i++)
		buf_printf(&names, "%s%s", i ? ", " : "", tmpl_stock_name(i));
	return err_set(e, ERR_CONFIG, 0, "there is no stock template '%s'; there are: %s",
		       r->stock, buf_str(&names));
}

static bool render(struct request *r, struct buf *out, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(INPUT_MAX);
	AUTO_JSON json_t *kept = NULL;
	AUTO_JSON json_t *data = NULL;
	AUTO_JSON json_t *answers = NULL;
	AUTO_JSON json_t *made = json_array();
	struct tmpl_source source = { answer, write_file, r };
	struct tmpl *t = NULL;
	bool complete = false;
	if (!read_template(r, &text, e) || !load(r->data, &kept, e) ||
	    (kept && !floats(kept, &data, e)) || !load(r->secrets, &answers, e) ||
	    !tmpl_parse(buf_str(&text), text.len, &r->opts, &t, e))
		return false;
	r->answers = answers;
	r->made = made;
	bool ok = tmpl_run(t, &source, data, out, &complete, e);
	tmpl_free(t);
	return ok;
}

int cmd_render(int argc, char **argv)
{
	struct request r = { 0 };
	struct err e = ERR_INIT;
	AUTO_BUF struct buf out = BUF_INIT(INPUT_MAX);
	AUTO_BUF struct buf want = BUF_INIT(INPUT_MAX);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return CMD_GOOD;
	}
	if (!parse(argc, argv, &r, &e)) {
		fprintf(stderr, "ampoule render: %s\n", e.text);
		return CMD_USAGE;
	}
	if (r.functions) {
		render_functions();
		return CMD_GOOD;
	}
	if (!render(&r, &out, &e) || (r.expect && !file_read(r.expect, &want, &e))) {
		fprintf(stderr, "%s\n", e.text);
		return CMD_BAD;
	}
	if (r.expect)
		return render_compare(r.expect, &want, &out) ? CMD_GOOD : CMD_BAD;
	fwrite(buf_str(&out), 1, out.len, stdout);
	return CMD_GOOD;
}
