// SPDX-License-Identifier: Apache-2.0
// ampoule policy export: policies → objects of other engines, or the table of what each can say.
#include "cmd/policy_export.h"

#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/yaml_json.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/policy_read.h"

enum { NOTES_MAX = 100 };

static const struct export_form *const forms[] = { &export_vap, &export_gatekeeper,
						   &export_kyverno };

struct exporting {
	const struct export_form *form;
	struct export_ask ask;
	unsigned remarks;
};

static void usage(FILE *to)
{
	fputs("usage: ampoule policy export --form FORM [--config FILE] [--json] "
	      "[--strict] "
	      "POLICY…\n"
	      "       ampoule policy export --table\n"
	      "\n"
	      "Writes policies (files or folders) as objects of another engine, which "
	      "holds "
	      "while\n"
	      "the webhook is down. What a form cannot express is a remark on stderr.\n"
	      "\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		fprintf(to, "  --form %-11s %s\n", forms[i]->name, forms[i]->help);
	fputs("  --config FILE      the webhook's configuration: the agent's image is "
	      "known\n"
	      "  --now DAY          exemptions that have ended by then are left out "
	      "(today)\n"
	      "  --json             a List in JSON in place of YAML documents\n"
	      "  --strict           a remark is an error: exit 1, and nothing is "
	      "written\n"
	      "  --table            which rule each form can express, as Markdown\n",
	      to);
}

// --- what a form can say

static const struct export_fact *fact_of(const struct export_form *form, const char *rule)
{
	static const struct export_fact none = {
		"", EXPORT_NO, "only the webhook and the agent see it"
	};
	for (size_t i = 0; i < form->n_facts; i++)
		if (strcmp(form->facts[i].rule, rule) == 0)
			return &form->facts[i];
	return &none;
}

// Calls fn for each rule that a policy may have, in the order of the README.
typedef void rule_fn(void *ctx, const char *kind, const char *word, size_t i);

static void each_rule(rule_fn *fn, void *ctx)
{
	fn(ctx, "require", "inject", 0);
	for (enum policy_forbid i = 0; i < FORBID_COUNT; i++)
		fn(ctx, "forbid", policy_forbid_name(i), i);
	for (enum policy_fact i = 0; i < FACT_COUNT; i++) {
		fn(ctx, "allow", policy_fact_name(i), i);
		fn(ctx, "deny", policy_fact_name(i), i);
	}
	for (enum policy_limit i = 0; i < LIMIT_COUNT; i++)
		fn(ctx, "limits", policy_limit_name(i), i);
}

// Reasons, each told once below the table.
struct notes {
	const char *list[NOTES_MAX];
	size_t n;
};

static size_t note_of(struct notes *notes, const char *why)
{
	size_t i = 0;
	while (i < notes->n && strcmp(notes->list[i], why) != 0)
		i++;
	if (i == notes->n && i < NOTES_MAX)
		notes->list[notes->n++] = why;
	return i + 1;
}

static void print_cells(struct notes *notes, const char *rule)
{
	static const char *const words[] = { "no", "in part", "yes" };
	printf("| `%s` |", rule);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const struct export_fact *f = fact_of(forms[i], rule);
		if (f->can == EXPORT_WHOLE)
			printf(" yes |");
		else
			printf(" %s (%zu) |", words[f->can], note_of(notes, f->why));
	}
	puts("");
}

static void print_row(void *ctx, const char *kind, const char *word, size_t i)
{
	char rule[64];
	(void)i;
	snprintf(rule, sizeof(rule), "%s.%s", kind, word);
	print_cells(ctx, rule);
}

static void print_table(void)
{
	static const char *const others[] = { "match", "exempt", "purpose", "update",
					      "binding" };
	struct notes notes = { .n = 0 };
	printf("| rule |");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		printf(" %s |", forms[i]->title);
	printf("\n|---|");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		printf("---|");
	puts("");
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		print_cells(&notes, others[i]);
	each_rule(print_row, &notes);
	puts("");
	for (size_t i = 0; i < notes.n; i++)
		printf("%zu. %s\n", i + 1, notes.list[i]);
}

// --- remarks

static void remark(struct exporting *x, const char *owner, const char *rule)
{
	const struct export_fact *f = fact_of(x->form, rule);
	if (f->can == EXPORT_WHOLE)
		return;
	x->remarks++;
	fprintf(stderr, "ampoule: '%s': %s %s: %s\n", owner, rule,
		f->can == EXPORT_NO ? "cannot be expressed" : "holds in part", f->why);
}

static bool has_rule(const struct policy *p, const char *kind, size_t i)
{
	switch (*kind) {
	case 'r':
		return p->require_inject != POLICY_OFF;
	case 'f':
		return p->forbid[i] != POLICY_OFF;
	case 'a':
		return p->allow[i].given;
	case 'd':
		return p->deny[i].given;
	default:
		return p->limits[i] >= 0;
	}
}

struct remarking {
	struct exporting *x;
	const struct policy *p;
};

static void remark_rule(void *ctx, const char *kind, const char *word, size_t i)
{
	struct remarking *r = ctx;
	char rule[64];
	snprintf(rule, sizeof(rule), "%s.%s", kind, word);
	if (has_rule(r->p, kind, i))
		remark(r->x, r->p->name, rule);
}

static void remark_all(struct exporting *x)
{
	const struct policies *ps = x->ask.policies;
	for (size_t i = 0; i < ps->n_policies; i++) {
		struct remarking r = { x, &ps->policies[i] };
		each_rule(remark_rule, &r);
		for (size_t k = 0; k < r.p->n_exempt; k++)
			remark(x, r.p->exempt[k].name, "exempt");
	}
	for (size_t i = 0; i < ps->n_purposes; i++)
		remark(x, ps->purposes[i].name, "purpose");
}

// --- objects

static bool write_yaml(const json_t *objects, struct err *e)
{
	AUTO_BUF struct buf out = BUF_INIT(YAML_TEXT_MAX);
	json_t *one;
	size_t i;
	buf_puts(&out, "# SPDX-License-Identifier: Apache-2.0\n");
	json_array_foreach(objects, i, one)
	{
		buf_puts(&out, "---\n");
		if (!yaml_write(one, &out, e))
			return false;
	}
	fputs(buf_str(&out), stdout);
	return true;
}

static void write_json(json_t *objects)
{
	AUTO_JSON json_t *list = json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind",
					   "List", "items", objects);
	AUTO_FREE char *text = json_dumps(list, JSON_INDENT(2));
	puts(text);
}

static bool export(struct exporting *x, bool json, bool strict, struct err *e)
{
	remark_all(x);
	if (strict && x->remarks > 0)
		return err_set(e, ERR_CONFIG, 0,
			       "%u rules are not whole in the form '%s'", x->remarks,
			       x->form->name);
	AUTO_JSON json_t *objects = x->form->make(&x->ask);
	if (!json)
		return write_yaml(objects, e);
	write_json(objects);
	return true;
}

// --- the command line

struct line {
	const char *form, *config, *now;
	bool json, strict, table, wrong;
	int first; // of the policies
};

static void read_line(int argc, char **argv, struct line *l)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		const char *a = argv[i];
		if (strcmp(a, "--json") == 0)
			l->json = true;
		else if (strcmp(a, "--strict") == 0)
			l->strict = true;
		else if (strcmp(a, "--table") == 0)
			l->table = true;
		else if (strcmp(a, "--form") == 0 && i + 1 < argc)
			l->form = argv[++i];
		else if (strcmp(a, "--now") == 0 && i + 1 < argc)
			l->now = argv[++i];
		else if (strcmp(a, "--config") == 0 && i + 1 < argc)
			l->config = argv[++i];
		else
			l->wrong = true;
	}
	l->first = i;
	l->wrong |= l->table ? argc != 2 : !l->form || i == argc;
}

static const struct export_form *form_of(const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strcmp(forms[i]->name, name) == 0)
			return forms[i];
	err_set(e, ERR_CONFIG, 0,
		"there is no form '%.60s'; see ampoule policy export --help", name);
	return NULL;
}

int policy_export(int argc, char **argv)
{
	struct line l = { .form = NULL };
	struct err e = ERR_INIT;
	struct settings s;
	bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
	read_line(argc, argv, &l);
	if (l.wrong) {
		usage(asked ? stdout : stderr);
		return asked ? CMD_GOOD : CMD_USAGE;
	}
	if (l.table) {
		print_table();
		return CMD_GOOD;
	}
	struct exporting x = { .form = form_of(l.form, &e) };
	bool ok = x.form != NULL;
	bool loaded = ok && (l.config ? settings_load(l.config, &s, &e)
				      : (settings_init(&s), true));
	ok = loaded;
	for (int i = l.first; i < argc && ok; i++)
		ok = policies_add_path(s.policies, argv[i], &e);
	x.ask.now_ms = clock_wall_ms();
	if (ok && l.now && !policy_day(l.now, &x.ask.now_ms))
		ok = err_set(&e, ERR_CONFIG, 0, "--now: a day is wanted: 2026-06-01");
	if (ok) {
		x.ask.policies = s.policies;
		x.ask.settings = l.config ? &s : NULL;
		ok = export(&x, l.json, l.strict, &e);
	}
	if (loaded)
		settings_release(&s);
	if (!ok)
		fprintf(stderr, "ampoule: %s\n", e.text);
	return ok ? CMD_GOOD : CMD_BAD;
}
