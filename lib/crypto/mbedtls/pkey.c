// SPDX-License-Identifier: Apache-2.0
// RSA and elliptic keys on mbedTLS.
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>

#include "lib/base/mem.h"
#include "lib/crypto/mbedtls/mbed.h"
#include "lib/crypto/seam.h"

enum { PUBLIC_DER_MAX = 2048 };

// Fills type and bits from the loaded key, or says which kind it is not.
static bool classify(struct pkey *k, struct err *e)
{
	mbedtls_pk_context *pk = k->impl;
	k->bits = (unsigned)mbedtls_pk_get_bitlen(pk);
	if (mbedtls_pk_get_type(pk) == MBEDTLS_PK_RSA) {
		k->type = PKEY_RSA;
		return true;
	}
	if (mbedtls_pk_get_type(pk) == MBEDTLS_PK_ECKEY) {
		mbedtls_ecp_group_id id =
			mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk));
		k->type = id == MBEDTLS_ECP_DP_SECP384R1 ? PKEY_P384 : PKEY_P256;
		if (k->type == PKEY_P384 || id == MBEDTLS_ECP_DP_SECP256R1)
			return true;
	}
	return err_set(e, ERR_CONFIG, 0,
		       "the key is neither RSA nor ECDSA P-256 or P-384");
}

static mbedtls_pk_context *new_context(struct pkey *k)
{
	mbedtls_pk_context *pk = mem_alloc(sizeof(*pk));
	mbedtls_pk_init(pk);
	k->impl = pk;
	return pk;
}

bool pkey_half_load(struct pkey *k, struct bytes der, struct err *e)
{
	mbedtls_pk_context *pk = new_context(k);
	int rc = k->is_private ? mbedtls_pk_parse_key(pk, der.p, der.len, NULL, 0,
						      crypto_mbed_rng, NULL)
			       : mbedtls_pk_parse_public_key(pk, der.p, der.len);
	if (rc)
		return crypto_mbed_fail(e, ERR_CONFIG, "key", rc);
	return classify(k, e);
}

bool pkey_half_generate_p256(struct pkey *k, struct err *e)
{
	mbedtls_pk_context *pk = new_context(k);
	int rc = mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (rc == 0)
		rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*pk),
					 crypto_mbed_rng, NULL);
	if (rc)
		return crypto_mbed_fail(e, ERR_BUG, "make a P-256 key", rc);
	return classify(k, e);
}

void pkey_half_free(void *impl)
{
	mbedtls_pk_free(impl); // accepts NULL
	mem_free(impl);
}

bool pkey_half_public_der(const struct pkey *k, struct buf *to, struct err *e)
{
	unsigned char der[PUBLIC_DER_MAX];
	int n = mbedtls_pk_write_pubkey_der(k->impl, der,
					    sizeof(der)); // at the end of der
	if (n < 0)
		return crypto_mbed_fail(e, ERR_BUG, "write the public key", n);
	if (!buf_add(to, der + sizeof(der) - n, (size_t)n))
		return err_set(e, ERR_LIMIT, 0, "public key longer than %zu bytes",
			       to->max);
	return true;
}

bool pkey_half_scalar(const struct pkey *k, unsigned char *ret, struct err *e)
{
	size_t n = 0;
	mbedtls_pk_context *pk = k->impl;
	int rc = mbedtls_ecp_write_key_ext(mbedtls_pk_ec(*pk), &n, ret, k->bits / 8);
	return rc == 0 || crypto_mbed_fail(e, ERR_BUG, "write the private key", rc);
}

bool pkey_half_sign(const struct pkey *k, enum digest_alg alg, struct bytes hash,
		    unsigned char *ret, size_t *ret_len, struct err *e)
{
	int rc = mbedtls_pk_sign(k->impl, crypto_mbed_md(alg), hash.p, hash.len, ret,
				 PKEY_SIG_MAX, ret_len, crypto_mbed_rng, NULL);
	return rc == 0 || crypto_mbed_fail(e, ERR_BUG, "sign", rc);
}

bool pkey_half_verify(const struct pkey *k, enum digest_alg alg, struct bytes hash,
		      struct bytes signature)
{
	return mbedtls_pk_verify(k->impl, crypto_mbed_md(alg), hash.p, hash.len,
				 signature.p, signature.len) == 0;
}

// mbedTLS keeps the padding in the key: OAEP for the call, then back to that of signatures.
static mbedtls_rsa_context *oaep_begin(const struct pkey *k)
{
	mbedtls_pk_context *pk = k->impl;
	mbedtls_rsa_context *rsa = mbedtls_pk_rsa(*pk);
	int rc = mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
	return rc == 0 ? rsa : NULL;
}

static void oaep_end(mbedtls_rsa_context *rsa)
{
	(void)mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_NONE);
}

bool pkey_half_oaep_encrypt(const struct pkey *k, struct oaep_io *io, struct err *e)
{
	mbedtls_rsa_context *rsa = oaep_begin(k);
	if (!rsa)
		return err_set(e, ERR_BUG, 0, "RSA-OAEP");
	int rc = mbedtls_rsa_rsaes_oaep_encrypt(rsa, crypto_mbed_rng, NULL, io->label.p,
						io->label.len, io->in.len, io->in.p,
						io->ret);
	io->ret_len = mbedtls_rsa_get_len(rsa);
	oaep_end(rsa);
	return rc == 0 || crypto_mbed_fail(e, ERR_BUG, "RSA-OAEP", rc);
}

bool pkey_half_oaep_decrypt(const struct pkey *k, struct oaep_io *io)
{
	mbedtls_rsa_context *rsa = oaep_begin(k);
	if (!rsa)
		return false;
	int rc = mbedtls_rsa_rsaes_oaep_decrypt(rsa, crypto_mbed_rng, NULL, io->label.p,
						io->label.len, &io->ret_len, io->in.p,
						io->ret, PKEY_SIG_MAX);
	oaep_end(rsa);
	return rc == 0;
}
