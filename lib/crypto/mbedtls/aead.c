// SPDX-License-Identifier: Apache-2.0
// AEAD on mbedTLS.
#include "lib/crypto/aead.h"

#include <mbedtls/chachapoly.h>
#include <mbedtls/gcm.h>

#include "lib/crypto/seam.h"

static int gcm(const struct aead *a, bool seal, struct bytes in, unsigned char *out)
{
	mbedtls_gcm_context c;
	mbedtls_gcm_init(&c);
	int rc = mbedtls_gcm_setkey(&c, MBEDTLS_CIPHER_ID_AES, a->key, AEAD_KEY_LEN * 8);
	if (rc == 0 && seal)
		rc = mbedtls_gcm_crypt_and_tag(&c, MBEDTLS_GCM_ENCRYPT, in.len, a->nonce,
					       AEAD_NONCE_LEN, a->aad.p, a->aad.len, in.p,
					       out, AEAD_TAG_LEN, out + in.len);
	else if (rc == 0)
		rc = mbedtls_gcm_auth_decrypt(&c, in.len, a->nonce, AEAD_NONCE_LEN,
					      a->aad.p, a->aad.len, in.p + in.len,
					      AEAD_TAG_LEN, in.p, out);
	mbedtls_gcm_free(&c);
	return rc;
}

static int chacha(const struct aead *a, bool seal, struct bytes in, unsigned char *out)
{
	mbedtls_chachapoly_context c;
	mbedtls_chachapoly_init(&c);
	int rc = mbedtls_chachapoly_setkey(&c, a->key);
	if (rc == 0 && seal)
		rc = mbedtls_chachapoly_encrypt_and_tag(&c, in.len, a->nonce, a->aad.p,
							a->aad.len, in.p, out,
							out + in.len);
	else if (rc == 0)
		rc = mbedtls_chachapoly_auth_decrypt(&c, in.len, a->nonce, a->aad.p,
						     a->aad.len, in.p + in.len, in.p,
						     out);
	mbedtls_chachapoly_free(&c);
	return rc;
}

bool aead_half_seal(const struct aead *a, struct bytes plain, unsigned char *out)
{
	return (a->alg == AEAD_AES_256_GCM ? gcm : chacha)(a, true, plain, out) == 0;
}

bool aead_half_open(const struct aead *a, struct bytes sealed, unsigned char *out)
{
	struct bytes in = bytes_of(sealed.p, sealed.len - AEAD_TAG_LEN);
	return (a->alg == AEAD_AES_256_GCM ? gcm : chacha)(a, false, in, out) == 0;
}
