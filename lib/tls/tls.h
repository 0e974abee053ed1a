// SPDX-License-Identifier: Apache-2.0
// TLS server over non-blocking sockets; implemented by lib/tls/openssl and lib/tls/mbedtls,
// of which the build links one. crypto_init() comes first.
//
// What is spoken: TLS 1.2 and 1.3, ALPN "http/1.1" only (a client that offers ALPN without
// it is refused, RFC 7301 section 3.2), forward-secret authenticated ciphers, X25519, P-256
// and P-384. No renegotiation, no compression, no early data, and no session resumption
// (neither tickets nor a cache): kube-apiserver resumes nothing, connections are kept alive,
// and a ticket key would be one more secret that outlives a connection.
//
// One loop:
//
//	AUTO_TLS_SERVER struct tls_server *s = NULL;
//	if (!tls_server_new(&opts, &s, e)) …
//	if (!tls_accept(s, fd, &c, e)) …	  // nothing is read yet
//	switch (tls_handshake(c, e)) …		  // again after each wake-up, until TLS_OK
//	switch (tls_read(c, to, max, &n, e)) …	  // until TLS_WANT_READ
//
// TLS_WANT_READ and TLS_WANT_WRITE say for what the descriptor must become ready before the
// same call is made again; a read may want to write and the other way round. A deadline is
// the caller's.
//
// Which plaintext lies where (measured by test/system/test_tls.py): a record that
// was read is decrypted in place, in the connection's input buffer; both halves wipe what
// tls_read() has handed over, so between two calls nothing is left but the rest of a record
// that the caller did not take yet (tls_has_pending()). What tls_write() is given is
// copied to the output buffer and encrypted there in place; when the call returns, that
// buffer holds ciphertext. Both buffers lie on the wiping heap and are wiped when freed:
// at the connection's end, and in the OpenSSL half also whenever they are empty. Traffic keys
// and, while handshakes last, their secrets stay in the connection; the server's private key
// stays in the server.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

enum tls_io {
	TLS_OK,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_CLOSED, // the client has ended the connection, with or without close_notify
	TLS_FAILED, // the error says why; free the connection
};

struct tls_server;
struct tls_conn;

struct tls_server_opts {
	struct bytes cert_pem;      // leaf first, then its intermediates
	struct bytes key_pem;       // RSA, or ECDSA on P-256 or P-384, not encrypted
	struct bytes client_ca_pem; // empty: no client is asked for a certificate
	bool client_required;       // with client_ca_pem: refuse a client without one
};

// Checks that the key belongs to the leaf; the bytes are not needed afterwards. ERR_CONFIG
// names what is wrong with them.
MUST_CHECK bool tls_server_new(const struct tls_server_opts *opts,
			       struct tls_server **ret, struct err *e);
// New connections get the new material; those that exist keep what they began with. When it
// fails, nothing has changed.
MUST_CHECK bool tls_server_reload(struct tls_server *s,
				  const struct tls_server_opts *opts, struct err *e);
// Connections may outlive their server.
void tls_server_free(struct tls_server *s);
void auto_tls_server_(struct tls_server **s);
#define AUTO_TLS_SERVER AUTO(auto_tls_server_)

// A connection over an accepted, non-blocking socket, which stays the caller's to close.
MUST_CHECK bool tls_accept(struct tls_server *s, int fd, struct tls_conn **ret,
			   struct err *e);
// Says nothing to the peer; see tls_close_notify().
void tls_conn_free(struct tls_conn *c);
void auto_tls_conn_(struct tls_conn **c);
#define AUTO_TLS_CONN AUTO(auto_tls_conn_)

MUST_CHECK enum tls_io tls_handshake(struct tls_conn *c, struct err *e);
// TLS_OK: at least one byte. A connection that is cut is TLS_CLOSED as well: the length in
// HTTP's own header tells a whole message from a cut one.
MUST_CHECK enum tls_io tls_read(struct tls_conn *c, void *to, size_t max, size_t *ret_n,
				struct err *e);
// TLS_OK: *ret_n bytes are taken, at least one and maybe fewer than len. After a TLS_WANT_*
// the next call must give the same bytes again, and at least as many.
MUST_CHECK enum tls_io tls_write(struct tls_conn *c, const void *from, size_t len,
				 size_t *ret_n, struct err *e);
// Bytes have been read and wait for tls_read(), of which epoll does not know; perhaps not yet
// enough of them for it to give any.
bool tls_has_pending(const struct tls_conn *c);
// Tells the client that no more will be sent. Does not wait for its answer: TLS_OK when the
// alert is on its way.
MUST_CHECK enum tls_io tls_close_notify(struct tls_conn *c, struct err *e);

// After the handshake: "TLSv1.3" and the cipher's name, for logs.
const char *tls_version(const struct tls_conn *c);
const char *tls_cipher(const struct tls_conn *c);
// Appends the client's verified certificate as DER (x509_from_der()); ERR_MISSING when it
// has shown none.
MUST_CHECK bool tls_client_cert(const struct tls_conn *c, struct buf *to, struct err *e);
