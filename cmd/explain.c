// SPDX-License-Identifier: Apache-2.0
// ampoule explain: one annotation, key or variable, from the option table.
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cmd/cmd.h"
#include "cmd/explain_policy.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"

static const char usage[] = "usage: ampoule explain ANNOTATION|KEY\n"
			    "       ampoule explain -f MANIFEST [--policies PATH] "
			    "[--config FILE] [-n NS]\n"
			    "The second says what each policy has to say of a manifest, "
			    "and which one decides;\n"
			    "it ends with 1 when something would be refused.\n"
			    "What an annotation (with its prefix or without) or a "
			    "configuration key means, its\n"
			    "other names, its default and its type.\n";

// A key may stand in several stanzas.
static bool print_row(const struct option_row *r)
{
	const char *ours = annotation_name(r, PREFIX_OURS);
	if (r->peer)
		printf("%s%s\n", annotation_prefix_text(PREFIX_VAULT), r->peer);
	if (ours)
		printf("%s%s\n", annotation_prefix_text(PREFIX_OURS), ours);
	if (r->key) {
		const char *stanza = options_stanza(r->stanza)->name;
		printf("configuration: %s%s%s\n", stanza, *stanza ? "." : "", r->key);
	}
	printf("  %s\n  type: %s", r->help, options_type_name(r));
	for (const char *const *w = r->words; w && *w; w++)
		printf("%s%s", w == r->words ? ": " : ", ", *w);
	printf("%s%s\n", r->default_ ? "; default: " : "",
	       r->default_ ? r->default_ : "");
	if (r->ignored)
		printf("  accepted without effect: %s\n", r->ignored);
	if (r->env)
		printf("  variable: %s%s\n",
		       r->env_own ? "AMPOULE_" : "AMPOULE_, BAO_, VAULT_", r->env);
	if (r->flag)
		printf("  flag: --%s\n", r->flag);
	return true;
}

static bool print_key(const char *word)
{
	bool found = false;
	const char *dot = strrchr(word, '.');
	for (const struct option_row *r = NULL; (r = options_next(r));) {
		const char *stanza = options_stanza(r->stanza)->name;
		bool here = !dot || ((size_t)(dot - word) == strlen(stanza) &&
				     strncmp(word, stanza, strlen(stanza)) == 0);
		if (r->key && here && strcasecmp(r->key, dot ? dot + 1 : word) == 0)
			found |= print_row(r);
	}
	return found;
}

// The whole annotation, or its name under ours or the peers'.
static const struct option_row *find(const char *word, enum annotation_prefix *ret_prefix)
{
	static const enum annotation_prefix tries[] = { PREFIX_VAULT, PREFIX_OURS };
	const char *suffix, *unused;
	*ret_prefix = annotation_prefix_of(word, &suffix);
	if (*ret_prefix != PREFIX_NONE)
		return annotation_find(*ret_prefix, suffix, &unused);
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		const struct option_row *row = annotation_find(tries[i], word, &unused);
		if (row)
			return row;
	}
	*ret_prefix = PREFIX_OURS;
	return NULL;
}

int cmd_explain(int argc, char **argv)
{
	enum annotation_prefix prefix;
	if (argc > 2 && argv[1][0] == '-')
		return explain_manifest(argc, argv);
	if (argc != 2 || argv[1][0] == '-') {
		bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
		fputs(usage, asked ? stdout : stderr);
		return asked ? CMD_GOOD : CMD_USAGE;
	}
	const struct option_row *row = find(argv[1], &prefix);
	if (row ? print_row(row) : print_key(argv[1]))
		return CMD_GOOD;
	const char *suffix = argv[1];
	annotation_prefix_of(argv[1], &suffix);
	AUTO_FREE char *near = annotation_nearest(prefix, suffix);
	if (!near && suffix == argv[1])
		near = annotation_nearest(PREFIX_VAULT, suffix);
	fprintf(stderr, "ampoule: there is no annotation and no key '%s'%s%s%s\n",
		argv[1], near ? " (did you mean " : "", near ? near : "",
		near ? "?)" : "");
	return CMD_BAD;
}
