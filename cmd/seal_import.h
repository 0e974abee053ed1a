// SPDX-License-Identifier: Apache-2.0
// `ampoule seal import`: the sources that it reads, each a function that adds entries to a
// list, which is then written as one change. Only cmd/seal_*.c include it.
#pragma once

#include <jansson.h>

#include "cmd/seal_int.h"

enum { SEAL_IMPORT_MAX = 1000 };

struct seal_import_list {
	struct seal_import_item {
		char *path;
		char *scope; // NULL: as the options say
		struct buf value;
	} items[SEAL_IMPORT_MAX];
	size_t n;
};

// Adds an entry whose value is the object as JSON. prefix may be NULL.
MUST_CHECK bool seal_import_add(struct seal_import_list *l, const char *prefix,
				const char *path, const json_t *data, struct err *e);

// KEY=VALUE lines as shells and containers' tools read them: "export ", comments, single
// quotes (literal), double quotes (\n \r \t \" \\ \$), values over several lines in quotes.
MUST_CHECK bool seal_dotenv_parse(struct str text, const char *name, json_t **ret,
				  struct err *e);

// Reads a path of a Vault or OpenBao, or with a slash at its end all below it.
MUST_CHECK bool seal_vault_read(const struct seal_args *a, const char *path,
				struct seal_import_list *to, struct err *e);
