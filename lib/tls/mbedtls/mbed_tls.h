// SPDX-License-Identifier: Apache-2.0
// Shared by the files of this folder only.
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "lib/tls/seam.h"

struct tls_context {
	unsigned users; // the server and each connection
	mbedtls_ssl_config conf;
	mbedtls_x509_crt chain;
	mbedtls_x509_crt client_cas;
	mbedtls_pk_context key;
};
