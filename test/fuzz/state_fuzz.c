// SPDX-License-Identifier: Apache-2.0
// links: agent
// The agent's state: a file of any bytes, and a document of any text behind a good seal.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/state_doc.h"
#include "agent/state_seal.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void document(const char *text, size_t len)
{
	struct state_now now = { .wall_ms = INT64_C(1795237329000),
				 .mono_ms = 5000000,
				 .boot = "b" };
	AUTO_JSON json_t *doc = NULL;
	struct err e = ERR_INIT;
	int64_t age = -1;
	const char *key;
	json_t *store, *one;
	if (!state_doc_parse(text, len, &now, &doc, &age, &e)) {
		check(e.kind == ERR_CONFIG && e.text[0] && !doc);
		return;
	}
	check(age >= 0 && age <= STATE_AGE_MAX_MS);
	json_object_foreach(json_object_get(doc, "stores"), key, store)
	{
		const char *name;
		json_object_foreach(json_object_get(store, "secrets"), name, one)
		{
			struct state_secret s;
			check(state_doc_read_secret(one, age, &s, NULL));
			check(s.body && s.version && s.lease_id && s.left_ms >= 0);
			json_decref(state_doc_secret(&s));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char secret[STATE_SECRET_MIN] =
		"the key of the fuzzer, 32 bytes";
	struct state_key k = { .secret = BYTES_OF(secret), .pod = "pod" };
	struct err e = ERR_INIT;
	mem_init(false);
	check(crypto_init(&e));
	AUTO_BUF struct buf plain = BUF_INIT(STATE_MAX);
	if (!state_unseal(&k, bytes_of(data, size), &plain, &e))
		check(plain.len == 0 && (e.kind == ERR_CONFIG || e.kind == ERR_DENIED));
	AUTO_FREE char *text = mem_dup(data, size);
	document(text, size);
	return 0;
}
