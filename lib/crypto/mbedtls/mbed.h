// SPDX-License-Identifier: Apache-2.0
// What the files of this folder and lib/tls/mbedtls share: mbedTLS' codes as our error, and
// its source of random numbers.
#pragma once

#include <mbedtls/md.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/crypto/digest.h"

// Sets the error to `what` and mbedTLS' code in hex (the texts are not linked, to save
// 14 KiB; `mbedtls/error.h` tells them). Always returns false.
bool crypto_mbed_fail(struct err *e, enum err_kind kind, const char *what, int code);

// For mbedTLS' f_rng arguments; ctx is not used.
int crypto_mbed_rng(void *ctx, unsigned char *to, size_t len);

mbedtls_md_type_t crypto_mbed_md(enum digest_alg alg);
