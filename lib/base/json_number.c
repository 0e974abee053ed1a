// SPDX-License-Identifier: Apache-2.0
// Numbers that keep their text: jansson has only 64-bit integers and doubles, and would
// change 1.10 to 1.1000000000000001 in a secret. So number literals of store data travel as
// strings that begin with a mark which is random in each process.
#include "lib/base/json_number.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { MARK_LEN = 20 };

static const char *mark(void)
{
	static char text[MARK_LEN + 1];
	if (!text[0]) {
		uint64_t r = 0;
		if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
			r = (uint64_t)clock_wall_ms() * 0x9e3779b97f4a7c15u;
		snprintf(text, sizeof(text), "#n:%016llx;", (unsigned long long)r);
	}
	return text;
}

const char *json_number_text(const json_t *j)
{
	if (!json_is_string(j) || json_string_length(j) <= MARK_LEN)
		return NULL;
	const char *s = json_string_value(j);
	return memcmp(s, mark(), MARK_LEN) == 0 ? s + MARK_LEN : NULL;
}

json_t *json_number_new(const char *text, size_t len)
{
	AUTO_FREE char *s = mem_alloc(MARK_LEN + len);
	memcpy(s, mark(), MARK_LEN);
	memcpy(s + MARK_LEN, text, len);
	return json_str(s, MARK_LEN + len);
}

bool json_number_int(const json_t *j, int64_t *ret)
{
	const char *text = json_number_text(j);
	return text && str_int64(text, ret, NULL);
}
