// SPDX-License-Identifier: Apache-2.0
// ampoule render: one template over local data, offline, as design.md section 3 says.
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "templates/template.h"

enum { INPUT_MAX = 16 << 20 };

static const char usage[] =
	"usage: ampoule render --template FILE [--data FILE.json] [--secrets FILE.json]\n"
	"                      [--missing-key zero|error] [--left-delim X --right-delim "
	"X]\n"
	"\n"
	"Renders a template to standard output without any store. '.' is the data (nil\n"
	"without); secret \"p\" answers from the secrets file: {\"p\": {\"data\": "
	"{...}}}.\n";

struct request {
	const char *template, *data, *secrets;
	struct tmpl_opts opts;
	json_t *answers;
};

static bool parse(int argc, char **argv, struct request *r, struct err *e)
{
	const char *missing = NULL;
	const struct {
		const char *name;
		const char **to;
	} options[] = {
		{ "--template", &r->template },
		{ "--data", &r->data },
		{ "--secrets", &r->secrets },
		{ "--missing-key", &missing },
		{ "--left-delim", &r->opts.left_delim },
		{ "--right-delim", &r->opts.right_delim },
	};
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
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
	return r->template || err_set(e, ERR_CONFIG, 0, "give --template FILE");
}

static bool load(const char *path, enum json_flags flags, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(INPUT_MAX);
	if (!path)
		return true;
	if (!file_read(path, &b, e))
		return false;
	return json_parse(buf_str(&b), b.len, INPUT_MAX, flags, ret, e) ||
	       err_wrap(e, "'%s'", path);
}

static enum tmpl_answer answer(void *ctx, const struct tmpl_want *w, const json_t **ret,
			       struct err *e)
{
	struct request *r = ctx;
	*ret = json_object_get(r->answers, w->path);
	if (*ret)
		return TMPL_FOUND;
	err_set(e, ERR_MISSING, 0, "the secrets file has no '%s'", w->path);
	return TMPL_FAILED;
}

static bool render(struct request *r, struct buf *out, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(INPUT_MAX);
	AUTO_JSON json_t *data = NULL;
	AUTO_JSON json_t *answers = NULL;
	struct tmpl_source source = { .lookup = answer, .ctx = r };
	struct tmpl *t = NULL;
	bool complete = false;
	r->opts.name = r->template;
	if (!file_read(r->template, &text, e) || !load(r->data, JSON_PLAIN, &data, e) ||
	    !load(r->secrets, JSON_KEEP_NUMBERS, &answers, e) ||
	    !tmpl_parse(buf_str(&text), text.len, &r->opts, &t, e))
		return false;
	r->answers = answers;
	bool ok = tmpl_run(t, &source, data, out, &complete, e);
	tmpl_free(t);
	return ok;
}

int cmd_render(int argc, char **argv)
{
	struct request r = { 0 };
	struct err e = ERR_INIT;
	AUTO_BUF struct buf out = BUF_INIT(INPUT_MAX);
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage, stdout);
		return CMD_GOOD;
	}
	if (!parse(argc, argv, &r, &e)) {
		fprintf(stderr, "ampoule render: %s\n", e.text);
		return CMD_USAGE;
	}
	if (!render(&r, &out, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return CMD_BAD;
	}
	fwrite(buf_str(&out), 1, out.len, stdout);
	return CMD_GOOD;
}
