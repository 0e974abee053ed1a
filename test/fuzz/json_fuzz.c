// SPDX-License-Identifier: Apache-2.0
// links: lib/base
// A JSON document of a store or a configuration. With kept numbers, what is accepted must come
// out and in again without a change, and must be accepted by the plain reader's grammar too.
// The plain reader takes what jansson's own takes, and finds the same values.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 1 << 20 };

static json_t *parse(const char *text, size_t len, enum json_flags flags)
{
	struct err e = ERR_INIT;
	json_t *j = NULL;
	if (json_parse(text, len, MAX * 8, flags, &j, &e))
		return j;
	if (e.kind == ERR_NONE || e.text[0] == '\0' || j)
		abort();
	return NULL;
}

static void write(const json_t *j, struct buf *to)
{
	if (!json_write(j, to, NULL))
		abort();
}

// The mark of kept numbers is random so that nobody can write it; a fuzzer sees it compared.
static bool has_mark(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *number = json_number_new("1", 1);
	const char *text = json_string_value(number);
	return size && memmem(data, size, text, strlen(text) - 1);
}

static bool too_deep(const json_t *j, unsigned depth)
{
	const char *key;
	json_t *value;
	size_t i;
	bool deep = false;
	json_object_foreach((json_t *)(uintptr_t)j, key, value) deep |=
		too_deep(value, depth + 1);
	json_array_foreach(j, i, value) deep |= too_deep(value, depth + 1);
	return deep ||
	       (depth >= JSON_DEPTH_MAX && (json_is_object(j) || json_is_array(j)));
}

static void compare_with_jansson(const char *text, size_t len, const json_t *ours)
{
	AUTO_JSON json_t *theirs = json_loadb(
		text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
		NULL);
	bool known = (len && memchr(text, 0, len)) || too_deep(theirs, 0);
	if (!known && (!ours != !theirs || (ours && !json_equal(ours, theirs))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	if (size > MAX || has_mark(data, size))
		return 0;
	AUTO_JSON json_t *plain = parse((const char *)data, size, JSON_PLAIN);
	compare_with_jansson((const char *)data, size, plain);
	AUTO_JSON json_t *kept = parse((const char *)data, size, JSON_KEEP_NUMBERS);
	if (plain && !kept) // the plain reader takes nothing that the other refuses
		abort();
	if (!kept)
		return 0;
	AUTO_BUF struct buf once = BUF_INIT(MAX * 8);
	AUTO_BUF struct buf twice = BUF_INIT(MAX * 8);
	write(kept, &once);
	AUTO_JSON json_t *again = parse(buf_str(&once), once.len, JSON_KEEP_NUMBERS);
	if (!again || !json_equal(kept, again))
		abort();
	write(again, &twice);
	if (!buf_equal(&once, &twice))
		abort();
	return 0;
}
