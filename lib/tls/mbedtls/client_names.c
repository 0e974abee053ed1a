// SPDX-License-Identifier: Apache-2.0
// The name of libcurl's server on mbedTLS: in front of libcurl's own callback, which
// turns the flags into words.
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "lib/crypto/x509.h"
#include "lib/tls/tls_client_hook.h"

typedef int verify_fn(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags);

static int verify(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	const struct tls_client_names *n = ctx;
	if (depth == 0) {
		AUTO_X509 struct x509 *c = NULL;
		struct err e = ERR_INIT;
		if (!x509_from_der(bytes_of(crt->raw.p, crt->raw.len), &c, &e))
			*flags |= MBEDTLS_X509_BADCERT_OTHER;
		else if (!x509_names_host(c, n->host))
			*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	}
	return n->next ? ((verify_fn *)n->next)(n->next_ctx, crt, depth, flags) : 0;
}

bool tls_client_check_names(void *ssl_ctx, struct tls_client_names *n)
{
	mbedtls_ssl_config *conf = ssl_ctx;
	n->next = (void (*)(void))conf->MBEDTLS_PRIVATE(f_vrfy);
	n->next_ctx = conf->MBEDTLS_PRIVATE(p_vrfy);
	mbedtls_ssl_conf_verify(conf, verify, n);
	mbedtls_ssl_conf_cert_profile(conf, &mbedtls_x509_crt_profile_default);
	return true;
}
