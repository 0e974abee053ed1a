// SPDX-License-Identifier: Apache-2.0
// AEAD on OpenSSL. EVP streams plaintext out before the tag is known, so a message that
// does not verify is wiped before it is refused.
#include "lib/crypto/aead.h"

#include <openssl/evp.h>

#include "lib/crypto/openssl/ossl.h"

static void auto_cipher_(EVP_CIPHER_CTX **c)
{
	EVP_CIPHER_CTX_free(*c); // wipes the key schedule
}

static EVP_CIPHER_CTX *start(const struct aead *a, int encrypt)
{
	const EVP_CIPHER *cipher =
		a->alg == AEAD_AES_256_GCM ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	if (c && EVP_CipherInit_ex(c, cipher, NULL, a->key, a->nonce, encrypt) &&
	    (a->aad.len == 0 || EVP_CipherUpdate(c, NULL, &n, a->aad.p, (int)a->aad.len)))
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

// Room in `to` for len bytes, or an error.
static unsigned char *room(struct buf *to, size_t len, struct err *e)
{
	unsigned char *p = (unsigned char *)buf_room(to, len);
	if (!p)
		err_set(e, ERR_LIMIT, 0, "AEAD: the result is longer than %zu bytes",
			to->max);
	return p;
}

bool aead_seal(const struct aead *a, struct bytes plain, struct buf *to, struct err *e)
{
	if (plain.len > AEAD_INPUT_MAX || a->aad.len > AEAD_INPUT_MAX)
		return err_set(e, ERR_LIMIT, 0, "AEAD: message too long");
	unsigned char *out = room(to, plain.len + AEAD_TAG_LEN, e);
	if (!out)
		return false;
	AUTO(auto_cipher_) EVP_CIPHER_CTX *c = start(a, 1);
	int n = 0, tail = 0;
	if (!c || (plain.len && !EVP_CipherUpdate(c, out, &n, plain.p, (int)plain.len)) ||
	    !EVP_CipherFinal_ex(c, out + n, &tail) ||
	    !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN,
				 out + plain.len)) {
		buf_end(to);
		return crypto_ossl_fail(e, ERR_BUG, "AEAD seal");
	}
	to->len += plain.len + AEAD_TAG_LEN;
	buf_end(to);
	return true;
}

bool aead_open(const struct aead *a, struct bytes sealed, struct buf *to, struct err *e)
{
	if (sealed.len < AEAD_TAG_LEN)
		return err_set(e, ERR_DENIED, 0, "AEAD: shorter than its tag");
	size_t len = sealed.len - AEAD_TAG_LEN;
	if (len > AEAD_INPUT_MAX || a->aad.len > AEAD_INPUT_MAX)
		return err_set(e, ERR_LIMIT, 0, "AEAD: message too long");
	unsigned char *out = room(to, len, e);
	if (!out)
		return false;
	unsigned char tag[AEAD_TAG_LEN];
	memcpy(tag, sealed.p + len, sizeof(tag));
	AUTO(auto_cipher_) EVP_CIPHER_CTX *c = start(a, 0);
	int n = 0, tail = 0;
	if (!c || (len && !EVP_CipherUpdate(c, out, &n, sealed.p, (int)len)) ||
	    !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) ||
	    !EVP_CipherFinal_ex(c, out + n, &tail)) {
		OPENSSL_cleanse(out, len);
		buf_end(to);
		crypto_ossl_fail(NULL, ERR_BUG, "");
		return err_set(e, ERR_DENIED, 0,
			       "AEAD: wrong key, or the bytes were changed");
	}
	to->len += len;
	buf_end(to);
	return true;
}
