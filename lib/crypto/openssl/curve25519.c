// SPDX-License-Identifier: Apache-2.0
// X25519 and Ed25519 on OpenSSL.
#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/openssl/ossl.h"
#include "lib/crypto/seam.h"

static bool public_of(int type, const unsigned char *private_key, unsigned char *ret,
		      struct err *e)
{
	AUTO(auto_evp_pkey_)
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(type, NULL, private_key, 32);
	size_t len = 32;
	if (!k || !EVP_PKEY_get_raw_public_key(k, ret, &len))
		return crypto_ossl_fail(e, ERR_BUG, "curve25519");
	return true;
}

bool x25519_public(const unsigned char private_key[static X25519_LEN],
		   unsigned char ret_public[static X25519_LEN], struct err *e)
{
	return public_of(EVP_PKEY_X25519, private_key, ret_public, e);
}

bool x25519_multiply(const unsigned char private_key[static X25519_LEN],
		     const unsigned char point[static X25519_LEN],
		     unsigned char ret[static X25519_LEN], struct err *e)
{
	AUTO(auto_evp_pkey_)
	EVP_PKEY *k =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, 32);
	AUTO(auto_evp_pkey_)
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, 32);
	AUTO(auto_evp_pkey_ctx_) EVP_PKEY_CTX *c = k ? EVP_PKEY_CTX_new(k, NULL) : NULL;
	size_t len = X25519_LEN;
	if (!c || !peer || EVP_PKEY_derive_init(c) <= 0 ||
	    EVP_PKEY_derive_set_peer_ex(c, peer, 0) <= 0)
		return crypto_ossl_fail(e, ERR_BUG, "X25519");
	// OpenSSL refuses the all-zero secret itself.
	if (EVP_PKEY_derive(c, ret, &len) <= 0)
		return crypto_ossl_fail(e, ERR_DENIED, "X25519");
	return true;
}

bool ed25519_public(const unsigned char private_key[static ED25519_KEY_LEN],
		    unsigned char ret_public[static ED25519_KEY_LEN], struct err *e)
{
	return public_of(EVP_PKEY_ED25519, private_key, ret_public, e);
}

static void auto_md_ctx_(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

bool ed25519_sign(const unsigned char private_key[static ED25519_KEY_LEN],
		  struct bytes message,
		  unsigned char ret_signature[static ED25519_SIG_LEN], struct err *e)
{
	AUTO(auto_evp_pkey_)
	EVP_PKEY *k =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, 32);
	AUTO(auto_md_ctx_) EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = ED25519_SIG_LEN;
	if (!k || !c || !EVP_DigestSignInit(c, NULL, NULL, NULL, k) ||
	    !EVP_DigestSign(c, ret_signature, &len, message.p, message.len))
		return crypto_ossl_fail(e, ERR_BUG, "Ed25519 sign");
	return true;
}

bool ed25519_equation(const unsigned char public_key[static ED25519_KEY_LEN],
		      struct bytes message,
		      const unsigned char signature[static ED25519_SIG_LEN],
		      struct err *e)
{
	AUTO(auto_evp_pkey_)
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
	AUTO(auto_md_ctx_) EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (!k || !c || !EVP_DigestVerifyInit(c, NULL, NULL, NULL, k))
		return crypto_ossl_fail(e, ERR_BUG, "Ed25519 verify");
	if (EVP_DigestVerify(c, signature, ED25519_SIG_LEN, message.p, message.len) == 1)
		return true;
	ERR_clear_error();
	return err_set(e, ERR_DENIED, 0,
		       "Ed25519: the signature is not of this key and message");
}
