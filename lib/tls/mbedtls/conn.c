// SPDX-License-Identifier: Apache-2.0
// mbedTLS: one connection.
#include <errno.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <sys/socket.h>

#include "lib/base/mem.h"
#include "lib/crypto/mbedtls/mbed.h"
#include "lib/tls/mbedtls/mbed_tls.h"

struct tls_conn {
	mbedtls_ssl_context ssl;
	struct tls_context *context;
	int fd;
	int error;      // errno of the last recv() or send() that failed
	size_t writing; // bytes of a record that waits to be sent
};

// mbedTLS' door to the socket, which raises no SIGPIPE.
static int socket_recv(void *ctx, unsigned char *to, size_t len)
{
	struct tls_conn *c = ctx;
	ssize_t n = recv(c->fd, to, len, 0);
	if (n >= 0)
		return (int)n;
	c->error = errno;
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
						 : MBEDTLS_ERR_NET_RECV_FAILED;
}

static int socket_send(void *ctx, const unsigned char *from, size_t len)
{
	struct tls_conn *c = ctx;
	ssize_t n = send(c->fd, from, len, MSG_NOSIGNAL);
	if (n >= 0)
		return (int)n;
	c->error = errno;
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
						 : MBEDTLS_ERR_NET_SEND_FAILED;
}

bool tls_conn_new(struct tls_context *context, int fd, struct tls_conn **ret,
		  struct err *e)
{
	AUTO_TLS_CONN struct tls_conn *c = mem_alloc(sizeof(*c));
	mbedtls_ssl_init(&c->ssl);
	c->fd = fd;
	c->context = context;
	context->users++;
	int rc = mbedtls_ssl_setup(&c->ssl, &context->conf);
	if (rc)
		return crypto_mbed_fail(e, ERR_BUG, "TLS connection", rc);
	mbedtls_ssl_set_bio(&c->ssl, c, socket_send, socket_recv, NULL);
	*ret = TAKE(c);
	return true;
}

void tls_conn_free(struct tls_conn *c)
{
	if (!c)
		return;
	mbedtls_ssl_free(&c->ssl); // wipes
	tls_context_unref(c->context);
	mem_free(c);
}

// Words for what an operator meets; the rest is told by its number.
static const char *reason(int rc)
{
	static const struct {
		int code;
		const char *text;
	} reasons[] = {
		{ MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, "the client sent an alert" },
		{ MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, "no common ALPN protocol" },
		{ MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "no common protocol version" },
		{ MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, "no common cipher or group" },
		{ MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, "no client certificate" },
		{ MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, "client certificate refused" },
		{ MBEDTLS_ERR_SSL_INVALID_RECORD, "not TLS, or a damaged record" },
		{ MBEDTLS_ERR_SSL_INVALID_MAC, "a damaged record" },
		{ MBEDTLS_ERR_SSL_DECODE_ERROR, "a malformed message" },
		{ MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "an unexpected message" },
	};
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].code == rc)
			return reasons[i].text;
	return NULL;
}

static enum tls_io outcome(struct tls_conn *c, int rc, const char *what, struct err *e)
{
	switch (rc) {
	case MBEDTLS_ERR_SSL_WANT_READ:
		return TLS_WANT_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return TLS_WANT_WRITE;
	case 0:
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
	case MBEDTLS_ERR_SSL_CONN_EOF:
		return TLS_CLOSED;
	case MBEDTLS_ERR_NET_RECV_FAILED:
	case MBEDTLS_ERR_NET_SEND_FAILED:
		if (tls_errno_is_close(c->error))
			return TLS_CLOSED;
		err_set(e, ERR_RETRY, c->error, "%s", what);
		return TLS_FAILED;
	default:
		if (reason(rc))
			err_set(e, ERR_DENIED, 0, "%s: %s", what, reason(rc));
		else
			crypto_mbed_fail(e, ERR_DENIED, what, rc);
		return TLS_FAILED;
	}
}

enum tls_io tls_handshake(struct tls_conn *c, struct err *e)
{
	int rc = mbedtls_ssl_handshake(&c->ssl);
	if (rc)
		return outcome(c, rc, "TLS handshake", e);
	if (mbedtls_ssl_get_peer_cert(&c->ssl) &&
	    mbedtls_ssl_get_verify_result(&c->ssl)) {
		(void)mbedtls_ssl_send_alert_message(&c->ssl,
						     MBEDTLS_SSL_ALERT_LEVEL_FATAL,
						     MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
		return outcome(c, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, "TLS handshake",
			       e);
	}
	return TLS_OK;
}

enum tls_io tls_read(struct tls_conn *c, void *to, size_t max, size_t *ret_n,
		     struct err *e)
{
	int rc = mbedtls_ssl_read(&c->ssl, to, max);
	if (rc <= 0)
		return outcome(c, rc, "TLS read", e);
	*ret_n = (size_t)rc;
	return TLS_OK;
}

enum tls_io tls_write(struct tls_conn *c, const void *from, size_t len, size_t *ret_n,
		      struct err *e)
{
	// A record that waits is flushed, and mbedTLS answers with the length it is given.
	int rc = mbedtls_ssl_write(&c->ssl, from, c->writing ? c->writing : len);
	if (rc > 0) {
		c->writing = 0;
		*ret_n = (size_t)rc;
		return TLS_OK;
	}
	if (rc == MBEDTLS_ERR_SSL_WANT_WRITE && !c->writing) {
		size_t max = (size_t)mbedtls_ssl_get_max_out_record_payload(&c->ssl);
		c->writing = len < max ? len : max;
	}
	return outcome(c, rc, "TLS write", e);
}

bool tls_has_pending(const struct tls_conn *c)
{
	return mbedtls_ssl_get_bytes_avail(&c->ssl) > 0;
}

enum tls_io tls_close_notify(struct tls_conn *c, struct err *e)
{
	if (!mbedtls_ssl_is_handshake_over(&c->ssl))
		return TLS_OK; // nothing that a peer would understand
	int rc = mbedtls_ssl_close_notify(&c->ssl);
	return rc == 0 ? TLS_OK : outcome(c, rc, "TLS close", e);
}

const char *tls_version(const struct tls_conn *c)
{
	return mbedtls_ssl_get_version(&c->ssl);
}

const char *tls_cipher(const struct tls_conn *c)
{
	return mbedtls_ssl_get_ciphersuite(&c->ssl);
}

bool tls_client_cert(const struct tls_conn *c, struct buf *to, struct err *e)
{
	const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(&c->ssl);
	if (!cert)
		return err_set(e, ERR_MISSING, 0, "the client has shown no certificate");
	return buf_add(to, cert->raw.p, cert->raw.len) ||
	       err_set(e, ERR_LIMIT, 0, "client certificate longer than %zu bytes",
		       to->max);
}
