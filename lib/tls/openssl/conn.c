// SPDX-License-Identifier: Apache-2.0
// OpenSSL: one connection.
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/base/mem.h"
#include "lib/crypto/openssl/ossl.h"
#include "lib/tls/openssl/ossl_tls.h"
#include "lib/tls/seam.h"

struct tls_conn {
	SSL *ssl;
	bool failed; // OpenSSL forbids further calls, SSL_shutdown() among them
};

bool tls_conn_new(struct tls_context *ctx, int fd, struct tls_conn **ret, struct err *e)
{
	AUTO_TLS_CONN struct tls_conn *c = mem_alloc(sizeof(*c));
	c->ssl = SSL_new(tls_context_ossl(ctx));
	BIO *b = c->ssl ? tls_socket_bio(fd) : NULL;
	if (!b)
		return crypto_ossl_fail(e, ERR_BUG, "TLS connection");
	SSL_set_bio(c->ssl, b, b); // takes it
	SSL_set_accept_state(c->ssl);
	*ret = TAKE(c);
	return true;
}

void tls_conn_free(struct tls_conn *c)
{
	if (!c)
		return;
	SSL_free(c->ssl);
	mem_free(c);
}

// What a call's failure means; errno is still that of the call.
static enum tls_io outcome(struct tls_conn *c, int rc, const char *what, struct err *e)
{
	int error = errno;
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		c->failed = true;
		ERR_clear_error();
		if (error == 0 || tls_errno_is_close(error))
			return TLS_CLOSED;
		err_set(e, ERR_RETRY, error, "%s", what);
		return TLS_FAILED;
	default:
		c->failed = true;
		crypto_ossl_fail(e, ERR_DENIED, what);
		return TLS_FAILED;
	}
}

static void begin(void)
{
	ERR_clear_error(); // an old entry would be taken for this call's
	errno = 0;
}

enum tls_io tls_handshake(struct tls_conn *c, struct err *e)
{
	begin();
	int rc = SSL_do_handshake(c->ssl);
	return rc == 1 ? TLS_OK : outcome(c, rc, "TLS handshake", e);
}

enum tls_io tls_read(struct tls_conn *c, void *to, size_t max, size_t *ret_n,
		     struct err *e)
{
	begin();
	int rc = SSL_read_ex(c->ssl, to, max, ret_n);
	return rc == 1 ? TLS_OK : outcome(c, rc, "TLS read", e);
}

enum tls_io tls_write(struct tls_conn *c, const void *from, size_t len, size_t *ret_n,
		      struct err *e)
{
	begin();
	int rc = SSL_write_ex(c->ssl, from, len, ret_n);
	return rc == 1 ? TLS_OK : outcome(c, rc, "TLS write", e);
}

bool tls_has_pending(const struct tls_conn *c)
{
	return SSL_has_pending(c->ssl);
}

enum tls_io tls_close_notify(struct tls_conn *c, struct err *e)
{
	if (c->failed || SSL_in_init(c->ssl))
		return TLS_OK; // nothing that a peer would understand
	begin();
	int rc = SSL_shutdown(c->ssl);
	return rc >= 0 ? TLS_OK : outcome(c, rc, "TLS close", e);
}

const char *tls_version(const struct tls_conn *c)
{
	return SSL_get_version(c->ssl);
}

const char *tls_cipher(const struct tls_conn *c)
{
	return SSL_get_cipher_name(c->ssl);
}

static void auto_openssl_(unsigned char **p)
{
	OPENSSL_free(*p);
}

bool tls_client_cert(const struct tls_conn *c, struct buf *to, struct err *e)
{
	X509 *cert = SSL_get0_peer_certificate(c->ssl);
	if (!cert)
		return err_set(e, ERR_MISSING, 0, "the client has shown no certificate");
	AUTO(auto_openssl_) unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	if (n <= 0)
		return crypto_ossl_fail(e, ERR_BUG, "client certificate");
	return buf_add(to, der, (size_t)n) ||
	       err_set(e, ERR_LIMIT, 0, "client certificate longer than %zu bytes",
		       to->max);
}
