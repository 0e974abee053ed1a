// SPDX-License-Identifier: Apache-2.0
// The words and options of `ampoule seal`: one table, from which arguments are read and help
// is printed. No option takes a secret: values come from standard input, a file or an editor,
// and keys are named by their files.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"

enum { SEAL_LIST_MAX = 64 };

// A list of borrowed words.
struct seal_list {
	const char *items[SEAL_LIST_MAX];
	size_t n;
};

struct seal_args {
	const char *file; // --file
	const char *from; // --from
	const char *namespace_, *service_account;
	const char *author;
	const char *sign_key;
	const char *out;
	const char *key; // --key of a JSON value
	const char *format;
	const char *prefix;
	const char *address; // of a Vault
	const char *token_file;
	struct seal_list identities; // -i
	struct seal_list recipients; // -r
	struct seal_list recipient_files;
	struct seal_list writers;
	struct seal_list operands;
	uint64_t version, to, keep, min_generation;
	int64_t if_version; // -1 = not asked for
	bool edit, exact, empty, anywhere, json, writer_key;
};

// A word of `ampoule seal`.
struct seal_word {
	const char *name;
	const char *operands; // for the usage line
	const char *help;
	unsigned char min_operands, max_operands;
	bool (*run)(const struct seal_args *a, struct err *e);
	unsigned bit; // in the options' table
};

enum {
	SEAL_KEYGEN = 1 << 0,
	SEAL_PUT = 1 << 1,
	SEAL_GET = 1 << 2,
	SEAL_LIST = 1 << 3,
	SEAL_HISTORY = 1 << 4,
	SEAL_ROLLBACK = 1 << 5,
	SEAL_REMOVE = 1 << 6,
	SEAL_PRUNE = 1 << 7,
	SEAL_REKEY = 1 << 8,
	SEAL_VERIFY = 1 << 9,
	SEAL_SIGN = 1 << 10,
	SEAL_IMPORT = 1 << 11,
};

// Fills *ret from the words behind the seal_word's name. Errors are ERR_CONFIG with a text
// for people.
MUST_CHECK bool seal_args_read(const struct seal_word *w, int argc, char **argv,
			       struct seal_args *ret, struct err *e);
// The options of one word, with their help.
void seal_args_help(const struct seal_word *w, FILE *to);
