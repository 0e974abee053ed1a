// SPDX-License-Identifier: Apache-2.0
// mbedTLS: what all connections of one certificate share.
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "lib/base/mem.h"
#include "lib/crypto/mbedtls/mbed.h"
#include "lib/tls/mbedtls/mbed_tls.h"

void tls_context_unref(struct tls_context *c)
{
	if (!c || --c->users > 0)
		return;
	mbedtls_ssl_config_free(&c->conf);
	mbedtls_x509_crt_free(&c->chain);
	mbedtls_x509_crt_free(&c->client_cas);
	mbedtls_pk_free(&c->key);
	mem_free(c);
}

static bool add_certs(mbedtls_x509_crt *to, const struct x509_chain *from,
		      const char *what, struct err *e)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct buf *der = &from->certs[i]->der;
		int rc = mbedtls_x509_crt_parse_der(to, (const unsigned char *)der->data,
						    der->len);
		if (rc)
			return crypto_mbed_fail(e, ERR_CONFIG, what, rc);
	}
	return true;
}

static bool set_material(struct tls_context *c, const struct tls_material *m,
			 struct err *e)
{
	if (!add_certs(&c->chain, &m->chain, "TLS certificate", e) ||
	    !add_certs(&c->client_cas, &m->client_cas, "TLS client CA", e))
		return false;
	int rc = mbedtls_pk_parse_key(&c->key, m->key_der.p, m->key_der.len, NULL, 0,
				      crypto_mbed_rng, NULL);
	if (rc == 0)
		rc = mbedtls_ssl_conf_own_cert(&c->conf, &c->chain, &c->key);
	if (rc)
		return crypto_mbed_fail(e, ERR_CONFIG, "TLS key", rc);
	if (m->client_cas.n == 0) {
		mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_NONE);
		return true;
	}
	// OPTIONAL lets a bad certificate pass; tls_handshake() looks at the result.
	mbedtls_ssl_conf_authmode(&c->conf, m->client_required
						    ? MBEDTLS_SSL_VERIFY_REQUIRED
						    : MBEDTLS_SSL_VERIFY_OPTIONAL);
	mbedtls_ssl_conf_ca_chain(&c->conf, &c->client_cas, NULL);
	return true;
}

static bool set_protocol(struct tls_context *c, struct err *e)
{
	static const char *alpn[] = { "http/1.1", NULL };
	static const uint16_t groups[] = { MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
					   MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
					   MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
					   MBEDTLS_SSL_IANA_TLS_GROUP_NONE };
	int rc = mbedtls_ssl_config_defaults(&c->conf, MBEDTLS_SSL_IS_SERVER,
					     MBEDTLS_SSL_TRANSPORT_STREAM,
					     MBEDTLS_SSL_PRESET_DEFAULT);
	if (rc == 0)
		rc = mbedtls_ssl_conf_alpn_protocols(&c->conf, alpn);
	if (rc)
		return crypto_mbed_fail(e, ERR_BUG, "set up TLS", rc);
	mbedtls_ssl_conf_rng(&c->conf, crypto_mbed_rng, NULL);
	mbedtls_ssl_conf_min_tls_version(&c->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_groups(&c->conf, groups);
	return true;
}

bool tls_context_new(const struct tls_material *m, struct tls_context **ret,
		     struct err *e)
{
	struct tls_context *c = mem_alloc(sizeof(*c));
	c->users = 1;
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_x509_crt_init(&c->chain);
	mbedtls_x509_crt_init(&c->client_cas);
	mbedtls_pk_init(&c->key);
	if (!set_protocol(c, e) || !set_material(c, m, e)) {
		tls_context_unref(c);
		return false;
	}
	*ret = c;
	return true;
}
