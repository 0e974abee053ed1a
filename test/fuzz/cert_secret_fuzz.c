// SPDX-License-Identifier: Apache-2.0
// links: webhook
// The Secret of the certificates, and the bundle of a registration: what is read whole can be
// written and read again, and a bundle needs no second patch.
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "webhook/cert_trust.h"

enum { NOW = 1800000000, MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	AUTO_JSON json_t *secret = NULL;
	AUTO_CERT_SET struct cert_set s = { .cas = { .n = 0 } };
	AUTO_CERT_SET struct cert_set again = { .cas = { .n = 0 } };
	if (!started) {
		mem_init(false);
		started = crypto_init(NULL);
	}
	if (!json_parse((const char *)data, size, MAX, JSON_PLAIN, &secret, NULL))
		return 0;
	if (cert_set_read(secret, &s, NULL)) {
		AUTO_JSON json_t *written = cert_set_write(&s, secret);
		if (!cert_set_read(written, &again, NULL))
			abort();
		assert(cert_gen_is(&s.newest, &again.newest));
		assert(cert_cas_equal(&s.cas, &again.cas));
	}
	json_decref(cert_trust_patch(secret, &s.cas, NOW));
	return 0;
}
