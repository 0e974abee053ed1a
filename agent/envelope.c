// SPDX-License-Identifier: Apache-2.0
// Encrypted token sinks.
#include "agent/envelope.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"

static const char key_name[] = "curve25519_public_key";

bool envelope_key(const char *text, size_t len, unsigned char ret[static X25519_LEN],
		  struct err *e)
{
	AUTO_JSON json_t *j = NULL;
	AUTO_BUF struct buf key = BUF_INIT(X25519_LEN);
	const char *b64 = "";
	if (!json_parse(text, len, ENVELOPE_KEY_FILE_MAX, JSON_PLAIN, &j, e) ||
	    !json_get_str(j, key_name, &b64, e))
		return false;
	if (!codec_b64_decode(b64, strlen(b64), B64_STD | B64_NEWLINES, &key, NULL) ||
	    key.len != X25519_LEN)
		return err_set(e, ERR_CONFIG, 0, "'%s' must be the base64 of %d bytes",
			       key_name, X25519_LEN);
	memcpy(ret, buf_str(&key), X25519_LEN);
	return true;
}

struct keys {
	unsigned char own[X25519_LEN], public_[X25519_LEN], shared[X25519_LEN];
	unsigned char nonce[AEAD_NONCE_LEN];
};

static bool agree(const struct envelope *how, struct keys *k, struct err *e)
{
	if (!x25519_generate(k->own, e) || !x25519_public(k->own, k->public_, e) ||
	    !x25519_shared(k->own, how->reader, k->shared, e) ||
	    !crypto_random(k->nonce, sizeof(k->nonce), e))
		return false;
	if (!how->derive_key)
		return true;
	bool ours_first = memcmp(k->public_, how->reader, X25519_LEN) < 0;
	struct bytes ours = BYTES_OF(k->public_);
	struct bytes theirs = bytes_of(how->reader, X25519_LEN);
	struct hkdf in = { .secret = BYTES_OF(k->shared),
			   .salt = ours_first ? ours : theirs,
			   .info = ours_first ? theirs : ours };
	return hkdf_sha256(&in, k->own, sizeof(k->own), e) &&
	       memcpy(k->shared, k->own, sizeof(k->own));
}

static void put(struct buf *to, const char *name, struct bytes value)
{
	buf_printf(to, "\"%s\":\"", name);
	codec_b64_encode(value.p, value.len, B64_STD, to);
	buf_putc(to, '"');
}

bool envelope_seal(const struct envelope *how, struct bytes plain, struct buf *to,
		   struct err *e)
{
	AUTO_FREE struct keys *k = mem_alloc(sizeof(*k)); // wiped when freed
	AUTO_BUF struct buf sealed = BUF_INIT(plain.len + AEAD_TAG_LEN);
	if (!agree(how, k, e))
		return false;
	struct aead with = { .alg = AEAD_AES_256_GCM,
			     .key = k->shared,
			     .nonce = k->nonce,
			     .aad = how->aad };
	if (!aead_seal(&with, plain, &sealed, e))
		return false;
	buf_putc(to, '{');
	put(to, key_name, BYTES_OF(k->public_));
	buf_putc(to, ',');
	put(to, "nonce", BYTES_OF(k->nonce));
	buf_putc(to, ',');
	put(to, "encrypted_payload", bytes_of(buf_str(&sealed), sealed.len));
	buf_puts(to, "}\n");
	if (buf_failed(to))
		return err_set(e, ERR_LIMIT, 0, "the token is too long");
	return true;
}
