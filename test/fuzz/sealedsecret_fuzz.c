// SPDX-License-Identifier: Apache-2.0
// links: stores
// YAML manifests and the items of SealedSecrets, and the key files of their controller.
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/sealedsecret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sealedsecret_keys none;

// What stands behind the private key's operation needs no key to be reached: lengths and
// forms. An item opens never, as there is no key.
static void open_items(const json_t *doc)
{
	struct sealedsecret s;
	struct err e = ERR_INIT;
	char version[13];
	const char *item;
	json_t *unused;
	if (!sealedsecret_is(doc) || !sealedsecret_read(doc, "ns", &s, &e))
		return;
	assert(sealedsecret_version(&s, version, &e));
	json_object_foreach((json_t *)s.items, item, unused)
	{
		AUTO_BUF struct buf value = BUF_INIT(4096);
		err_clear(&e);
		assert(!sealedsecret_open_item(&s, &none, item, &value, &e));
		assert(e.kind != ERR_NONE && e.kind != ERR_BUG && value.len == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	if (!started) {
		mem_init(false);
		if (!crypto_init(NULL))
			abort();
		started = true;
	}
	struct str text = { (const char *)data, size };
	struct err e = ERR_INIT;
	AUTO_MANIFEST struct manifest m = { 0 };
	if (manifest_parse(text, "f", &m, &e)) {
		for (size_t i = 0; i < m.n; i++)
			open_items(m.docs[i].root);
	} else {
		assert(e.kind != ERR_NONE && m.n == 0);
	}
	struct sealedsecret_keys keys = { 0 };
	err_clear(&e);
	bool ok = sealedsecret_keys_parse(&keys, text, "f", &e);
	assert(ok == (e.kind == ERR_NONE));
	sealedsecret_keys_release(&keys);
	return 0;
}
