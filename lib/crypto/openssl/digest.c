// SPDX-License-Identifier: Apache-2.0
// Digests, HMAC and PBKDF2 on OpenSSL.
#include "lib/crypto/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/mem.h"
#include "lib/crypto/openssl/ossl.h"
#include "lib/crypto/seam.h"

struct digest {
	EVP_MD_CTX *ctx;
	bool failed;
};

const EVP_MD *crypto_ossl_md(enum digest_alg alg)
{
	switch (alg) {
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

bool digest_of(enum digest_alg alg, struct bytes in, unsigned char *ret, struct err *e)
{
	if (!EVP_Digest(in.p, in.len, ret, NULL, crypto_ossl_md(alg), NULL))
		return crypto_ossl_fail(e, ERR_BUG, "digest");
	return true;
}

bool digest_new(enum digest_alg alg, struct digest **ret, struct err *e)
{
	AUTO_DIGEST struct digest *d = mem_alloc(sizeof(*d));
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || !EVP_DigestInit_ex(d->ctx, crypto_ossl_md(alg), NULL))
		return crypto_ossl_fail(e, ERR_BUG, "digest");
	*ret = TAKE(d);
	return true;
}

void digest_add(struct digest *d, struct bytes piece)
{
	if (!EVP_DigestUpdate(d->ctx, piece.p, piece.len))
		d->failed = true;
}

bool digest_end(struct digest *d, unsigned char *ret, struct err *e)
{
	if (d->failed || !EVP_DigestFinal_ex(d->ctx, ret, NULL))
		return crypto_ossl_fail(e, ERR_BUG, "digest");
	return true;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	mem_free(d);
}

bool hmac_of(enum digest_alg alg, struct bytes key, struct bytes in, unsigned char *ret,
	     struct err *e)
{
	if (key.len > INT_MAX)
		return err_set(e, ERR_LIMIT, 0, "HMAC: key too long");
	// OpenSSL takes a NULL key for "as before", which an empty key is not.
	const void *key_bytes = key.len ? (const void *)key.p : "";
	if (!HMAC(crypto_ossl_md(alg), key_bytes, (int)key.len, in.p, in.len, ret, NULL))
		return crypto_ossl_fail(e, ERR_BUG, "HMAC");
	return true;
}

bool pbkdf2_derive(const struct pbkdf2 *in, unsigned char *ret, size_t len, struct err *e)
{
	const char *password = in->password.len ? (const char *)in->password.p : "";
	if (!PKCS5_PBKDF2_HMAC(password, (int)in->password.len, in->salt.p,
			       (int)in->salt.len, (int)in->iterations, EVP_sha256(),
			       (int)len, ret))
		return crypto_ossl_fail(e, ERR_BUG, "PBKDF2");
	return true;
}
