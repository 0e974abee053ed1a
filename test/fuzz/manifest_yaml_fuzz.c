// SPDX-License-Identifier: Apache-2.0
// links: cmd
// A manifest: what is read is written so that it reads back as the same values.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/yaml_json.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const json_t *doc)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(YAML_TEXT_MAX);
	AUTO_JSON json_t *again = NULL;
	if (!yaml_write(doc, &text, &e) ||
	    !yaml_read("f", buf_str(&text), text.len, &again, &e) ||
	    json_array_size(again) != 1)
		abort();
	if (!json_equal(doc, json_array_get(again, 0)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	struct err e = ERR_INIT;
	AUTO_JSON json_t *docs = NULL;
	if (size > 64 * 1024)
		return 0;
	if (!yaml_read("f", (const char *)data, size, &docs, &e)) {
		if (!e.text[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < json_array_size(docs); i++)
		round_trip(json_array_get(docs, i));
	return 0;
}
