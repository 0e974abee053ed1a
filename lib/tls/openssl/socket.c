// SPDX-License-Identifier: Apache-2.0
// OpenSSL's door to the socket. Its own socket BIO writes with write(), which kills a process
// that has not ignored SIGPIPE.
#include <errno.h>
#include <openssl/bio.h>
#include <sys/socket.h>

#include "lib/tls/openssl/ossl_tls.h"

static int socket_of(BIO *b)
{
	return (int)(intptr_t)BIO_get_data(b);
}

static int bio_read(BIO *b, char *to, int len)
{
	BIO_clear_flags(b, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
	ssize_t n = recv(socket_of(b), to, (size_t)len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	if (n == 0)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	return (int)n;
}

static int bio_write(BIO *b, const char *from, int len)
{
	BIO_clear_flags(b, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
	ssize_t n = send(socket_of(b), from, (size_t)len, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return (int)n;
}

static long bio_ctrl(BIO *b, int cmd, long num UNUSED, void *ptr UNUSED)
{
	if (cmd == BIO_CTRL_EOF)
		return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
	return cmd == BIO_CTRL_FLUSH;
}

BIO *tls_socket_bio(int fd)
{
	static BIO_METHOD *method; // one for the process's life
	if (!method) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
				      "socket");
		if (!method || !BIO_meth_set_read(method, bio_read) ||
		    !BIO_meth_set_write(method, bio_write) ||
		    !BIO_meth_set_ctrl(method, bio_ctrl))
			return NULL;
	}
	BIO *b = BIO_new(method);
	if (b) {
		BIO_set_data(b, (void *)(intptr_t)fd);
		BIO_set_init(b, 1);
	}
	return b;
}
