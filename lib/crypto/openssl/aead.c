// SPDX-License-Identifier: Apache-2.0
// AEAD on OpenSSL.
#include "lib/crypto/aead.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/seam.h"

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

bool aead_half_seal(const struct aead *a, struct bytes plain, unsigned char *out)
{
	AUTO(auto_cipher_) EVP_CIPHER_CTX *c = start(a, 1);
	int n = 0, tail = 0;
	bool ok = c &&
		  (!plain.len || EVP_CipherUpdate(c, out, &n, plain.p, (int)plain.len)) &&
		  EVP_CipherFinal_ex(c, out + n, &tail) &&
		  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN,
				      out + plain.len);
	ERR_clear_error();
	return ok;
}

bool aead_half_open(const struct aead *a, struct bytes sealed, unsigned char *out)
{
	size_t len = sealed.len - AEAD_TAG_LEN;
	unsigned char tag[AEAD_TAG_LEN];
	memcpy(tag, sealed.p + len, sizeof(tag));
	AUTO(auto_cipher_) EVP_CIPHER_CTX *c = start(a, 0);
	int n = 0, tail = 0;
	bool ok = c && (!len || EVP_CipherUpdate(c, out, &n, sealed.p, (int)len)) &&
		  EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) &&
		  EVP_CipherFinal_ex(c, out + n, &tail);
	ERR_clear_error();
	return ok;
}
