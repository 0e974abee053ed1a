// SPDX-License-Identifier: Apache-2.0
// ampoule: the word of the command line → its function. Help is printed from the table.
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/http/client.h"

#ifndef AMPOULE_VERSION
#define AMPOULE_VERSION "unknown"
#endif

static const struct {
	const char *word;
	int (*run)(int argc, char **argv);
	const char *help;
} words[] = {
	{ "render", cmd_render,
	  "render a template offline, or compare it with --expect" },
	{ "seal", cmd_seal, "keep secrets in a sealed file that can live in Git" },
	{ "inject", cmd_inject, "do to a manifest what the webhook would do" },
	{ "explain", cmd_explain, "what an annotation or option means" },
	{ "check", cmd_check, "validate configurations" },
	{ "policy", cmd_policy, "test policies over cases" },
	{ "status", cmd_status, "what a running agent holds, and who has read it" },
	{ "options", cmd_options, "every configuration key, annotation and variable" },
};

static void help(void)
{
	puts("usage: ampoule WORD …      (ampoule WORD --help says more)\n");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		printf("  %-9s %s\n", words[i].word, words[i].help);
	puts("\n  --version  versions, ours and those of both TLS libraries");
}

static int unknown(const char *word)
{
	const char *names[ARRAY_LEN(words)];
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		names[i] = words[i].word;
	const char *near = str_nearest(word, names, ARRAY_LEN(names));
	fprintf(stderr, "ampoule: there is no word '%s'%s%s%s; see ampoule --help\n",
		word, near ? " (did you mean '" : "", near ? near : "",
		near ? "'?)" : "");
	return CMD_USAGE;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	mem_init(true);
	if (!crypto_init(&e)) {
		fprintf(stderr, "ampoule: %s\n", e.text);
		return CMD_BAD;
	}
	const char *word = argc > 1 ? argv[1] : "--help";
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	    strcmp(word, "help") == 0) {
		help();
		return argc > 1 ? CMD_GOOD : CMD_USAGE;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
		printf("ampoule %s (%s; %s)\n", AMPOULE_VERSION, crypto_version(),
		       http_version());
		return CMD_GOOD;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].run(argc - 1, argv + 1);
	return unknown(word);
}
