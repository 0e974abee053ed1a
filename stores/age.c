// SPDX-License-Identifier: Apache-2.0
// age v1: a file key wrapped for each recipient (X25519, HKDF-SHA256, ChaCha20-Poly1305),
// a header MAC, and the payload in chunks (STREAM).
#include "stores/age.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"
#include "stores/age_header.h"

static const unsigned char zero_nonce[AEAD_NONCE_LEN];

// A key that is wiped when it goes out of scope.
struct key {
	unsigned char bytes[AEAD_KEY_LEN];
};

static void key_wipe(struct key *k)
{
	mem_wipe(k, sizeof(*k));
}
#define AUTO_KEY AUTO(key_wipe)

static bool derive(struct bytes secret, struct bytes salt, const char *info,
		   struct key *ret, struct err *e)
{
	struct hkdf in = { .secret = secret, .salt = salt, .info = bytes_of_str(info) };
	return hkdf_sha256(&in, ret->bytes, sizeof(ret->bytes), e);
}

// The key that wraps the file key between an ephemeral share and a recipient.
static bool wrap_key(const unsigned char shared[static X25519_LEN],
		     const unsigned char share[static X25519_LEN],
		     const struct age_recipient *r, struct key *ret, struct err *e)
{
	unsigned char salt[2 * X25519_LEN];
	memcpy(salt, share, X25519_LEN);
	memcpy(salt + X25519_LEN, r->key, X25519_LEN);
	return derive(bytes_of(shared, X25519_LEN), BYTES_OF(salt),
		      "age-encryption.org/v1/X25519", ret, e);
}

static bool header_mac(struct bytes file_key, struct bytes header,
		       unsigned char ret[static AGE_MAC_LEN], struct err *e)
{
	AUTO_KEY struct key k;
	return derive(file_key, BYTES_NONE, "header", &k, e) &&
	       hmac_of(DIGEST_SHA256, BYTES_OF(k.bytes), header, ret, e);
}

// A chunk's nonce: an 11-byte counter and whether it is the last one.
static void chunk_nonce(uint64_t counter, bool last,
			unsigned char ret[static AEAD_NONCE_LEN])
{
	memset(ret, 0, AEAD_NONCE_LEN);
	for (int i = 10; i > 2; i--, counter >>= 8)
		ret[i] = (unsigned char)counter;
	ret[AEAD_NONCE_LEN - 1] = last;
}

// --- sealing

static bool wrap(const struct age_recipient *r, struct bytes file_key,
		 struct age_stanza *ret, struct err *e)
{
	AUTO_KEY struct key ephemeral, shared, k;
	AUTO_BUF struct buf wrapped = BUF_INIT(AGE_WRAPPED_LEN);
	if (!x25519_generate(ephemeral.bytes, e) ||
	    !x25519_public(ephemeral.bytes, ret->share, e) ||
	    !x25519_shared(ephemeral.bytes, r->key, shared.bytes, e) ||
	    !wrap_key(shared.bytes, ret->share, r, &k, e))
		return false;
	struct aead a = { AEAD_CHACHA20_POLY1305, k.bytes, zero_nonce, BYTES_NONE };
	if (!aead_seal(&a, file_key, &wrapped, e))
		return false;
	memcpy(ret->wrapped, wrapped.data, AGE_WRAPPED_LEN);
	return true;
}

static bool seal_payload(struct bytes file_key, struct bytes plain, struct buf *to,
			 struct err *e)
{
	unsigned char salt[AGE_NONCE_LEN];
	AUTO_KEY struct key k;
	if (!crypto_random(salt, sizeof(salt), e) ||
	    !derive(file_key, BYTES_OF(salt), "payload", &k, e))
		return false;
	if (!buf_add(to, salt, sizeof(salt)))
		return err_set(e, ERR_LIMIT, 0, "the sealed message is too long");
	uint64_t counter = 0;
	bool last = false;
	for (size_t at = 0; !last; counter++) {
		size_t n = plain.len - at < AGE_CHUNK ? plain.len - at : AGE_CHUNK;
		last = at + n == plain.len;
		unsigned char nonce[AEAD_NONCE_LEN];
		chunk_nonce(counter, last, nonce);
		struct aead a = { AEAD_CHACHA20_POLY1305, k.bytes, nonce, BYTES_NONE };
		if (!aead_seal(&a, bytes_of(n ? plain.p + at : NULL, n), to, e))
			return false;
		at += n;
	}
	return true;
}

static bool seal_header(struct age_to r, struct bytes file_key, struct buf *to,
			struct err *e)
{
	AUTO_FREE struct age_stanza *stanzas = mem_calloc(r.n, sizeof(*stanzas));
	for (size_t i = 0; i < r.n; i++)
		if (!wrap(&r.recipients[i], file_key, &stanzas[i], e))
			return false;
	size_t start = to->len;
	unsigned char mac[AGE_MAC_LEN];
	if (!age_header_write(stanzas, r.n, to))
		return err_set(e, ERR_LIMIT, 0, "the sealed message is too long");
	if (!header_mac(file_key, bytes_of(to->data + start, to->len - start), mac, e))
		return false;
	return age_header_finish(mac, to) ||
	       err_set(e, ERR_LIMIT, 0, "the sealed message is too long");
}

bool age_seal(struct age_to recipients, struct bytes plain, struct buf *to, struct err *e)
{
	if (recipients.n == 0 || recipients.n > AGE_KEYS_MAX)
		return err_set(e, ERR_CONFIG, 0, "%zu recipients; there must be 1 to %d",
			       recipients.n, AGE_KEYS_MAX);
	if (plain.len > AGE_MESSAGE_MAX)
		return err_set(e, ERR_LIMIT, 0, "a message of %zu bytes; at most %d",
			       plain.len, AGE_MESSAGE_MAX);
	AUTO_KEY struct key file_key;
	if (!crypto_random(file_key.bytes, AGE_FILE_KEY_LEN, e))
		return false;
	struct bytes k = bytes_of(file_key.bytes, AGE_FILE_KEY_LEN);
	size_t start = to->len;
	if (seal_header(recipients, k, to, e) && seal_payload(k, plain, to, e))
		return true;
	buf_truncate(to, start);
	return false;
}

// --- opening

// Whether this key opens this stanza. An error that is more than "another key's" ends it.
static bool unwrap(const struct age_identity *id, const struct age_stanza *s,
		   struct key *ret_file_key, bool *ret_found, struct err *e)
{
	AUTO_KEY struct key shared, k;
	AUTO_BUF struct buf file_key = BUF_INIT(AGE_FILE_KEY_LEN);
	if (!x25519_shared(id->secret, s->share, shared.bytes, e) ||
	    !wrap_key(shared.bytes, s->share, &id->recipient, &k, e))
		return false;
	struct aead a = { AEAD_CHACHA20_POLY1305, k.bytes, zero_nonce, BYTES_NONE };
	struct err not_mine = ERR_INIT;
	*ret_found = aead_open(&a, bytes_of(s->wrapped, sizeof(s->wrapped)), &file_key,
			       &not_mine);
	if (*ret_found)
		memcpy(ret_file_key->bytes, file_key.data, AGE_FILE_KEY_LEN);
	return *ret_found || not_mine.kind == ERR_DENIED ||
	       err_set(e, not_mine.kind, 0, "%s", not_mine.text);
}

static bool find_file_key(const struct age_keyring *ring, const struct age_header *h,
			  struct key *ret, struct err *e)
{
	for (size_t i = 0; i < h->n; i++) {
		for (size_t k = 0; k < ring->n; k++) {
			bool found = false;
			if (!unwrap(&ring->ids[k], &h->stanzas[i], ret, &found, e))
				return false;
			if (found)
				return true;
		}
	}
	return err_set(e, ERR_DENIED, 0,
		       "sealed for %zu recipient%s, none of which is this key", h->n,
		       h->n == 1 ? "" : "s");
}

static bool open_payload(struct bytes file_key, struct bytes payload, struct buf *to,
			 struct err *e)
{
	AUTO_KEY struct key k;
	if (payload.len < AGE_NONCE_LEN + AEAD_TAG_LEN)
		return err_set(e, ERR_DENIED, 0, "the sealed value is cut off");
	if (!derive(file_key, bytes_of(payload.p, AGE_NONCE_LEN), "payload", &k, e))
		return false;
	uint64_t counter = 0;
	bool last = false;
	for (size_t at = AGE_NONCE_LEN; !last; counter++) {
		size_t left = payload.len - at, whole = AGE_CHUNK + AEAD_TAG_LEN;
		size_t n = left < whole ? left : whole;
		last = n == left;
		// An empty chunk ends only an empty message.
		if (n < AEAD_TAG_LEN || (counter > 0 && n == AEAD_TAG_LEN))
			return err_set(e, ERR_DENIED, 0, "the sealed value is cut off");
		unsigned char nonce[AEAD_NONCE_LEN];
		chunk_nonce(counter, last, nonce);
		struct aead a = { AEAD_CHACHA20_POLY1305, k.bytes, nonce, BYTES_NONE };
		if (!aead_open(&a, bytes_of(payload.p + at, n), to, e))
			return false;
		at += n;
	}
	return true;
}

bool age_open(const struct age_keyring *ring, struct bytes sealed, struct buf *to,
	      struct err *e)
{
	AUTO_FREE struct age_header *h = mem_alloc(sizeof(*h));
	AUTO_KEY struct key file_key;
	if (!age_header_parse(sealed, h, e) || !find_file_key(ring, h, &file_key, e))
		return false;
	struct bytes k = bytes_of(file_key.bytes, AGE_FILE_KEY_LEN);
	unsigned char mac[AGE_MAC_LEN];
	if (!header_mac(k, bytes_of(sealed.p, h->mac_over), mac, e))
		return false;
	if (!crypto_equal(mac, h->mac, sizeof(mac)))
		return err_set(e, ERR_DENIED, 0,
			       "the header of the sealed value was changed");
	size_t start = to->len;
	struct bytes payload = bytes_of(sealed.p + h->len, sealed.len - h->len);
	if (open_payload(k, payload, to, e))
		return true;
	buf_truncate(to, start);
	return false;
}
