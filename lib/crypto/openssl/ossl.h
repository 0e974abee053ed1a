// SPDX-License-Identifier: Apache-2.0
// What the files of this folder and lib/tls/openssl share: OpenSSL's error queue as our
// error, and clean-ups.
#pragma once

#include <openssl/evp.h>

#include "lib/base/err.h"
#include "lib/crypto/digest.h"

// Sets the error to `what` and the reason of the oldest entry of OpenSSL's queue, which is
// emptied. The queue holds fixed texts and file names, never data. Always returns false.
bool crypto_ossl_fail(struct err *e, enum err_kind kind, const char *what);

// The algorithm, or NULL for an unknown number.
const EVP_MD *crypto_ossl_md(enum digest_alg alg);

static inline void auto_evp_pkey_ctx_(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static inline void auto_evp_pkey_(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}
