// SPDX-License-Identifier: Apache-2.0
// Eight bytes at once: strings are most of a document, for the reader and for the writer.
#include "lib/base/json_letters.h"

#include <string.h>

#include "lib/base/lanes.h"

// Whether a byte of v is zero, or (n at most 128) below n.
static bool has_below(uint64_t v, unsigned n)
{
	return (v - LANES(n)) & ~v & LANES(0x80);
}

size_t json_letters(const char *p, size_t len, bool *ret_other)
{
	uint64_t v, high = 0;
	size_t i = 0;
	for (; len - i >= sizeof(v); i += sizeof(v), high |= v) {
		memcpy(&v, p + i, sizeof(v));
		if (has_below(v, ' ') || has_below(v ^ LANES('"'), 1) ||
		    has_below(v ^ LANES('\\'), 1))
			break;
	}
	for (; i < len && p[i] != '"' && p[i] != '\\' && (unsigned char)p[i] >= ' '; i++)
		high |= (unsigned char)p[i];
	if (ret_other && (high & LANES(0x80)))
		*ret_other = true;
	return i;
}
