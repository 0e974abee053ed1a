// SPDX-License-Identifier: Apache-2.0
// links: lib/conf
// A configuration document, HCL or JSON, through the whole loader. What is accepted must read
// back from its own dump.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/conf/conf.h"
#include "lib/conf/hcl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf *load(const char *text, struct err *e)
{
	struct conf_load_opts opts = { .text = text, .text_name = "f" };
	struct conf *c = NULL;
	return conf_load(&opts, &c, e) ? c : NULL;
}

static char *dump(const struct conf *c)
{
	AUTO_JSON json_t *j = conf_to_json(c);
	char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	if (!text)
		abort();
	return text;
}

static void round_trip(const struct conf *c)
{
	struct err e = ERR_INIT;
	AUTO_FREE char *first = dump(c);
	struct conf *again = load(first, &e);
	if (!again && e.kind == ERR_LIMIT) // names are added, so that it may be longer
		return;
	if (!again)
		abort();
	AUTO_FREE char *second = dump(again);
	struct conf *third = load(second, &e);
	AUTO_FREE char *last = third ? dump(third) : NULL;
	// 1e3 of a store's own option becomes 1000 in the first round; then nothing changes.
	if (!third || strcmp(second, last) != 0)
		abort();
	conf_free(again);
	conf_free(third);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	AUTO_POOL struct pool p = { 0 };
	const struct node *root = NULL;
	struct err e = ERR_INIT;
	if (hcl_parse(&p, "f", (const char *)data, size, &root, &e)) {
		AUTO_JSON json_t *j = node_to_json(root);
		if (!j)
			abort();
	} else if (e.kind == ERR_NONE || e.text[0] == '\0') {
		abort();
	}
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	err_clear(&e);
	struct conf *c = load(text, &e);
	if (c)
		round_trip(c);
	else if (e.kind == ERR_NONE || e.text[0] == '\0')
		abort();
	conf_free(c);
	return 0;
}
