// SPDX-License-Identifier: Apache-2.0
// The name of libcurl's server on OpenSSL.
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "lib/base/buf.h"
#include "lib/crypto/x509.h"
#include "lib/tls/tls_client_hook.h"

enum { DER_MAX = 64 << 10 };

// Where an SSL_CTX carries its struct tls_client_names.
static int names_index(void)
{
	static int index = -1;
	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static bool named(X509 *cert, const char *host)
{
	AUTO_BUF struct buf der = BUF_INIT(DER_MAX);
	AUTO_X509 struct x509 *c = NULL;
	struct err e = ERR_INIT;
	int len = i2d_X509(cert, NULL);
	unsigned char *to = len > 0 ? (unsigned char *)buf_room(&der, (size_t)len) : NULL;
	if (!to || i2d_X509(cert, &to) != len)
		return false;
	der.len = (size_t)len;
	return x509_from_der(bytes_of(der.data, der.len), &c, &e) &&
	       x509_names_host(c, host);
}

static int verify(int ok, X509_STORE_CTX *store)
{
	if (!ok || X509_STORE_CTX_get_error_depth(store) != 0)
		return ok;
	const SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls_client_names *n =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), names_index());
	if (named(X509_STORE_CTX_get_current_cert(store), n->host))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

bool tls_client_check_names(void *ssl_ctx, struct tls_client_names *n)
{
	SSL_CTX *ctx = ssl_ctx;
	if (SSL_CTX_set_ex_data(ctx, names_index(), n) != 1)
		return false;
	SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), verify);
	return true;
}
