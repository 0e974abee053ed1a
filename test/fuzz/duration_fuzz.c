// SPDX-License-Identifier: Apache-2.0
// links: lib/base
// A duration. What is accepted is not negative, at most 292 years, and reads the same when
// written in milliseconds.
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
	int64_t v = 0;
	if (!str_duration_ms(text, &v, &e)) {
		if (e.kind != ERR_CONFIG || strlen(e.text) < 10)
			abort();
		for (const char *c = e.text; *c;
		     c++) // nothing that a terminal would obey
			if (*c < ' ' || *c == 0x7f)
				abort();
		return 0;
	}
	if (v < 0 || v > INT64_MAX / 1000000 + 1)
		abort();
	char again[40];
	int64_t w = -1;
	snprintf(again, sizeof(again), "%lldms", (long long)v);
	if (v <= INT64_MAX / 1000000 && (!str_duration_ms(again, &w, &e) || w != v))
		abort();
	return 0;
}
