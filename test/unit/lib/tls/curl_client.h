// SPDX-License-Identifier: Apache-2.0
// A TLS client for the tests of our server: libcurl, so that the same code speaks with
// whichever TLS library the build has, driven step by step in the server's own thread. A
// header with bodies, so that no other test links libcurl.
#pragma once

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/tls/tls_client_hook.h"

struct tls_client_opts {
	const char *host;     // to verify; NULL = "localhost"
	const char *ca_pem;   // whom to trust
	const char *cert_pem; // own certificate and key, or NULL
	const char *key_pem;
	int version; // 12 or 13: exactly this; 0 = any
	bool hook;   // call tls_client_hook()
};

struct tls_client {
	CURLM *multi;
	CURL *easy;
	bool done;
	CURLcode result;
	char error[CURL_ERROR_SIZE];
};

static CURLcode call_hook(CURL *easy, void *ssl_ctx, void *ctx)
{
	(void)easy, (void)ctx;
	return tls_client_hook(ssl_ctx) ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

static void set_blob(CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = { .data = (void *)pem,
				  .len = strlen(pem),
				  .flags = CURL_BLOB_COPY };
	curl_easy_setopt(easy, option, &blob);
}

// With its NUL: see lib/tls/tls_client_hook.h.
static void set_key_blob(CURL *easy, const char *pem)
{
	struct curl_blob blob = { .data = (void *)pem,
				  .len = strlen(pem) + 1,
				  .flags = CURL_BLOB_COPY };
	curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &blob);
}

static void set_tls(CURL *easy, const struct tls_client_opts *o)
{
	long version = o->version == 12
			       ? CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2
		       : o->version == 13 ? CURL_SSLVERSION_TLSv1_3
					  : CURL_SSLVERSION_TLSv1_2;
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, version);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	set_blob(easy, CURLOPT_CAINFO_BLOB, o->ca_pem);
	if (o->cert_pem) {
		curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
		curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
		set_blob(easy, CURLOPT_SSLCERT_BLOB, o->cert_pem);
		set_key_blob(easy, o->key_pem);
	}
	if (o->hook)
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, call_hook);
}

// A listening socket on a free port of loopback.
static int tcp_listen(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		abort();
	*ret_port = ntohs(a.sin_port);
	return fd;
}

// A client that has connected to *ret_fd, which is non-blocking and the caller's to close.
static struct tls_client *tls_client_new(const struct tls_client_opts *o, int *ret_fd)
{
	char text[256];
	unsigned port;
	int running, listener = tcp_listen(&port);
	const char *host = o->host ? o->host : "localhost";
	struct tls_client *c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	snprintf(text, sizeof(text), "https://%s:%u/", host, port);
	curl_easy_setopt(c->easy, CURLOPT_URL, text);
	curl_easy_setopt(c->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
	set_tls(c->easy, o);
	snprintf(text, sizeof(text), "%s:%u:127.0.0.1", host, port);
	struct curl_slist *names = curl_slist_append(NULL, text);
	curl_easy_setopt(c->easy, CURLOPT_RESOLVE, names);
	curl_multi_add_handle(c->multi, c->easy);
	curl_multi_perform(c->multi, &running);
	curl_slist_free_all(names);
	*ret_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	close(listener);
	if (*ret_fd < 0)
		abort();
	return c;
}

static void tls_client_free(struct tls_client *c)
{
	if (!c)
		return;
	curl_multi_remove_handle(c->multi, c->easy);
	curl_easy_cleanup(c->easy);
	curl_multi_cleanup(c->multi);
	free(c);
}

// Goes on with the handshake: 0 while it lasts, 1 when it is done, -1 when it has failed.
static int tls_client_step(struct tls_client *c)
{
	int running, left;
	if (!c->done)
		curl_multi_perform(c->multi, &running);
	CURLMsg *m = curl_multi_info_read(c->multi, &left);
	if (m && m->msg == CURLMSG_DONE) {
		c->done = true;
		c->result = m->data.result;
	}
	if (!c->done)
		return 0;
	return c->result == CURLE_OK ? 1 : -1;
}

// libcurl's words for the failure.
static const char *tls_client_error(const struct tls_client *c)
{
	return c->error[0] ? c->error : curl_easy_strerror(c->result);
}

// Bytes sent or received, 0 when the socket is not ready, -1 at the end or on failure.
static long tls_client_send(struct tls_client *c, const void *p, size_t len)
{
	size_t n = 0;
	CURLcode rc = curl_easy_send(c->easy, p, len, &n);
	return rc == CURLE_OK ? (long)n : rc == CURLE_AGAIN ? 0 : -1;
}

static long tls_client_recv(struct tls_client *c, void *p, size_t max)
{
	size_t n = 0;
	CURLcode rc = curl_easy_recv(c->easy, p, max, &n);
	return rc == CURLE_AGAIN ? 0 : rc == CURLE_OK && n > 0 ? (long)n : -1;
}
