// SPDX-License-Identifier: Apache-2.0
// Sealing and opening of the state file's bytes.
#include "agent/state_seal.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"

#define MAGIC "ampoule state 1\n"

enum {
	MAGIC_LEN = 16,
	FAMILY_LEN = 14, // of the magic, what every version begins with
	POD_AT = MAGIC_LEN,
	SALT_AT = POD_AT + DIGEST_SHA256_LEN,
	SALT_LEN = 32,
	LEN_AT = SALT_AT + SALT_LEN,
	HEAD_LEN = LEN_AT + 8,
	POD_MAX = 512,
};

static const unsigned char nonce[AEAD_NONCE_LEN];

static bool derive(const struct state_key *k, const unsigned char *head,
		   unsigned char ret[static AEAD_KEY_LEN], struct err *e)
{
	AUTO_BUF struct buf info = BUF_INIT(MAGIC_LEN + POD_MAX);
	buf_puts(&info, MAGIC);
	if (!buf_puts(&info, k->pod))
		return err_set(e, ERR_LIMIT, 0, "the pod's name is too long");
	struct hkdf in = { .secret = k->secret,
			   .salt = bytes_of(head + SALT_AT, SALT_LEN),
			   .info = bytes_of(info.data, info.len) };
	return hkdf_sha256(&in, ret, AEAD_KEY_LEN, e);
}

static bool pod_digest(const struct state_key *k, unsigned char *ret, struct err *e)
{
	return digest_of(DIGEST_SHA256, bytes_of_str(k->pod), ret, e);
}

static void put_len(unsigned char *to, uint64_t n)
{
	for (int i = 7; i >= 0; i--, n >>= 8)
		to[i] = (unsigned char)n;
}

static uint64_t get_len(const unsigned char *from)
{
	uint64_t n = 0;
	for (int i = 0; i < 8; i++)
		n = n << 8 | from[i];
	return n;
}

bool state_seal(const struct state_key *k, struct bytes plain, struct buf *to,
		struct err *e)
{
	unsigned char head[HEAD_LEN] = MAGIC, key[AEAD_KEY_LEN];
	if (plain.len > STATE_MAX - HEAD_LEN - AEAD_TAG_LEN)
		return err_set(e, ERR_LIMIT, 0, "the state is longer than %d MiB",
			       STATE_MAX >> 20);
	if (!pod_digest(k, head + POD_AT, e) ||
	    !crypto_random(head + SALT_AT, SALT_LEN, e))
		return false;
	put_len(head + LEN_AT, plain.len + AEAD_TAG_LEN);
	struct aead a = { .alg = AEAD_CHACHA20_POLY1305,
			  .key = key,
			  .nonce = nonce,
			  .aad = BYTES_OF(head) };
	bool ok = derive(k, head, key, e) &&
		  (buf_add(to, head, HEAD_LEN) ||
		   err_set(e, ERR_LIMIT, 0, "no room for the state")) &&
		  aead_seal(&a, plain, to, e);
	mem_wipe(key, sizeof(key));
	return ok;
}

static bool check_head(const struct state_key *k, struct bytes b, struct err *e)
{
	unsigned char pod[DIGEST_SHA256_LEN];
	if (b.len < FAMILY_LEN || memcmp(b.p, MAGIC, FAMILY_LEN) != 0)
		return err_set(e, ERR_CONFIG, 0, "it is no state of an agent");
	if (b.len >= MAGIC_LEN && memcmp(b.p, MAGIC, MAGIC_LEN) != 0)
		return err_set(e, ERR_CONFIG, 0, "another version of the agent wrote it");
	if (b.len < HEAD_LEN || b.len - HEAD_LEN != get_len(b.p + LEN_AT))
		return err_set(e, ERR_CONFIG, 0, "it is cut, or something is behind it");
	if (!pod_digest(k, pod, e))
		return false;
	return memcmp(pod, b.p + POD_AT, sizeof(pod)) == 0 ||
	       err_set(e, ERR_DENIED, 0, "it belongs to another pod");
}

bool state_unseal(const struct state_key *k, struct bytes sealed, struct buf *to,
		  struct err *e)
{
	unsigned char key[AEAD_KEY_LEN];
	if (!check_head(k, sealed, e))
		return false;
	struct aead a = { .alg = AEAD_CHACHA20_POLY1305,
			  .key = key,
			  .nonce = nonce,
			  .aad = bytes_of(sealed.p, HEAD_LEN) };
	struct bytes rest = bytes_of(sealed.p + HEAD_LEN, sealed.len - HEAD_LEN);
	struct err why = ERR_INIT;
	bool ok = derive(k, sealed.p, key, e) &&
		  (aead_open(&a, rest, to, &why) ||
		   (why.kind == ERR_DENIED
			    ? err_set(e, ERR_DENIED, 0,
				      "it was sealed with another key, or was changed")
			    : err_set(e, why.kind, 0, "%s", why.text)));
	mem_wipe(key, sizeof(key));
	return ok;
}
