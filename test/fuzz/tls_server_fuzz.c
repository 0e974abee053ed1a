// SPDX-License-Identifier: Apache-2.0
// links: lib/tls
// What a stranger sends to the TLS server's port, whole and in two pieces. The TLS libraries
// are fuzzed by their makers; this looks at our side of them: no state may loop, crash or
// succeed.
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_server *server;

static void start(void)
{
	AUTO_BUF struct buf cert = BUF_INIT(1 << 16);
	AUTO_BUF struct buf key = BUF_INIT(1 << 16);
	mem_init(false);
	if (!crypto_init(NULL) ||
	    !file_read("test/cases/certificates/chain.pem", &cert, NULL) ||
	    !file_read("test/cases/keys/p256.sec1.pem", &key, NULL))
		abort();
	const struct tls_server_opts o = { .cert_pem = bytes_of(cert.data, cert.len),
					   .key_pem = bytes_of(key.data, key.len),
					   .client_ca_pem =
						   bytes_of(cert.data, cert.len) };
	if (!tls_server_new(&o, &server, NULL))
		abort();
}

static enum tls_io feed(struct tls_conn *c, int peer, const uint8_t *p, size_t len)
{
	unsigned char sink[4096];
	if (len && send(peer, p, len, MSG_DONTWAIT) < 0)
		return TLS_FAILED;
	enum tls_io io = tls_handshake(c, NULL);
	while (recv(peer, sink, sizeof(sink), MSG_DONTWAIT) > 0) {
		// drained, so that the server never has to wait for us
	}
	return io;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!server)
		start();
	if (size > 1 << 16)
		return 0;
	for (int pieces = 1; pieces <= 2; pieces++) {
		int pair[2];
		AUTO_TLS_CONN struct tls_conn *c = NULL;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) ||
		    !tls_accept(server, pair[0], &c, NULL))
			abort();
		size_t first = pieces == 1 ? size : size / 2;
		enum tls_io io = feed(c, pair[1], data, first);
		if (io == TLS_WANT_READ && first < size)
			io = feed(c, pair[1], data + first, size - first);
		assert(io != TLS_OK);
		shutdown(pair[1], SHUT_WR);
		if (io == TLS_WANT_READ)
			io = feed(c, pair[1], NULL, 0);
		assert(io == TLS_CLOSED || io == TLS_FAILED);
		assert(tls_close_notify(c, NULL) == TLS_OK);
		close(pair[0]);
		close(pair[1]);
	}
	return 0;
}
