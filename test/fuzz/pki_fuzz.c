// SPDX-License-Identifier: Apache-2.0
// links: agent
// Certificates and keys in text of any kind.
#include <stdint.h>
#include <stdlib.h>

#include "agent/pki.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	if (!crypto_init(NULL))
		abort();
	AUTO_JSON json_t *params = json_pack("{s:s}", "common_name", "app.example");
	struct pki_want want = { .params = params, .now_ms = INT64_C(1800000000000) };
	struct pki_found found;
	if (pki_find(bytes_of(data, size), &want, &found)) {
		if (found.left_ms <= 0 || !json_object_get(found.body, "data"))
			abort();
		json_decref(found.body);
		mem_free(found.serial);
	}
	return 0;
}
