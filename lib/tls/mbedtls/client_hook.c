// SPDX-License-Identifier: Apache-2.0
// libcurl on mbedTLS: its own object, so that a program without a TLS server links no more.
#include <mbedtls/ssl.h>

#include "lib/tls/tls_client_hook.h"

// The defaults of mbedTLS with each RSA PKCS#1 algorithm before the PSS ones (see the header).
static const uint16_t signature_algorithms[] = {
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
	MBEDTLS_TLS1_3_SIG_NONE,
};

bool tls_client_hook(void *ssl_ctx)
{
	mbedtls_ssl_config *conf = ssl_ctx;
	mbedtls_ssl_conf_sig_algs(conf, signature_algorithms);
	return true;
}
