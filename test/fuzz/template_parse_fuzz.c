// SPDX-License-Identifier: Apache-2.0
// links: templates
// Lexer and parser: any bytes become a tree or an error with a place in them.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "templates/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct parse_opts opts[] = { { "t", NULL, NULL },
						  { "t", "[[", "]]" } };
	mem_init(false);
	if (size > MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(opts); i++) {
		struct err e = ERR_INIT;
		struct tree t;
		bool ok = tree_parse((const char *)data, size, &opts[i], &t, &e);
		if (ok == (e.kind != ERR_NONE) || (!ok && strncmp(e.text, "t:", 2) != 0))
			abort();
		tree_release(&t);
	}
	return 0;
}
