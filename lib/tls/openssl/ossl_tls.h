// SPDX-License-Identifier: Apache-2.0
// Shared by the files of this folder only.
#pragma once

#include <openssl/ssl.h>

#include "lib/tls/seam.h"

// A struct tls_context is an SSL_CTX, which counts its users itself.
SSL_CTX *tls_context_ossl(struct tls_context *c);

// A BIO over a socket that raises no SIGPIPE. The socket stays the caller's.
BIO *tls_socket_bio(int fd);
