// SPDX-License-Identifier: Apache-2.0
// The option table of `ampoule seal`.
#include "cmd/seal_args.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

enum kind { TEXT, LIST, NUMBER, SIGNED, FLAG };

enum {
	ALL = 0xffff,
	FILES = ALL & ~SEAL_KEYGEN,
	WRITES = SEAL_PUT | SEAL_ROLLBACK | SEAL_REMOVE | SEAL_IMPORT,
	NEW = SEAL_PUT | SEAL_IMPORT,
	OPENS = SEAL_GET | SEAL_REKEY | SEAL_VERIFY | SEAL_SIGN | SEAL_PUT,
};

static const struct option_row {
	const char *name;
	char letter;
	const char *arg; // NULL for a flag
	enum kind kind;
	size_t offset;
	unsigned words;
	const char *help;
} options[] = {
	{ "file", 'f', "FILE", TEXT, offsetof(struct seal_args, file), FILES,
	  "the sealed file (default: $AMPOULE_SEAL_FILE, else secrets.sealed)" },
	{ "identity", 'i', "FILE", LIST, offsetof(struct seal_args, identities), OPENS,
	  "file of a private key; may be repeated (default: $AMPOULE_IDENTITY)" },
	{ "recipient", 'r', "age1…", LIST, offsetof(struct seal_args, recipients),
	  NEW | SEAL_REKEY,
	  "public key that shall open the values; may be repeated. For a new file; for "
	  "an "
	  "existing one it must be the file's set, except in rekey" },
	{ "recipients-file", 'R', "FILE", LIST,
	  offsetof(struct seal_args, recipient_files), NEW | SEAL_REKEY,
	  "the same, one key a line, a name may follow it" },
	{ "from", 0, "FILE", TEXT, offsetof(struct seal_args, from), SEAL_PUT,
	  "take the value from FILE, byte for byte, instead of standard input" },
	{ "edit", 'e', NULL, FLAG, offsetof(struct seal_args, edit), SEAL_PUT,
	  "write the value in $VISUAL or $EDITOR, in memory; with -i it begins with the "
	  "present value" },
	{ "exact", 0, NULL, FLAG, offsetof(struct seal_args, exact), SEAL_PUT,
	  "keep the line end of a value of one line, as echo writes it" },
	{ "empty", 0, NULL, FLAG, offsetof(struct seal_args, empty), SEAL_PUT,
	  "allow an empty value" },
	{ "namespace", 'n', "NAME", TEXT, offsetof(struct seal_args, namespace_), NEW,
	  "bind it to a Kubernetes namespace (default: as the version before)" },
	{ "service-account", 'a', "NAME", TEXT,
	  offsetof(struct seal_args, service_account), NEW,
	  "and to a service account there" },
	{ "anywhere", 0, NULL, FLAG, offsetof(struct seal_args, anywhere), NEW,
	  "bind it to no namespace" },
	{ "if-version", 0, "N", SIGNED, offsetof(struct seal_args, if_version),
	  SEAL_PUT | SEAL_REMOVE | SEAL_ROLLBACK,
	  "only if N is the newest version (0: if there is no such entry)" },
	{ "author", 0, "TEXT", TEXT, offsetof(struct seal_args, author), WRITES,
	  "recorded with the version (default: $AMPOULE_AUTHOR, $GIT_AUTHOR_EMAIL, "
	  "$EMAIL, "
	  "else user@host)" },
	{ "sign", 's', "FILE", TEXT, offsetof(struct seal_args, sign_key),
	  WRITES | SEAL_SIGN | SEAL_REKEY,
	  "file of a writer's key: sign what is written (default: $AMPOULE_SIGN_KEY)" },
	{ "version", 0, "N", NUMBER, offsetof(struct seal_args, version), SEAL_GET,
	  "an older version" },
	{ "key", 'k', "NAME", TEXT, offsetof(struct seal_args, key), SEAL_GET,
	  "one member of a value that is a JSON object" },
	{ "to", 0, "N", NUMBER, offsetof(struct seal_args, to), SEAL_ROLLBACK,
	  "the version to return to (default: the one before the newest)" },
	{ "keep", 0, "N", NUMBER, offsetof(struct seal_args, keep), SEAL_PRUNE,
	  "versions of each entry that stay (default 1)" },
	{ "writer", 'w', "ampoule-writer1…", LIST, offsetof(struct seal_args, writers),
	  SEAL_VERIFY | SEAL_GET | SEAL_REKEY,
	  "demand the signature of one of these writers; may be repeated" },
	{ "min-generation", 0, "N", NUMBER, offsetof(struct seal_args, min_generation),
	  SEAL_VERIFY, "fail when the file's generation is below N" },
	{ "output", 'o', "FILE", TEXT, offsetof(struct seal_args, out), SEAL_KEYGEN,
	  "write the private key to this new file, the public one to stdout" },
	{ "signing", 0, NULL, FLAG, offsetof(struct seal_args, writer_key), SEAL_KEYGEN,
	  "make a writer's key, for signatures" },
	{ "json", 0, NULL, FLAG, offsetof(struct seal_args, json),
	  SEAL_LIST | SEAL_HISTORY | SEAL_VERIFY, "print JSON" },
	{ "format", 0, "kubernetes|dotenv|vault", TEXT,
	  offsetof(struct seal_args, format), SEAL_IMPORT,
	  "what SOURCE is (default: by its content)" },
	{ "prefix", 0, "PATH", TEXT, offsetof(struct seal_args, prefix), SEAL_IMPORT,
	  "put in front of each path; for a dotenv file the path itself" },
	{ "address", 0, "URL", TEXT, offsetof(struct seal_args, address), SEAL_IMPORT,
	  "of the Vault or OpenBao (default: $VAULT_ADDR)" },
	{ "token-file", 0, "FILE", TEXT, offsetof(struct seal_args, token_file),
	  SEAL_IMPORT, "with its token (default: $VAULT_TOKEN, else ~/.vault-token)" },
};

enum { N_OPTIONS = ARRAY_LEN(options), LONG_BASE = 256 };

static bool add(struct seal_list *l, const char *text, const char *name, struct err *e)
{
	if (l->n == SEAL_LIST_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d of --%s", SEAL_LIST_MAX,
			       name);
	l->items[l->n++] = text;
	return true;
}

static bool set(const struct option_row *o, const char *arg, struct seal_args *a,
		struct err *e)
{
	void *field = (char *)a + o->offset;
	struct err why = ERR_INIT;
	switch (o->kind) {
	case TEXT:
		*(const char **)field = arg;
		return true;
	case LIST:
		return add(field, arg, o->name, e);
	case FLAG:
		*(bool *)field = true;
		return true;
	case NUMBER:
		if (str_uint64(arg, field, &why) && *(uint64_t *)field > 0)
			return true;
		break;
	case SIGNED:
		if (str_int64(arg, field, &why) && *(int64_t *)field >= 0)
			return true;
		break;
	}
	return err_set(e, ERR_CONFIG, 0, "--%s wants a whole number", o->name);
}

static void defaults(const struct seal_word *w, struct seal_args *a)
{
	const char *identity = getenv("AMPOULE_IDENTITY");
	if (!a->file)
		a->file = getenv("AMPOULE_SEAL_FILE");
	if (!a->file)
		a->file = "secrets.sealed";
	if (!a->sign_key && w->bit != SEAL_VERIFY)
		a->sign_key = getenv("AMPOULE_SIGN_KEY");
	if (a->identities.n == 0 && identity && w->bit != SEAL_PUT)
		a->identities.items[a->identities.n++] = identity;
	if (a->keep == 0)
		a->keep = 1;
}

// getopt's tables of one word's options.
struct tables {
	struct option longs[N_OPTIONS + 1];
	char shorts[2 * N_OPTIONS + 2];
};

static void make_tables(const struct seal_word *w, struct tables *t)
{
	size_t n = 0, s = 0;
	memset(t, 0, sizeof(*t));
	t->shorts[s++] = ':';
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *o = &options[i];
		if (!(o->words & w->bit))
			continue;
		t->longs[n++] = (struct option){ o->name, o->arg != NULL, NULL,
						 LONG_BASE + (int)i };
		if (o->letter)
			t->shorts[s++] = o->letter;
		if (o->letter && o->arg)
			t->shorts[s++] = ':';
	}
}

static const struct option_row *row_of(int c)
{
	if (c >= LONG_BASE)
		return &options[c - LONG_BASE];
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (c && options[i].letter == c)
			return &options[i];
	return NULL;
}

static bool bad_option(const struct seal_word *w, int c, const char *word, struct err *e)
{
	if (c == ':')
		return err_set(e, ERR_CONFIG, 0, "option %s wants a value", word);
	return err_set(e, ERR_CONFIG, 0,
		       "'seal %s' has no option %s; 'ampoule seal %s --help' lists them",
		       w->name, word, w->name);
}

bool seal_args_read(const struct seal_word *w, int argc, char **argv,
		    struct seal_args *ret, struct err *e)
{
	struct tables t;
	*ret = (struct seal_args){ .if_version = -1 };
	make_tables(w, &t);
	optind = 0; // start afresh, in both C libraries
	opterr = 0;
	for (;;) {
		int before = optind > 0 ? optind : 1;
		int c = getopt_long(argc, argv, t.shorts, t.longs, NULL);
		if (c == -1)
			break;
		const struct option_row *o = c == '?' || c == ':' ? NULL : row_of(c);
		if (!o)
			return bad_option(w, c, argv[before < argc ? before : argc - 1],
					  e);
		if (!set(o, optarg, ret, e))
			return false;
	}
	for (int i = optind; i < argc; i++)
		if (!add(&ret->operands, argv[i], "operands", e))
			return false;
	if (ret->operands.n < w->min_operands || ret->operands.n > w->max_operands)
		return err_set(
			e, ERR_CONFIG, 0, "usage: ampoule seal %s [OPTION]… %s%s",
			w->name, w->operands,
			w->bit == SEAL_PUT && ret->operands.n > 1
				? " (a value is never an argument: everybody on the "
				  "machine can read those; give it on standard input)"
				: "");
	defaults(w, ret);
	return true;
}

void seal_args_help(const struct seal_word *w, FILE *to)
{
	fprintf(to, "usage: ampoule seal %s [OPTION]… %s\n\n%s\n\n", w->name, w->operands,
		w->help);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_row *o = &options[i];
		if (!(o->words & w->bit))
			continue;
		fprintf(to, "  ");
		if (o->letter)
			fprintf(to, "-%c, ", o->letter);
		fprintf(to, "--%s%s%s\n      %s\n", o->name, o->arg ? " " : "",
			o->arg ? o->arg : "", o->help);
	}
}
