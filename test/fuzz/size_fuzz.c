// SPDX-License-Identifier: Apache-2.0
// links: lib/base
// A size. What is accepted reads the same when written in bytes.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	struct err e = ERR_INIT;
	uint64_t v = 0;
	if (!str_size(text, &v, &e)) {
		if (e.kind != ERR_CONFIG || strlen(e.text) < 10)
			abort();
		for (const char *c = e.text; *c;
		     c++) // nothing that a terminal would obey
			if (*c < ' ' || *c == 0x7f)
				abort();
		return 0;
	}
	char again[40];
	uint64_t w = 1;
	snprintf(again, sizeof(again), "%llu", (unsigned long long)v);
	if (!str_size(again, &w, &e) || w != v)
		abort();
	return 0;
}
