// SPDX-License-Identifier: Apache-2.0
// libcurl on OpenSSL: its own object, so that a program without a TLS server links no more.
#include <openssl/ssl.h>

#include "lib/tls/tls_client_hook.h"

bool tls_client_hook(void *ssl_ctx)
{
	SSL_CTX *ctx = ssl_ctx;
	SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	int min = (int)SSL_CTX_get_min_proto_version(ctx);
	return min >= TLS1_2_VERSION ||
	       SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}
