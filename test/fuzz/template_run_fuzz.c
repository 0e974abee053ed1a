// SPDX-License-Identifier: Apache-2.0
// links: templates
// A whole render within small limits: data (JSON) up to the first NUL, the template behind
// it. A failed run leaves the output as it was.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "templates/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 1 << 15 };

static enum tmpl_answer look(void *ctx, const struct tmpl_want *w, const json_t **ret,
			     struct err *e)
{
	(void)e;
	if (strlen(w->path) % 3 == 0)
		return TMPL_WANTED;
	*ret = ctx;
	return TMPL_FOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	const uint8_t *nul = size && size <= MAX ? memchr(data, 0, size) : NULL;
	if (!nul)
		return 0;
	struct err e = ERR_INIT;
	AUTO_JSON json_t *j = NULL;
	size_t len = (size_t)(nul - data);
	if (!json_parse((const char *)data, len, MAX, JSON_KEEP_NUMBERS, &j, &e))
		return 0;
	struct tmpl_opts opts = { .name = "t",
				  .max_steps = 20000,
				  .max_output = 65536,
				  .max_ms = 500,
				  .missing_key = (enum tmpl_missing_key)(len % 3) };
	struct tmpl_source source = { .lookup = look, .ctx = j };
	struct tmpl *t = NULL;
	AUTO_BUF struct buf out = BUF_INIT(65536);
	bool complete = false;
	buf_puts(&out, "#");
	if (!tmpl_parse((const char *)nul + 1, size - len - 1, &opts, &t, &e))
		return 0;
	bool ok = tmpl_run(t, &source, j, &out, &complete, &e);
	if (ok == (e.kind != ERR_NONE) || ((!ok || !complete) && out.len != 1))
		abort();
	tmpl_free(t);
	return 0;
}
