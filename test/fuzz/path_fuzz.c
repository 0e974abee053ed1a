// SPDX-License-Identifier: Apache-2.0
// links: lib/base
// Names and relative paths of files in a volume. What is accepted stays below its folder, and
// each of its parts is a name that is accepted too.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_bad_part(struct str part)
{
	return part.len == 0 || part.len > 255 || str_eq(part, ".") ||
	       (part.len >= 2 && part.p[0] == '.' && part.p[1] == '.') ||
	       memchr(part.p, '\n', part.len) || !str_valid_utf8(part.p, part.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	struct err e = ERR_INIT;
	struct str rest = str_of(text), part;
	bool name = file_name_ok(text, &e);
	if (name == (e.kind != ERR_NONE))
		abort();
	if (name && (strchr(text, '/') || is_bad_part(str_of(text))))
		abort();
	err_clear(&e);
	bool path = file_path_ok(text, &e);
	if (path == (e.kind != ERR_NONE) || (name && !path))
		abort();
	if (!path)
		return 0;
	if (text[0] == '/' || strlen(text) > 4095 || text[strlen(text) - 1] == '/')
		abort();
	while (str_next(&rest, '/', &part)) {
		AUTO_FREE char *one = mem_strndup(part.p, part.len);
		if (is_bad_part(part) || !file_name_ok(one, NULL))
			abort();
	}
	return 0;
}
