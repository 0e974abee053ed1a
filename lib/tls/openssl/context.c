// SPDX-License-Identifier: Apache-2.0
// OpenSSL: what all connections of one certificate share.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/crypto/openssl/ossl.h"
#include "lib/tls/openssl/ossl_tls.h"
#include "lib/tls/seam.h"

static struct tls_context *wrap(SSL_CTX *ctx)
{
	return (struct tls_context *)ctx;
}

SSL_CTX *tls_context_ossl(struct tls_context *c)
{
	return (SSL_CTX *)c;
}

void tls_context_unref(struct tls_context *c)
{
	SSL_CTX_free(tls_context_ossl(c));
}

// RFC 7301 section 3.2: no common protocol is a fatal alert.
static int select_alpn(SSL *ssl UNUSED, const unsigned char **out, unsigned char *outlen,
		       const unsigned char *in, unsigned inlen, void *arg UNUSED)
{
	static const unsigned char offer[] = "\x08http/1.1";
	int rc = SSL_select_next_proto((unsigned char **)(uintptr_t)out, outlen, offer,
				       sizeof(offer) - 1, in, inlen);
	return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
					    : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Most answers fit, and half of a buffer of 16 KiB has not to be wiped for each of them.
enum { RECORD_MAX = 8 * 1024 };

static bool set_protocol(SSL_CTX *ctx, struct err *e)
{
	SSL_CTX_set_options(
		ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
			     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
			     SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_IGNORE_UNEXPECTED_EOF);
	// Without NO_AUTO_CHAIN a client CA could slip into our own chain.
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1); // one system call for a request, not two a record
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_num_tickets(ctx, 0) ||
	    !SSL_CTX_set_max_send_fragment(ctx, RECORD_MAX) ||
	    !SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") ||
	    !SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384"))
		return crypto_ossl_fail(e, ERR_BUG, "set up TLS");
	return true;
}

static void auto_cert_(X509 **c)
{
	X509_free(*c);
}

static X509 *to_ossl(const struct x509 *c)
{
	const unsigned char *p = (const unsigned char *)c->der.data;
	return d2i_X509(NULL, &p, (long)c->der.len);
}

static bool set_own(SSL_CTX *ctx, const struct tls_material *m, struct err *e)
{
	for (size_t i = 0; i < m->chain.n; i++) {
		AUTO(auto_cert_) X509 *cert = to_ossl(m->chain.certs[i]);
		if (!cert || !(i == 0 ? SSL_CTX_use_certificate(ctx, cert)
				      : SSL_CTX_add1_chain_cert(ctx, cert)))
			return crypto_ossl_fail(e, ERR_CONFIG, "TLS certificate");
	}
	const unsigned char *p = m->key_der.p;
	AUTO(auto_evp_pkey_)
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)m->key_der.len);
	if (!key || !SSL_CTX_use_PrivateKey(ctx, key) || !SSL_CTX_check_private_key(ctx))
		return crypto_ossl_fail(e, ERR_CONFIG, "TLS key");
	return true;
}

static bool set_clients(SSL_CTX *ctx, const struct tls_material *m, struct err *e)
{
	for (size_t i = 0; i < m->client_cas.n; i++) {
		AUTO(auto_cert_) X509 *cert = to_ossl(m->client_cas.certs[i]);
		if (!cert || !X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) ||
		    !SSL_CTX_add_client_CA(ctx, cert))
			return crypto_ossl_fail(e, ERR_CONFIG, "TLS client CA");
	}
	int mode = m->client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
	if (m->client_cas.n)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | mode, NULL);
	return true;
}

bool tls_context_new(const struct tls_material *m, struct tls_context **ret,
		     struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return crypto_ossl_fail(e, ERR_BUG, "set up TLS");
	if (!set_protocol(ctx, e) || !set_own(ctx, m, e) || !set_clients(ctx, m, e)) {
		SSL_CTX_free(ctx);
		return false;
	}
	*ret = wrap(ctx);
	return true;
}
