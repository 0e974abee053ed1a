// SPDX-License-Identifier: Apache-2.0
// RSA and elliptic keys on OpenSSL.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/crypto/openssl/ossl.h"
#include "lib/crypto/seam.h"

// Fills type and bits from the loaded key, or says which kind it is not.
static bool classify(struct pkey *k, struct err *e)
{
	EVP_PKEY *impl = k->impl;
	k->bits = (unsigned)EVP_PKEY_get_bits(impl);
	if (EVP_PKEY_is_a(impl, "RSA")) {
		k->type = PKEY_RSA;
		return true;
	}
	char group[64] = "";
	int is_explicit = 0;
	if (EVP_PKEY_is_a(impl, "EC") &&
	    (!EVP_PKEY_get_int_param(impl,
				     OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				     &is_explicit) ||
	     !is_explicit) &&
	    EVP_PKEY_get_group_name(impl, group, sizeof(group), NULL)) {
		k->type = strcmp(group, "secp384r1") == 0 ? PKEY_P384 : PKEY_P256;
		if (k->type == PKEY_P384 || strcmp(group, "prime256v1") == 0)
			return true;
	}
	return err_set(e, ERR_CONFIG, 0,
		       "the key is neither RSA nor ECDSA P-256 or P-384");
}

bool pkey_half_load(struct pkey *k, struct bytes der, struct err *e)
{
	const unsigned char *p = der.p;
	k->impl = k->is_private ? d2i_AutoPrivateKey(NULL, &p, (long)der.len)
				: d2i_PUBKEY(NULL, &p, (long)der.len);
	if (!k->impl || p != der.p + der.len)
		return crypto_ossl_fail(e, ERR_CONFIG, "key");
	if (!classify(k, e))
		return false;
	// The form in which a key arrived must not show in what pkey_public_der() gives.
	if (k->type != PKEY_RSA &&
	    !EVP_PKEY_set_utf8_string_param(
		    k->impl, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		    OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED))
		return crypto_ossl_fail(e, ERR_BUG, "key");
	return true;
}

bool pkey_half_generate_p256(struct pkey *k, struct err *e)
{
	k->impl = EVP_EC_gen("P-256");
	if (!k->impl)
		return crypto_ossl_fail(e, ERR_BUG, "make a P-256 key");
	return classify(k, e);
}

void pkey_half_free(void *impl)
{
	EVP_PKEY_free(impl);
}

static void auto_openssl_(unsigned char **p)
{
	OPENSSL_free(*p);
}

bool pkey_half_public_der(const struct pkey *k, struct buf *to, struct err *e)
{
	AUTO(auto_openssl_) unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->impl, &der);
	if (n <= 0)
		return crypto_ossl_fail(e, ERR_BUG, "write the public key");
	if (!buf_add(to, der, (size_t)n))
		return err_set(e, ERR_LIMIT, 0, "public key longer than %zu bytes",
			       to->max);
	return true;
}

static void auto_bn_(BIGNUM **n)
{
	BN_clear_free(*n);
}

bool pkey_half_scalar(const struct pkey *k, unsigned char *ret, struct err *e)
{
	AUTO(auto_bn_) BIGNUM *d = NULL;
	if (!EVP_PKEY_get_bn_param(k->impl, OSSL_PKEY_PARAM_PRIV_KEY, &d) ||
	    BN_bn2binpad(d, ret, (int)k->bits / 8) < 0)
		return crypto_ossl_fail(e, ERR_BUG, "write the private key");
	return true;
}

bool pkey_half_sign(const struct pkey *k, enum digest_alg alg, struct bytes hash,
		    unsigned char *ret, size_t *ret_len, struct err *e)
{
	AUTO(auto_evp_pkey_ctx_) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k->impl, NULL);
	*ret_len = PKEY_SIG_MAX;
	if (!c || EVP_PKEY_sign_init(c) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(c, crypto_ossl_md(alg)) <= 0 ||
	    EVP_PKEY_sign(c, ret, ret_len, hash.p, hash.len) <= 0)
		return crypto_ossl_fail(e, ERR_BUG, "sign");
	return true;
}

bool pkey_half_verify(const struct pkey *k, enum digest_alg alg, struct bytes hash,
		      struct bytes signature)
{
	AUTO(auto_evp_pkey_ctx_) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k->impl, NULL);
	bool ok = c && EVP_PKEY_verify_init(c) > 0 &&
		  EVP_PKEY_CTX_set_signature_md(c, crypto_ossl_md(alg)) > 0 &&
		  EVP_PKEY_verify(c, signature.p, signature.len, hash.p, hash.len) == 1;
	ERR_clear_error();
	return ok;
}

// RSA-OAEP, SHA-256 twice, with the label.
static bool oaep_setup(EVP_PKEY_CTX *c, struct bytes label)
{
	if (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha256()) <= 0)
		return false;
	if (label.len == 0)
		return true;
	void *copy = OPENSSL_memdup(label.p, label.len);
	if (copy && EVP_PKEY_CTX_set0_rsa_oaep_label(c, copy, (int)label.len) > 0)
		return true; // the context owns the copy now
	OPENSSL_free(copy);
	return false;
}

bool pkey_half_oaep_encrypt(const struct pkey *k, struct oaep_io *io, struct err *e)
{
	AUTO(auto_evp_pkey_ctx_) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k->impl, NULL);
	io->ret_len = PKEY_SIG_MAX;
	if (!c || EVP_PKEY_encrypt_init(c) <= 0 || !oaep_setup(c, io->label) ||
	    EVP_PKEY_encrypt(c, io->ret, &io->ret_len, io->in.p, io->in.len) <= 0)
		return crypto_ossl_fail(e, ERR_BUG, "RSA-OAEP");
	return true;
}

bool pkey_half_oaep_decrypt(const struct pkey *k, struct oaep_io *io)
{
	AUTO(auto_evp_pkey_ctx_) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(k->impl, NULL);
	io->ret_len = PKEY_SIG_MAX;
	bool ok = c && EVP_PKEY_decrypt_init(c) > 0 && oaep_setup(c, io->label) &&
		  EVP_PKEY_decrypt(c, io->ret, &io->ret_len, io->in.p, io->in.len) > 0;
	ERR_clear_error();
	return ok;
}
