// SPDX-License-Identifier: Apache-2.0
// Programs that never serve TLS leave the server's half of the handshake out. mbedTLS's
// dispatcher names both halves; whoever calls tls_client_only() takes this object, whose
// steps then stand for the server's, and 20 KB of an executable are not linked.
#include <mbedtls/ssl.h>

#include "lib/tls/tls_client_hook.h"

// As in mbedTLS 3.6's private ssl_misc.h.
int mbedtls_ssl_handshake_server_step(mbedtls_ssl_context *ssl);
int mbedtls_ssl_tls13_handshake_server_step(mbedtls_ssl_context *ssl);

void tls_client_only(void)
{
}

int mbedtls_ssl_handshake_server_step(mbedtls_ssl_context *ssl)
{
	(void)ssl;
	return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
}

int mbedtls_ssl_tls13_handshake_server_step(mbedtls_ssl_context *ssl)
{
	(void)ssl;
	return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
}
