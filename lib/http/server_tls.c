// SPDX-License-Identifier: Apache-2.0
// TLS under a connection. A file of its own, so that a program that serves plain sockets
// only links no TLS server.
#include "lib/http/server_int.h"

static bool accept_tls(void *server, int fd, struct tls_conn **ret, struct err *e)
{
	return tls_accept(server, fd, ret, e);
}

static void end_tls(struct tls_conn *c)
{
	struct err e = ERR_INIT;
	(void)!tls_close_notify(c, &e);
}

static const struct http_io io_tls = {
	.accept = accept_tls,
	.handshake = tls_handshake,
	.read = tls_read,
	.write = tls_write,
	.has_pending = tls_has_pending,
	.end = end_tls,
	.free = tls_conn_free,
};

void http_server_use_tls(struct http_server *s, struct tls_server *t)
{
	s->io = t ? &io_tls : NULL;
	s->io_server = t;
}
