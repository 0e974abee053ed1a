// SPDX-License-Identifier: Apache-2.0
// The words of `ampoule seal`, the commands of the sealed store: one table, from which help
// is printed too. main.c has taken the wiping heap into use and hidden the process.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/seal_int.h"

static const struct seal_word words[] = {
	{ "keygen", "",
	  "Makes a private key (for values, or with --signing for a writer).", 0, 0,
	  seal_keygen, SEAL_KEYGEN },
	{ "put", "PATH",
	  "Writes a new version of an entry. The value comes from standard input, --from "
	  "or "
	  "--edit, never from an argument. Public keys suffice.",
	  1, 1, seal_put, SEAL_PUT },
	{ "get", "PATH", "Prints a value. Needs a private key.", 1, 1, seal_get,
	  SEAL_GET },
	{ "list", "[PREFIX]", "Lists the entries.", 0, 1, seal_list, SEAL_LIST },
	{ "history", "PATH", "Lists the versions of an entry: who, when, what.", 1, 1,
	  seal_history, SEAL_HISTORY },
	{ "rollback", "PATH",
	  "Writes a new version whose value is that of an older one. Public keys "
	  "suffice.",
	  1, 1, seal_rollback, SEAL_ROLLBACK },
	{ "remove", "PATH",
	  "Records that the entry is gone: agents take it away from their pods.", 1, 1,
	  seal_remove, SEAL_REMOVE },
	{ "prune", "[PATH]", "Drops old versions.", 0, 1, seal_prune, SEAL_PRUNE },
	{ "rekey", "",
	  "Seals every version anew, for the recipients given (default: the file's). "
	  "Needs a "
	  "private key.",
	  0, 0, seal_rekey, SEAL_REKEY },
	{ "verify", "",
	  "Checks form, order, signatures and generation; with -i that everything opens.",
	  0, 0, seal_verify, SEAL_VERIFY },
	{ "sign", "[PATH]…", "Signs the versions that are not signed.", 0, SEAL_LIST_MAX,
	  seal_sign, SEAL_SIGN },
	{ "import", "SOURCE",
	  "Seals what a Kubernetes Secret manifest, a dotenv file (- is standard input) "
	  "or a "
	  "path of a Vault or OpenBao holds.",
	  1, 1, seal_import, SEAL_IMPORT },
};

void seal_note(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("note: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static int help(FILE *to)
{
	fputs("usage: ampoule seal WORD [OPTION]…\n\n"
	      "Secrets in a file that can live in Git.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		fprintf(to, "  %-9s %s\n", words[i].name, words[i].help);
	fputs("\n'ampoule seal WORD --help' lists the options of a word.\n", to);
	return to == stdout ? CMD_GOOD : CMD_USAGE;
}

static const struct seal_word *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

int cmd_seal(int argc, char **argv)
{
	if (argc < 2)
		return help(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return help(stdout);
	const struct seal_word *w = find(argv[1]);
	if (!w) {
		fprintf(stderr,
			"ampoule seal: there is no word '%s'; see 'ampoule seal "
			"--help'\n",
			argv[1]);
		return CMD_USAGE;
	}
	if (argc > 2 && strcmp(argv[2], "--help") == 0) {
		seal_args_help(w, stdout);
		return CMD_GOOD;
	}
	struct err e = ERR_INIT;
	struct seal_args a;
	bool called_well = seal_args_read(w, argc - 1, argv + 1, &a, &e);
	// A failed write may lie behind us: musl forgets it when the next one is empty.
	if (called_well && w->run(&a, &e) && fflush(stdout) == 0 && !ferror(stdout))
		return CMD_GOOD;
	fprintf(stderr, "ampoule seal %s: %s\n", w->name,
		e.kind != ERR_NONE ? e.text : "cannot write to stdout");
	return called_well ? CMD_BAD : CMD_USAGE;
}
