// SPDX-License-Identifier: Apache-2.0
// links: lib/base
// A file mode. What is accepted has permission bits only and reads the same when written in
// four digits.
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
	unsigned v = 0;
	if (!str_mode(text, &v, &e)) {
		if (e.kind != ERR_CONFIG || strlen(e.text) < 10)
			abort();
		for (const char *c = e.text; *c;
		     c++) // nothing that a terminal would obey
			if (*c < ' ' || *c == 0x7f)
				abort();
		return 0;
	}
	char again[40];
	unsigned w = 1;
	snprintf(again, sizeof(again), "%04o", v);
	if (v > 0777 || !str_mode(again, &w, &e) || w != v)
		abort();
	return 0;
}
