// SPDX-License-Identifier: Apache-2.0
// Digests, HMAC and PBKDF2 on mbedTLS.
#include "lib/crypto/digest.h"

#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>

#include "lib/base/mem.h"
#include "lib/crypto/mbedtls/mbed.h"
#include "lib/crypto/seam.h"

struct digest {
	mbedtls_md_context_t ctx;
	int failed; // the first code, or 0
};

mbedtls_md_type_t crypto_mbed_md(enum digest_alg alg)
{
	switch (alg) {
	case DIGEST_MD5:
		return MBEDTLS_MD_MD5;
	case DIGEST_SHA1:
		return MBEDTLS_MD_SHA1;
	case DIGEST_SHA256:
		return MBEDTLS_MD_SHA256;
	case DIGEST_SHA384:
		return MBEDTLS_MD_SHA384;
	case DIGEST_SHA512:
		return MBEDTLS_MD_SHA512;
	}
	return MBEDTLS_MD_NONE;
}

static const mbedtls_md_info_t *info(enum digest_alg alg)
{
	return mbedtls_md_info_from_type(crypto_mbed_md(alg));
}

bool digest_of(enum digest_alg alg, struct bytes in, unsigned char *ret, struct err *e)
{
	int rc = mbedtls_md(info(alg), in.p, in.len, ret);
	return rc == 0 || crypto_mbed_fail(e, ERR_BUG, "digest", rc);
}

bool digest_new(enum digest_alg alg, struct digest **ret, struct err *e)
{
	AUTO_DIGEST struct digest *d = mem_alloc(sizeof(*d));
	mbedtls_md_init(&d->ctx);
	int rc = mbedtls_md_setup(&d->ctx, info(alg), 0);
	if (rc == 0)
		rc = mbedtls_md_starts(&d->ctx);
	if (rc)
		return crypto_mbed_fail(e, ERR_BUG, "digest", rc);
	*ret = TAKE(d);
	return true;
}

void digest_add(struct digest *d, struct bytes piece)
{
	int rc = piece.len ? mbedtls_md_update(&d->ctx, piece.p, piece.len) : 0;
	if (!d->failed)
		d->failed = rc;
}

bool digest_end(struct digest *d, unsigned char *ret, struct err *e)
{
	int rc = d->failed ? d->failed : mbedtls_md_finish(&d->ctx, ret);
	return rc == 0 || crypto_mbed_fail(e, ERR_BUG, "digest", rc);
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	mbedtls_md_free(&d->ctx); // wipes
	mem_free(d);
}

bool hmac_of(enum digest_alg alg, struct bytes key, struct bytes in, unsigned char *ret,
	     struct err *e)
{
	int rc = mbedtls_md_hmac(info(alg), key.p, key.len, in.p, in.len, ret);
	return rc == 0 || crypto_mbed_fail(e, ERR_BUG, "HMAC", rc);
}

bool pbkdf2_derive(const struct pbkdf2 *in, unsigned char *ret, size_t len, struct err *e)
{
	int rc = mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, in->password.p,
					       in->password.len, in->salt.p, in->salt.len,
					       in->iterations, (uint32_t)len, ret);
	return rc == 0 || crypto_mbed_fail(e, ERR_BUG, "PBKDF2", rc);
}
