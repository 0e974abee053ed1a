// SPDX-License-Identifier: Apache-2.0
// ampoule check: validates configurations and templates of the agent before a pod meets them. Each FILE
// stands for itself; a folder is merged as the agent merges it. Nothing is connected to, and
// no file that a configuration names is opened.
#include <stdio.h>
#include <string.h>

#include "cmd/check_policies.h"
#include "cmd/check_secrets.h"
#include "cmd/check_templates.h"
#include "cmd/cmd.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"
#include "stores/store.h"

struct checking {
	bool strict, print, quiet, secrets;
	unsigned warnings;
};

static void help(void)
{
	puts("usage: ampoule check [--strict] [--print] [--quiet] FILE…\n"
	     "       ampoule check --secrets [--quiet] FILE…\n"
	     "\n"
	     "Validates agent configurations (HCL or JSON, Vault Agent's too). A folder "
	     "is\n"
	     "read as the agent reads it: all *.hcl and *.json in it, merged. Every "
	     "template is\n"
	     "parsed, also a FILE by itself: *.tmpl, *.tpl, *.ctmpl. A FILE or folder of "
	     "policies\n"
	     "for the webhook is known by its blocks. All errors are "
	     "told, not\n"
	     "only the first.\n"
	     "\n"
	     "  --strict   a warning is an error\n"
	     "  --print    show what has been understood, as JSON without the defaults\n"
	     "  --quiet    no line for a good file\n"
	     "  --secrets  find Kubernetes Secrets in plaintext: in manifests, and in "
	     "all\n"
	     "             *.yaml, *.yml and *.json below a folder\n"
	     "\n"
	     "Exit code: 0 good, 1 an error (file, line, reason on stderr), 2 wrong "
	     "use.");
}

static void on_warning(void *ctx, const char *text)
{
	struct checking *c = ctx;
	c->warnings++;
	fprintf(stderr, "warning: %s\n", text);
}

static void on_error(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "error: %s\n", text);
}

static bool check_types(const struct conf *c, struct err *e)
{
	for (size_t i = 0; i < c->n_stores; i++) {
		const char *names[64];
		size_t n = 0;
		if (!c->stores[i].type || store_find(c->stores[i].type))
			continue;
		for (size_t k = 0; store_type(k) && n < ARRAY_LEN(names); k++)
			names[n++] = store_type(k)->type;
		const char *near = str_nearest(c->stores[i].type, names, n);
		return err_set(e, ERR_CONFIG, 0,
			       "store '%s': there is no type '%.40s'%s%s%s",
			       c->stores[i].name, c->stores[i].type,
			       near ? "; did you mean '" : "", near ? near : "",
			       near ? "'?" : "");
	}
	return true;
}

static void print_conf(const struct conf *c)
{
	json_t *j = conf_to_json(c);
	char *text = json_dumps(j, JSON_INDENT(2) | JSON_SORT_KEYS);
	puts(text);
	mem_free(text);
	json_decref(j);
}

static void print_good(const char *path, const struct conf *c)
{
	const struct {
		size_t n;
		const char *what;
	} counts[] = { { c->n_stores, "store" },
		       { c->n_templates, "template" },
		       { c->n_sinks, "sink" } };
	printf("%s: good", path);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		printf("%s %zu %s%s", i ? "," : ":", counts[i].n, counts[i].what,
		       counts[i].n == 1 ? "" : "s");
	putchar('\n');
}

static bool check_one(struct checking *k, const char *path)
{
	const char *paths[] = { path, NULL };
	struct conf_load_opts opts = {
		.paths = paths,
		.strict = k->strict,
		.warn = on_warning,
		.error = on_error,
		.warn_ctx = k,
	};
	struct conf *c = NULL;
	struct err e = ERR_INIT;
	bool ok = conf_load(&opts, &c, &e);
	if (!ok)
		on_error(NULL, e.text);
	err_clear(&e);
	if (c && !check_types(c, &e)) {
		err_wrap(&e, "%s", path);
		on_error(NULL, e.text);
		ok = false;
	}
	if (c && check_templates(path, c, on_error, NULL) > 0)
		ok = false;
	if (ok && k->print)
		print_conf(c);
	else if (ok && !k->quiet)
		print_good(path, c);
	conf_free(c);
	return ok;
}

static bool check_template(const struct checking *k, const char *path)
{
	struct err e = ERR_INIT;
	bool ok = check_template_file(path, &e);
	if (!ok)
		on_error(NULL, e.text);
	else if (!k->quiet)
		printf("%s: good\n", path);
	return ok;
}

static void on_plaintext(void *ctx, const struct secret_finding *f)
{
	(void)ctx;
	fprintf(stderr, "error: %s:%u: Secret '%s' is in plaintext: %s\n", f->file,
		f->line, f->name, f->remedy);
}

static bool find_secrets(const struct checking *k, const char *path)
{
	struct err e = ERR_INIT;
	size_t found = 0;
	if (!check_secrets(path, on_plaintext, NULL, &found, &e)) {
		fprintf(stderr, "error: %s\n", e.text);
		return false;
	}
	if (found == 0 && !k->quiet)
		printf("%s: good: no Secret in plaintext\n", path);
	return found == 0;
}

static bool find_policies(struct checking *k, const char *path)
{
	struct err e = ERR_INIT;
	size_t n = 0;
	unsigned before = k->warnings;
	bool ok = check_policies(path, on_warning, k, &n, &e);
	if (!ok)
		on_error(NULL, e.text);
	else if (k->strict && k->warnings > before)
		ok = false;
	else if (!k->quiet)
		printf("%s: good: %zu %s\n", path, n, n == 1 ? "policy" : "policies");
	return ok;
}

// An option of check; false when it is none.
static bool take_option(struct checking *k, const char *arg)
{
	const struct {
		const char *name;
		bool *to;
	} options[] = { { "--strict", &k->strict },
			{ "--print", &k->print },
			{ "--quiet", &k->quiet },
			{ "--secrets", &k->secrets } };
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(arg, options[i].name) == 0) {
			*options[i].to = true;
			return true;
		}
	return false;
}

int cmd_check(int argc, char **argv)
{
	struct checking k = { .strict = false };
	int result = CMD_GOOD, files = 0;
	bool options = true;
	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && (strcmp(argv[i], "--help") == 0 ||
				       strcmp(argv[i], "-h") == 0)) {
			help();
			return CMD_GOOD;
		} else if (options && take_option(&k, argv[i])) {
			continue;
		} else if (options && argv[i][0] == '-') {
			fprintf(stderr,
				"ampoule check: unknown option '%s'; see --help\n",
				argv[i]);
			return CMD_USAGE;
		} else {
			files++;
			if (!(k.secrets                    ? find_secrets(&k, argv[i])
			      : check_is_policies(argv[i]) ? find_policies(&k, argv[i])
			      : check_is_template(argv[i]) ? check_template(&k, argv[i])
							   : check_one(&k, argv[i])))
				result = CMD_BAD;
		}
	}
	if (files == 0) {
		fprintf(stderr, "ampoule check: name the files to check; see --help\n");
		return CMD_USAGE;
	}
	return result;
}
