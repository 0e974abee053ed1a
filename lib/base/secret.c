// SPDX-License-Identifier: Apache-2.0
// Secret bytes: length and content in one wiped block.
#include "lib/base/secret.h"

#include <string.h>

#include "lib/base/mem.h"

struct secret {
	size_t len;
	char bytes[];
};

struct secret *secret_new(const void *bytes, size_t len)
{
	struct secret *s = mem_alloc(sizeof(*s) + len + 1);
	s->len = len;
	if (len)
		memcpy(s->bytes, bytes, len);
	return s;
}

struct secret *secret_from_str(const char *s)
{
	return secret_new(s, strlen(s));
}

void secret_free(struct secret *s)
{
	mem_free(s);
}

const char *secret_bytes(const struct secret *s)
{
	return s ? s->bytes : NULL;
}

size_t secret_len(const struct secret *s)
{
	return s ? s->len : 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	if (!a || !b)
		return a == b;
	if (a->len != b->len)
		return false;
	unsigned char diff = 0;
	for (size_t i = 0; i < a->len; i++)
		diff |= (unsigned char)(a->bytes[i] ^ b->bytes[i]);
	return diff == 0;
}

void auto_secret_(struct secret **s)
{
	secret_free(*s);
	*s = NULL;
}
