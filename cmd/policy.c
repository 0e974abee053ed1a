// SPDX-License-Identifier: Apache-2.0
// ampoule policy: test runs cases, so that a policy is tested before it refuses anybody.
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/policy_case.h"
#include "cmd/policy_export.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

static const char usage[] =
	"usage: ampoule policy test [--verbose] [--reviews] PATH…\n"
	"\n"
	"Runs cases: each *.yaml below PATH that says what is tried, an object, and the "
	"decision\n"
	"that is expected (see the README's section Policies). The last line is\n"
	"\"N passed, N failed\"; exit 1 when one failed or there is none.\n"
	"\n"
	"  --verbose  a line for each case, and the reasons\n"
	"  --reviews  instead of testing, print a JSON line a case: file, policies, "
	"expect,\n"
	"             decision, reasons and the AdmissionReview as /validate gets it, "
	"for\n"
	"             other engines\n"
	"\n"
	"ampoule policy export --help: the same rules as objects of other engines\n";

struct run {
	bool verbose, reviews;
	unsigned passed, failed;
};

static void print_review(const struct policy_case *c)
{
	AUTO_JSON json_t *o = json_pack("{s:s, s:s, s:s}", "file", c->file, "case",
					c->title, "decision", c->decision);
	static const char *const keys[] = { "policies", "policy",          "settings",
					    "now",      "namespaceLabels", "expect" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_object_get(c->document, keys[i]))
			json_object_set(o, keys[i],
					json_object_get(c->document, keys[i]));
	if (c->review)
		json_object_set(o, "review", c->review);
	if (c->reasons)
		json_object_set_new(o, "reasons",
				    json_str(c->reasons, strlen(c->reasons)));
	AUTO_FREE char *text = json_dumps(o, JSON_COMPACT);
	puts(text);
}

static void on_case(void *ctx, const char *file)
{
	struct run *r = ctx;
	struct policy_case c;
	struct err e = ERR_INIT;
	if (!policy_case_run(file, &c, &e)) {
		r->failed++;
		fprintf(stderr, "FAIL %s: %s\n", file, e.text);
	} else if (r->reviews) {
		print_review(&c);
	} else if (!c.passed) {
		r->failed++;
		fprintf(stderr, "FAIL %s: %s\n     %s\n%s", file, c.title, c.difference,
			c.reasons);
	} else {
		r->passed++;
		if (r->verbose)
			printf("good %s: %s: %s\n%s", file, c.title, c.decision,
			       c.reasons);
	}
	policy_case_release(&c);
}

static int test(int argc, char **argv)
{
	struct run r = { .verbose = false };
	struct err e = ERR_INIT;
	int paths = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0)
			r.verbose = true;
		else if (strcmp(argv[i], "--reviews") == 0)
			r.reviews = true;
		else if (argv[i][0] == '-')
			paths = -argc;
		else
			paths++;
	}
	if (paths <= 0) {
		fputs(usage, stderr);
		return CMD_USAGE;
	}
	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-' && !policy_cases_each(argv[i], on_case, &r, &e)) {
			fprintf(stderr, "ampoule: %s\n", e.text);
			return CMD_BAD;
		}
	if (!r.reviews)
		printf("%u passed, %u failed\n", r.passed, r.failed);
	return r.failed == 0 && (r.passed > 0 || r.reviews) ? CMD_GOOD : CMD_BAD;
}

int cmd_policy(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "test") == 0)
		return test(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "export") == 0)
		return policy_export(argc - 1, argv + 1);
	bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
	fputs(usage, asked ? stdout : stderr);
	return asked ? CMD_GOOD : CMD_USAGE;
}
