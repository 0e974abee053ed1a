// SPDX-License-Identifier: Apache-2.0
// What libcurl's TLS needs beyond libcurl's options. lib/http/client.c sets
// CURLOPT_SSL_CTX_FUNCTION to a callback of its own, which calls this; the callback's
// ssl_ctx is an SSL_CTX with OpenSSL and an mbedtls_ssl_config with mbedTLS.
//
// Of the certificates that go in as blobs, the private key must end in a NUL that is counted
// in its length: libcurl hands it to mbedTLS as it is, which takes PEM only so (OpenSSL does
// not mind; CURLOPT_CAINFO_BLOB and CURLOPT_SSLCERT_BLOB need none). Measured with 8.14.1.
//
// With libcurl on the wiping heap, nothing of an answer that was handed over stays in the
// process while its connection is open, with either library (test/system/test_tls.py); with
// libcurl on malloc, its own freed buffers keep it.
#pragma once

#include <stdbool.h>

// Raises the floor to TLS 1.2 and, as far as the library can, keeps plaintext and sessions
// from staying in memory. With mbedTLS it also puts RSA PKCS#1 signatures before RSA-PSS in
// the client's offer: mbedTLS 3.6.6 offers PSS first and then refuses it in TLS 1.2, so that
// every TLS 1.2 server with an RSA key that takes the client's order fails with -0x6600. A
// server with an order of its own needs CURL_SSLVERSION_MAX_TLSv1_2 (tls12_max in
// lib/http/client.h), which offers no PSS at all. False when the library refused.
bool tls_client_hook(void *ssl_ctx);

// The server's name, checked by our own rule (x509_names_host()) on top of the library's:
// mbedTLS 3.6.6 takes a DNS name "127.0.0.1", or even "*.0.0.1", for the address, and both
// libraries take a subject without alternative names. To be called after tls_client_hook();
// `n` must live until the handshake has ended. A wrong name is told as each library tells
// its own. mbedTLS is also kept from accepting SHA-1 and RSA keys below 2048 bits, which
// libcurl lets it.
struct tls_client_names {
	const char *host;   // DNS name or IP address, without brackets
	void (*next)(void); // for the implementation
	void *next_ctx;
};
bool tls_client_check_names(void *ssl_ctx, struct tls_client_names *n);
