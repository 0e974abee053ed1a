// SPDX-License-Identifier: Apache-2.0
// The TLS server against libcurl, in one thread over a socket pair. Other clients and the
// matrix of both TLS libraries: test/system/test_tls.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/x509.h"
#include "lib/tls/tls.h"
#include "test/support/expect.h"
#include "test/unit/lib/tls/curl_client.h"

#define KEYS "test/cases/keys/"

// A CA and what it issued, as NUL-ended PEM.
struct pki {
	struct pkey *ca_key;
	struct x509 *ca;
	struct buf ca_pem, cert_pem, key_pem;
};

static void pki_release(struct pki *p)
{
	x509_free(p->ca);
	pkey_free(p->ca_key);
	buf_release(&p->ca_pem);
	buf_release(&p->cert_pem);
	buf_release(&p->key_pem);
}

static struct bytes bytes_in(const struct buf *b)
{
	return bytes_of(b->data, b->len);
}

// A leaf for localhost; key_file NULL = a fresh P-256 key.
static void issue(struct pki *p, const char *key_file, bool client)
{
	static const char *const names[] = { "localhost" };
	const struct x509_spec spec = { .common_name = client ? "a client" : "localhost",
					.names = names,
					.n_names = 1,
					.not_before = 1700000000,
					.not_after = 4000000000,
					.client = client };
	AUTO_PKEY struct pkey *key = NULL;
	AUTO_X509 struct x509 *leaf = NULL;
	p->key_pem.max = p->cert_pem.max = 1 << 16;
	buf_reset(&p->key_pem);
	buf_reset(&p->cert_pem);
	if (key_file) {
		EXPECT_OK(file_read(key_file, &p->key_pem, &err));
		EXPECT_OK(pkey_from_pem(bytes_in(&p->key_pem), &key, &err));
	} else {
		EXPECT_OK(pkey_generate_p256(&key, &err));
		EXPECT_OK(pkey_to_pem(key, &p->key_pem, &err));
	}
	const struct x509_issuer by = { .cert = p->ca, .key = p->ca_key };
	EXPECT_OK(x509_make_leaf(&spec, key, &by, &leaf, &err));
	EXPECT_OK(x509_to_pem(leaf, &p->cert_pem, &err));
}

static void pki_make(struct pki *p)
{
	const struct x509_spec spec = { .common_name = "test CA",
					.not_before = 1700000000,
					.not_after = 4000000000 };
	p->ca_pem.max = 1 << 16;
	EXPECT_OK(pkey_generate_p256(&p->ca_key, &err));
	EXPECT_OK(x509_make_ca(&spec, p->ca_key, &p->ca, &err));
	EXPECT_OK(x509_to_pem(p->ca, &p->ca_pem, &err));
	issue(p, NULL, false);
}

static struct tls_server_opts server_opts(const struct pki *p)
{
	return (struct tls_server_opts){ .cert_pem = bytes_in(&p->cert_pem),
					 .key_pem = bytes_in(&p->key_pem) };
}

// Both ends of one connection.
struct link {
	struct tls_client *client;
	struct tls_conn *conn;
	int fd;
	enum tls_io state; // of the handshake
	int client_state;
	char client_error[256];
};

static void link_release(struct link *l)
{
	tls_conn_free(l->conn);
	if (l->fd >= 0)
		close(l->fd);
	tls_client_free(l->client);
}

#define AUTO_LINK AUTO(link_release)

// Drives both ends until the handshake has ended on both, or one has given up.
static void link_open(struct link *l, struct tls_server *s,
		      const struct tls_client_opts *o)
{
	err_clear(&err);
	l->client = tls_client_new(o, &l->fd);
	struct err e = ERR_INIT;
	if (!tls_accept(s, l->fd, &l->conn, &e))
		fail_msg("%s", e.text);
	l->state = TLS_WANT_READ;
	for (int i = 0; i < 100000; i++) {
		if (l->state == TLS_WANT_READ || l->state == TLS_WANT_WRITE)
			l->state = tls_handshake(l->conn, &err);
		if (l->state == TLS_FAILED && l->fd >= 0) {
			close(l->fd);
			l->fd = -1;
		}
		l->client_state = tls_client_step(l->client);
		if (l->client_state < 0)
			snprintf(l->client_error, sizeof(l->client_error), "%s",
				 tls_client_error(l->client));
		if (l->client_state < 0 && l->state == TLS_OK)
			return;
		if (l->client_state && l->state != TLS_WANT_READ &&
		    l->state != TLS_WANT_WRITE)
			return;
		if (l->client_state < 0 && l->state == TLS_WANT_READ) {
			tls_client_free(l->client); // closes its socket
			l->client = NULL;
			l->state = tls_handshake(l->conn, &err);
			return;
		}
	}
	fail_msg("the handshake does not end");
}

static void expect_open(struct link *l, struct tls_server *s,
			const struct tls_client_opts *o)
{
	link_open(l, s, o);
	if (l->state != TLS_OK)
		fail_msg("server: %d %s; client: %s", (int)l->state, err.text,
			 l->client_error);
	if (l->client_state != 1)
		fail_msg("client: %s", l->client_error);
}

// The bytes go from the client through the server and back.
static void expect_echo(struct link *l, size_t len)
{
	AUTO_FREE unsigned char *sent = mem_alloc(len);
	AUTO_FREE unsigned char *mid = mem_alloc(len);
	AUTO_FREE unsigned char *back = mem_alloc(len);
	EXPECT_OK(crypto_random(sent, len, &err));
	size_t n_sent = 0, n_mid = 0, n_out = 0, n_back = 0;
	for (int i = 0; n_back < len; i++) {
		if (i > 1000000)
			fail_msg("stuck at %zu %zu %zu %zu", n_sent, n_mid, n_out,
				 n_back);
		long n = n_sent < len
				 ? tls_client_send(l->client, sent + n_sent, len - n_sent)
				 : 0;
		assert_true(n >= 0);
		n_sent += (size_t)n;
		size_t got = 0;
		enum tls_io io = TLS_WANT_READ;
		if (n_mid < len)
			io = tls_read(l->conn, mid + n_mid, len - n_mid, &got, &err);
		assert_true(io == TLS_OK || io == TLS_WANT_READ);
		n_mid += io == TLS_OK ? got : 0;
		if (n_out < n_mid) {
			io = tls_write(l->conn, mid + n_out, n_mid - n_out, &got, &err);
			assert_true(io == TLS_OK || io == TLS_WANT_WRITE);
			n_out += io == TLS_OK ? got : 0;
		}
		n = tls_client_recv(l->client, back + n_back, len - n_back);
		assert_true(n >= 0);
		n_back += (size_t)n;
	}
	assert_memory_equal(sent, back, len);
}

static void versions_and_keys(void **state UNUSED)
{
	static const char *const keys[] = { NULL, KEYS "rsa2048.pkcs8.pem",
					    KEYS "rsa3072.pem", KEYS "p256.sec1.pem",
					    KEYS "p384.pem" };
	AUTO(pki_release) struct pki p = { 0 };
	pki_make(&p);
	for (size_t i = 0; i < 2 * ARRAY_LEN(keys); i++) {
		issue(&p, keys[i / 2], false);
		const struct tls_server_opts opts = server_opts(&p);
		const struct tls_client_opts client = { .ca_pem = p.ca_pem.data,
							.version = i % 2 ? 13 : 12,
							.hook = true };
		AUTO_TLS_SERVER struct tls_server *s = NULL;
		AUTO_LINK struct link l = { 0 };
		EXPECT_OK(tls_server_new(&opts, &s, &err));
		expect_open(&l, s, &client);
		assert_string_equal(tls_version(l.conn), i % 2 ? "TLSv1.3" : "TLSv1.2");
		assert_non_null(tls_cipher(l.conn));
		expect_echo(&l, 3);
	}
}

static void a_mebibyte_each_way(void **state UNUSED)
{
	AUTO(pki_release) struct pki p = { 0 };
	pki_make(&p);
	const struct tls_server_opts opts = server_opts(&p);
	AUTO_TLS_SERVER struct tls_server *s = NULL;
	EXPECT_OK(tls_server_new(&opts, &s, &err));
	for (int version = 12; version <= 13; version++) {
		const struct tls_client_opts client = { .ca_pem = p.ca_pem.data,
							.version = version };
		AUTO_LINK struct link l = { 0 };
		expect_open(&l, s, &client);
		int small = 4096; // so that writes are cut
		setsockopt(l.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		expect_echo(&l, 1 << 20);
	}
}

static void a_client_that_trusts_another_ca(void **state UNUSED)
{
	AUTO(pki_release) struct pki p = { 0 };
	AUTO(pki_release) struct pki other = { 0 };
	pki_make(&p);
	pki_make(&other);
	const struct tls_server_opts opts = server_opts(&p);
	AUTO_TLS_SERVER struct tls_server *s = NULL;
	EXPECT_OK(tls_server_new(&opts, &s, &err));
	for (int version = 12; version <= 13; version++) {
		const struct tls_client_opts wrong_ca = { .ca_pem = other.ca_pem.data,
							  .version = version };
		const struct tls_client_opts wrong_host = { .ca_pem = p.ca_pem.data,
							    .host = "other.test",
							    .version = version };
		AUTO_LINK struct link a = { 0 };
		AUTO_LINK struct link b = { 0 };
		link_open(&a, s, &wrong_ca);
		assert_int_equal(a.client_state, -1);
		assert_true(a.state == TLS_FAILED || a.state == TLS_CLOSED);
		link_open(&b, s, &wrong_host);
		assert_int_equal(b.client_state, -1);
	}
}

// Whether the server took the client: in TLS 1.3 a client is done before it is judged.
static bool taken(struct tls_server *s, const struct tls_client_opts *o,
		  struct buf *ret_cert)
{
	AUTO_LINK struct link l = { 0 };
	struct err e = ERR_INIT;
	link_open(&l, s, o);
	if (l.state != TLS_OK) {
		assert_true(l.state == TLS_FAILED || l.state == TLS_CLOSED);
		return false;
	}
	expect_echo(&l, 10);
	if (!tls_client_cert(l.conn, ret_cert, &e))
		assert_int_equal(e.kind, ERR_MISSING);
	return true;
}

static void client_certificates(void **state UNUSED)
{
	AUTO(pki_release) struct pki p = { 0 };
	AUTO(pki_release) struct pki mine = { 0 };
	AUTO(pki_release) struct pki alien = { 0 };
	pki_make(&p);
	pki_make(&mine);
	pki_make(&alien);
	issue(&mine, NULL, true);
	issue(&alien, NULL, true);
	struct tls_server_opts opts = server_opts(&p);
	opts.client_ca_pem = bytes_in(&mine.ca_pem);
	for (int i = 0; i < 4; i++) {
		opts.client_required = i % 2;
		const int version = i < 2 ? 12 : 13;
		const struct tls_client_opts none = { .ca_pem = p.ca_pem.data,
						      .version = version };
		struct tls_client_opts good = none, bad = none;
		good.cert_pem = mine.cert_pem.data;
		good.key_pem = mine.key_pem.data;
		bad.cert_pem = alien.cert_pem.data;
		bad.key_pem = alien.key_pem.data;
		AUTO_TLS_SERVER struct tls_server *s = NULL;
		AUTO_BUF struct buf cert = BUF_INIT(1 << 16);
		EXPECT_OK(tls_server_new(&opts, &s, &err));
		assert_int_equal(taken(s, &none, &cert), !opts.client_required);
		assert_int_equal(cert.len, 0);
		assert_false(taken(s, &bad, &cert));
		assert_true(taken(s, &good, &cert));
		AUTO_X509 struct x509 *shown = NULL;
		EXPECT_OK(x509_from_der(bytes_in(&cert), &shown, &err));
		assert_string_equal(shown->subject, "CN=a client");
	}
}

static void reload(void **state UNUSED)
{
	AUTO(pki_release) struct pki p = { 0 };
	AUTO(pki_release) struct pki next = { 0 };
	pki_make(&p);
	pki_make(&next);
	const struct tls_server_opts opts = server_opts(&p), fresh = server_opts(&next);
	const struct tls_client_opts trusts_old = { .ca_pem = p.ca_pem.data };
	const struct tls_client_opts trusts_new = { .ca_pem = next.ca_pem.data };
	AUTO_TLS_SERVER struct tls_server *s = NULL;
	AUTO_LINK struct link before = { 0 };
	AUTO_LINK struct link after = { 0 };
	EXPECT_OK(tls_server_new(&opts, &s, &err));
	expect_open(&before, s, &trusts_old);
	// What does not fit is refused, and the old one stays.
	const struct tls_server_opts mixed = { .cert_pem = fresh.cert_pem,
					       .key_pem = opts.key_pem };
	EXPECT_FAIL(ERR_CONFIG, tls_server_reload(s, &mixed, &err));
	const struct tls_server_opts empty = { .key_pem = opts.key_pem };
	EXPECT_FAIL(ERR_MISSING, tls_server_reload(s, &empty, &err));
	{
		AUTO_LINK struct link still = { 0 };
		expect_open(&still, s, &trusts_old);
	}
	EXPECT_OK(tls_server_reload(s, &fresh, &err));
	expect_open(&after, s, &trusts_new);
	expect_echo(&before, 100000);
	expect_echo(&after, 100);
	// Connections outlive the server.
	tls_server_free(TAKE(s));
	expect_echo(&before, 100);
	expect_echo(&after, 100);
}

static void refused_material(void **state UNUSED)
{
	AUTO(pki_release) struct pki p = { 0 };
	AUTO(pki_release) struct pki other = { 0 };
	pki_make(&p);
	pki_make(&other);
	const struct bytes cert = bytes_in(&p.cert_pem), key = bytes_in(&p.key_pem);
	const struct {
		struct tls_server_opts opts;
		enum err_kind kind;
	} cases[] = {
		{ { .cert_pem = cert, .key_pem = bytes_in(&other.key_pem) }, ERR_CONFIG },
		{ { .cert_pem = cert }, ERR_MISSING },
		{ { .key_pem = key }, ERR_MISSING },
		{ { .cert_pem = key, .key_pem = cert }, ERR_MISSING },
		{ { .cert_pem = bytes_of(cert.p, cert.len / 2), .key_pem = key },
		  ERR_CONFIG },
		{ { .cert_pem = cert, .key_pem = bytes_of(key.p, key.len / 2) },
		  ERR_CONFIG },
		{ { .cert_pem = cert, .key_pem = key, .client_ca_pem = key },
		  ERR_MISSING },
		{ { .cert_pem = cert, .key_pem = key, .client_required = true },
		  ERR_CONFIG },
	};
	struct tls_server *s = NULL;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		EXPECT_FAIL(cases[i].kind, tls_server_new(&cases[i].opts, &s, &err));
	assert_null(s);
}

static void what_is_no_tls(void **state UNUSED)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
					     "\x16\x03\x01\xff\xff\x01",
					     "\x80\x2e\x01\x03\x01" };
	AUTO(pki_release) struct pki p = { 0 };
	pki_make(&p);
	const struct tls_server_opts opts = server_opts(&p);
	AUTO_TLS_SERVER struct tls_server *s = NULL;
	EXPECT_OK(tls_server_new(&opts, &s, &err));
	for (size_t i = 0; i < ARRAY_LEN(texts) + 2; i++) {
		int pair[2];
		AUTO_TLS_CONN struct tls_conn *c = NULL;
		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
		EXPECT_OK(tls_accept(s, pair[0], &c, &err));
		assert_int_equal(tls_handshake(c, &err), TLS_WANT_READ);
		AUTO_FREE char *noise = mem_alloc(20000);
		EXPECT_OK(crypto_random(noise, 20000, &err));
		if (i < ARRAY_LEN(texts))
			assert_true(write(pair[1], texts[i], strlen(texts[i])) > 0);
		else if (i == ARRAY_LEN(texts))
			assert_true(write(pair[1], noise, 20000) > 0);
		close(pair[1]);
		enum tls_io io = tls_handshake(c, &err);
		assert_true(io == TLS_FAILED || io == TLS_CLOSED);
		assert_int_equal(tls_close_notify(c, &err), TLS_OK);
		close(pair[0]);
	}
}

static void the_end_of_a_connection(void **state UNUSED)
{
	AUTO(pki_release) struct pki p = { 0 };
	pki_make(&p);
	const struct tls_server_opts opts = server_opts(&p);
	AUTO_TLS_SERVER struct tls_server *s = NULL;
	EXPECT_OK(tls_server_new(&opts, &s, &err));
	char byte;
	size_t n;
	for (int version = 12; version <= 13; version++) {
		const struct tls_client_opts client = { .ca_pem = p.ca_pem.data,
							.version = version };
		AUTO_LINK struct link ours = { 0 };
		expect_open(&ours, s, &client);
		assert_int_equal(tls_close_notify(ours.conn, &err), TLS_OK);
		AUTO_LINK struct link theirs = { 0 };
		expect_open(&theirs, s, &client);
		assert_int_equal(tls_read(theirs.conn, &byte, 1, &n, &err),
				 TLS_WANT_READ);
		tls_client_free(TAKE(theirs.client));
		assert_int_equal(tls_read(theirs.conn, &byte, 1, &n, &err), TLS_CLOSED);
		// No SIGPIPE, and no success for long: TCP itself takes some more.
		enum tls_io io = TLS_OK;
		for (int i = 0; i < 1000 && io == TLS_OK; i++)
			io = tls_write(theirs.conn, "x", 1, &n, &err);
		assert_true(io == TLS_CLOSED || io == TLS_FAILED);
		AUTO_LINK struct link cut = { 0 };
		expect_open(&cut, s, &client);
		shutdown(cut.fd, SHUT_RDWR);
		assert_int_equal(tls_read(cut.conn, &byte, 1, &n, &err), TLS_CLOSED);
	}
}

static void bytes_that_wait_inside(void **state UNUSED)
{
	AUTO(pki_release) struct pki p = { 0 };
	pki_make(&p);
	const struct tls_server_opts opts = server_opts(&p);
	const struct tls_client_opts client = { .ca_pem = p.ca_pem.data };
	AUTO_TLS_SERVER struct tls_server *s = NULL;
	AUTO_LINK struct link l = { 0 };
	EXPECT_OK(tls_server_new(&opts, &s, &err));
	expect_open(&l, s, &client);
	assert_false(tls_has_pending(l.conn));
	assert_int_equal(tls_client_send(l.client, "0123456789", 10), 10);
	char to[16];
	size_t n = 0;
	assert_int_equal(tls_read(l.conn, to, 4, &n, &err), TLS_OK);
	assert_int_equal(n, 4);
	assert_true(tls_has_pending(l.conn));
	assert_int_equal(tls_read(l.conn, to, sizeof(to), &n, &err), TLS_OK);
	assert_int_equal(n, 6);
	assert_memory_equal(to, "456789", 6);
	assert_false(tls_has_pending(l.conn));
	assert_int_equal(tls_read(l.conn, to, sizeof(to), &n, &err), TLS_WANT_READ);
}

int main(void)
{
	mem_init(false);
	if (!crypto_init(&err) || curl_global_init(CURL_GLOBAL_ALL))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_and_keys),
		cmocka_unit_test(a_mebibyte_each_way),
		cmocka_unit_test(a_client_that_trusts_another_ca),
		cmocka_unit_test(client_certificates),
		cmocka_unit_test(reload),
		cmocka_unit_test(refused_material),
		cmocka_unit_test(what_is_no_tls),
		cmocka_unit_test(the_end_of_a_connection),
		cmocka_unit_test(bytes_that_wait_inside),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return rc;
}
