// SPDX-License-Identifier: Apache-2.0
// OpenSSL: start, version and errors.
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/openssl/ossl.h"

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "OpenSSL 3.0 or newer is needed"
#endif

static void *ossl_malloc(size_t n, const char *file UNUSED, int line UNUSED)
{
	return mem_alloc(n);
}

static void *ossl_realloc(void *p, size_t n, const char *file UNUSED, int line UNUSED)
{
	if (n == 0) { // OpenSSL's own realloc frees then
		mem_free(p);
		return NULL;
	}
	return mem_realloc(p, n);
}

static void ossl_free(void *p, const char *file UNUSED, int line UNUSED)
{
	mem_free(p);
}

bool crypto_init(struct err *e)
{
	static bool done;
	if (done)
		return true;
	if (!CRYPTO_set_mem_functions(ossl_malloc, ossl_realloc, ossl_free))
		return err_set(e, ERR_BUG, 0,
			       "OpenSSL has allocated before crypto_init()");
	// Strings are loaded for error texts. The system's openssl.cnf is read, because it
	// may hold the administrator's policy.
	if (!OPENSSL_init_crypto(
		    OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_LOAD_CONFIG, NULL))
		return crypto_ossl_fail(e, ERR_BUG, "start OpenSSL");
	done = true;
	return true;
}

const char *crypto_version(void)
{
	static char text[64]; // "OpenSSL 3.0.19 27 Jan 2026" without the date
	const char *full = OpenSSL_version(OPENSSL_VERSION);
	const char *end = strchr(full, ' ');
	if (end)
		end = strchr(end + 1, ' ');
	snprintf(text, sizeof(text), "%.*s", end ? (int)(end - full) : (int)strlen(full),
		 full);
	return text;
}

bool crypto_ossl_fail(struct err *e, enum err_kind kind, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	if (reason)
		err_set(e, kind, 0, "%s: %s", what, reason);
	else
		err_set(e, kind, 0, "%s", what);
	ERR_clear_error();
	return false;
}
