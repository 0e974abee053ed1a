// SPDX-License-Identifier: Apache-2.0
// links: cmd
// dotenv files of `ampoule seal import`.
#include <assert.h>
#include <stdint.h>

#include "cmd/seal_import.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	AUTO_JSON json_t *j = NULL;
	struct err e = ERR_INIT;
	bool ok =
		seal_dotenv_parse((struct str){ (const char *)data, size }, "f", &j, &e);
	assert(ok == (e.kind == ERR_NONE) && ok == (j != NULL));
	return 0;
}
