// SPDX-License-Identifier: Apache-2.0
// Programs that never serve TLS leave the server's half of the handshake out. mbedTLS 3.6's
// dispatcher names both halves (library/ssl_misc.h); these steps stand for the server's, and
// 20 KB of an executable are not linked. Linked into the release's agent and command only:
// the types are mbedTLS's own, of which nothing is used here.
//
// For the same reason the agent's listeners have no TLS here (agent/listener_tls.c).
#include <stddef.h>

#include "agent/listener_tls.h"

enum { FEATURE_UNAVAILABLE = -0x7080 }; // MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE

int mbedtls_ssl_handshake_server_step(void *ssl);
int mbedtls_ssl_tls13_handshake_server_step(void *ssl);

int mbedtls_ssl_handshake_server_step(void *ssl)
{
	(void)ssl;
	return FEATURE_UNAVAILABLE;
}

int mbedtls_ssl_tls13_handshake_server_step(void *ssl)
{
	(void)ssl;
	return FEATURE_UNAVAILABLE;
}

bool listener_tls_new(struct loop *l, const struct json_t *stanza, struct http_server *s,
		      struct listener_tls **ret, struct err *e)
{
	(void)l;
	(void)stanza;
	(void)s;
	*ret = NULL;
	return err_set(e, ERR_CONFIG, 0,
		       "this build serves no TLS: set tls_disable = true, or use a unix "
		       "socket");
}

void listener_tls_free(struct listener_tls *t)
{
	(void)t;
}
