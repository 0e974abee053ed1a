// SPDX-License-Identifier: Apache-2.0
// links: lib/tls
// A small HTTPS server over lib/tls for the system tests: answers each request with the TLS
// version, the cipher, the client's subject and the request itself.
//
//	tls_server [--client-ca FILE [--require]] CERT KEY
//
// Prints "port N", and a line for each connection that fails. SIGHUP reads the files again
// ("reloaded", or the reason why not); SIGUSR1 wipes the buffers of this program itself, so
// that a search of its memory finds only what the TLS library holds ("wiped").
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/x509.h"
#include "lib/tls/tls.h"

enum { CONNS = 64, REQUEST_MAX = 1 << 16 };

struct peer {
	int fd;
	struct tls_conn *tls;
	bool open; // the handshake is done
	enum tls_io wants;
	struct buf request, answer;
	size_t sent;
};

static struct {
	const char *cert, *key, *client_ca;
	bool require;
} args;
static struct peer peers[CONNS];
static volatile sig_atomic_t reload, wipe;

static void on_signal(int n)
{
	*(n == SIGHUP ? &reload : &wipe) = 1;
}

static bool load(struct tls_server **s, struct err *e)
{
	AUTO_BUF struct buf cert = BUF_INIT(1 << 16);
	AUTO_BUF struct buf key = BUF_INIT(1 << 16);
	AUTO_BUF struct buf ca = BUF_INIT(1 << 16);
	if (!file_read(args.cert, &cert, e) || !file_read(args.key, &key, e) ||
	    (args.client_ca && !file_read(args.client_ca, &ca, e)))
		return false;
	const struct tls_server_opts o = { .cert_pem = bytes_of(cert.data, cert.len),
					   .key_pem = bytes_of(key.data, key.len),
					   .client_ca_pem = bytes_of(ca.data, ca.len),
					   .client_required = args.require };
	return *s ? tls_server_reload(*s, &o, e) : tls_server_new(&o, s, e);
}

static void drop(struct peer *p)
{
	tls_conn_free(p->tls);
	close(p->fd);
	buf_release(&p->request);
	buf_release(&p->answer);
	*p = (struct peer){ .fd = -1 };
}

static void prepare_answer(struct peer *p)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf der = BUF_INIT(1 << 16);
	AUTO_BUF struct buf body = BUF_INIT(1 << 20);
	AUTO_X509 struct x509 *client = NULL;
	if (tls_client_cert(p->tls, &der, &e))
		(void)!x509_from_der(bytes_of(der.data, der.len), &client, &e);
	buf_printf(&body, "%s %s\nclient=%s\n", tls_version(p->tls), tls_cipher(p->tls),
		   client ? client->subject : "");
	buf_add(&body, p->request.data, p->request.len);
	buf_printf(&p->answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		   body.len);
	buf_add(&p->answer, body.data, body.len);
	p->sent = 0;
}

// Goes on until the connection wants something. False: it has ended.
static bool serve(struct peer *p, struct err *e)
{
	for (;;) {
		size_t n = 0;
		if (!p->open) {
			p->wants = tls_handshake(p->tls, e);
			p->open = p->wants == TLS_OK;
		} else if (p->sent < p->answer.len) {
			p->wants = tls_write(p->tls, p->answer.data + p->sent,
					     p->answer.len - p->sent, &n, e);
			if (p->wants == TLS_OK && (p->sent += n) == p->answer.len) {
				buf_reset(&p->answer);
				p->sent = 0;
			}
		} else {
			char *to = buf_room(&p->request, 4096);
			if (!to)
				return false;
			p->wants = tls_read(p->tls, to, 4096, &n, e);
			p->request.len += n;
			buf_end(&p->request);
			if (p->wants == TLS_OK && strstr(p->request.data, "\r\n\r\n")) {
				prepare_answer(p);
				buf_reset(&p->request);
			}
		}
		if (p->wants == TLS_WANT_READ || p->wants == TLS_WANT_WRITE)
			return true;
		if (p->wants != TLS_OK)
			return false;
	}
}

static void accept_one(int listener, struct tls_server *s)
{
	struct err e = ERR_INIT;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	for (int i = 0; fd >= 0 && i < CONNS; i++)
		if (peers[i].fd < 0) {
			peers[i] = (struct peer){ .fd = fd, .wants = TLS_WANT_READ };
			peers[i].request.max = REQUEST_MAX;
			peers[i].answer.max = 4 * REQUEST_MAX;
			if (!tls_accept(s, fd, &peers[i].tls, &e))
				drop(&peers[i]);
			return;
		}
	close(fd);
}

static void on_ready(struct peer *p)
{
	struct err e = ERR_INIT;
	if (serve(p, &e))
		return;
	if (p->wants == TLS_FAILED)
		printf("failed: %s\n", e.text);
	else if (!p->open)
		printf("closed in the handshake\n");
	if (p->wants == TLS_CLOSED)
		(void)!tls_close_notify(p->tls, &e);
	drop(p);
}

static void after_signals(struct tls_server *s)
{
	struct err e = ERR_INIT;
	if (reload)
		printf("%s\n", load(&s, &e) ? "reloaded" : e.text);
	for (int i = 0; wipe && i < CONNS; i++) {
		buf_release(&peers[i].request);
		buf_release(&peers[i].answer);
	}
	if (wipe)
		printf("wiped\n");
	reload = wipe = 0;
}

static int listen_on_loopback(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		return -1;
	printf("port %u\n", ntohs(a.sin_port));
	return fd;
}

static void run(int listener, struct tls_server *s)
{
	sigset_t blocked, open_mask;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &open_mask);
	for (;;) {
		struct pollfd fds[CONNS + 1] = { { .fd = listener, .events = POLLIN } };
		for (int i = 0; i < CONNS; i++) {
			fds[i + 1].fd = peers[i].fd;
			fds[i + 1].events =
				peers[i].wants == TLS_WANT_WRITE ? POLLOUT : POLLIN;
		}
		// Signals come in here and nowhere else: none is missed between two waits.
		int n = ppoll(fds, CONNS + 1, NULL, &open_mask);
		after_signals(s);
		if (n < 0)
			continue;
		for (int i = 0; i < CONNS; i++)
			if (peers[i].fd >= 0 && fds[i + 1].revents)
				on_ready(&peers[i]);
		if (fds[0].revents)
			accept_one(listener, s);
	}
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct tls_server *s = NULL;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--client-ca") == 0 && i + 1 < argc)
			args.client_ca = argv[++i];
		else if (strcmp(argv[i], "--require") == 0)
			args.require = true;
		else
			*(args.cert ? &args.key : &args.cert) = argv[i];
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	mem_init(false);
	signal(SIGHUP, on_signal);
	signal(SIGUSR1, on_signal);
	for (int i = 0; i < CONNS; i++)
		peers[i].fd = -1;
	if (!args.key || !crypto_init(&e) || !load(&s, &e)) {
		fprintf(stderr, "tls_server: %s\n", e.text);
		return 1;
	}
	int listener = listen_on_loopback();
	if (listener < 0)
		return 1;
	run(listener, s);
}
