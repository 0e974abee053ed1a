// SPDX-License-Identifier: Apache-2.0
// Borrowed bytes: a pointer and a length that travel together, so that functions of
// cryptography, which take many inputs, keep few parameters.
#pragma once

#include <stddef.h>
#include <string.h>

struct bytes {
	const unsigned char *p; // may be NULL when len is 0
	size_t len;
};

#define BYTES_NONE ((struct bytes){ .p = NULL, .len = 0 })

static inline struct bytes bytes_of(const void *p, size_t len)
{
	return (struct bytes){ .p = p, .len = len };
}

// Without the NUL; NULL is empty.
static inline struct bytes bytes_of_str(const char *s)
{
	return bytes_of(s, s ? strlen(s) : 0);
}

// The bytes of an array.
#define BYTES_OF(array) bytes_of((array), sizeof(array))
