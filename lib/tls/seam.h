// SPDX-License-Identifier: Apache-2.0
// Between tls.c, which reads and checks the material once for both libraries, and the two
// halves. Nobody outside lib/tls includes this.
//
// Implemented by each half under the public name: tls_conn_free, tls_handshake, tls_read,
// tls_write, tls_has_pending, tls_close_notify, tls_version, tls_cipher, tls_client_cert,
// tls_client_hook, and all that stands here.
#pragma once

#include "lib/crypto/x509.h"
#include "lib/tls/tls.h"

// Material that was parsed, and whose key was matched with the first certificate.
struct tls_material {
	struct x509_chain chain;
	struct bytes key_der;         // PKCS#8, PKCS#1 or SEC 1
	struct x509_chain client_cas; // n = 0: no client certificates
	bool client_required;
};

// What all connections of one material share: counted, so that connections keep theirs when
// the server takes another or ends.
struct tls_context;

MUST_CHECK bool tls_context_new(const struct tls_material *m, struct tls_context **ret,
				struct err *e);
void tls_context_unref(struct tls_context *c); // accepts NULL
// The connection holds a count of its own.
MUST_CHECK bool tls_conn_new(struct tls_context *c, int fd, struct tls_conn **ret,
			     struct err *e);

// What recv() and send() of a broken connection leave in errno is the client's leaving, not
// a failure of ours.
bool tls_errno_is_close(int error);
