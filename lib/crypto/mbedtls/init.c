// SPDX-License-Identifier: Apache-2.0
// mbedTLS: start, version, errors, random numbers.
#include <mbedtls/entropy.h>
#include <mbedtls/platform.h>
#include <mbedtls/version.h>
#include <psa/crypto.h>
#include <stdio.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/mbedtls/mbed.h"

#if MBEDTLS_VERSION_NUMBER < 0x03060000 || MBEDTLS_VERSION_NUMBER >= 0x04000000
#error "mbedTLS 3.6 is needed"
#endif

bool crypto_init(struct err *e)
{
	static bool done;
	if (done)
		return true;
	int rc = mbedtls_platform_set_calloc_free(mem_calloc, mem_free);
	if (rc)
		return crypto_mbed_fail(e, ERR_BUG, "start mbedTLS", rc);
	// TLS 1.3 stands on the PSA interface, here and in libcurl.
	psa_status_t status = psa_crypto_init();
	if (status != PSA_SUCCESS)
		return crypto_mbed_fail(e, ERR_BUG, "start mbedTLS", status);
	done = true;
	return true;
}

const char *crypto_version(void)
{
	static char text[32];
	char number[9];
	mbedtls_version_get_string(number);
	snprintf(text, sizeof(text), "mbedTLS %s", number);
	return text;
}

bool crypto_mbed_fail(struct err *e, enum err_kind kind, const char *what, int code)
{
	return err_set(e, kind, 0, "%s: mbedTLS -0x%04x", what, (unsigned)-code);
}

int crypto_mbed_rng(void *ctx UNUSED, unsigned char *to, size_t len)
{
	return crypto_random(to, len, NULL) ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}
