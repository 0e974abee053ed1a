// SPDX-License-Identifier: Apache-2.0
// A call's options on an easy handle, and what libcurl gives us while it is under way.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/http/client_int.h"
#include "lib/tls/tls_client_hook.h"

// The first option that this libcurl refuses.
struct setter {
	CURL *easy;
	CURLcode code;
	const char *option;
};

#define SET(s, opt, value)                                                               \
	do {                                                                             \
		if ((s)->code == CURLE_OK) {                                             \
			(s)->code = curl_easy_setopt((s)->easy, CURLOPT_##opt, value);   \
			(s)->option = #opt;                                              \
		}                                                                        \
	} while (0)

// RFC 9110 section 5.6.2.
static bool is_token(const char *s)
{
	static const char letters[] =
		"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	return *s && s[strspn(s, letters)] == '\0';
}

// A line break in a value would begin a header of its own.
static bool is_value(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

bool http_request_check(const struct http_request *req, struct err *e)
{
	if (!is_token(req->method))
		return err_set(e, ERR_BUG, 0, "'%.32s' is no HTTP method", req->method);
	for (size_t i = 0; i < req->n_headers; i++) {
		const struct http_header *h = &req->headers[i];
		if (!is_token(h->name))
			return err_set(e, ERR_CONFIG, 0, "'%.64s' is no header's name",
				       h->name);
		if (!is_value(h->value))
			return err_set(
				e, ERR_CONFIG, 0,
				"the value of the header %s holds a line break or a "
				"control letter",
				h->name);
	}
	return true;
}

// --- what comes

// An answer that trickles for ever is cut off, see client.h.
static void on_slow(void *ctx, struct loop_timer *t)
{
	struct http_call *call = ctx;
	if (call->received - call->slow_mark >= HTTP_SLOW_BYTES) {
		call->slow_mark = call->received;
		loop_timer_in(call->client->loop, t, HTTP_SLOW_WINDOW_MS, on_slow, call);
		return;
	}
	err_set(&call->error, ERR_RETRY, 0,
		"%s: the answer comes too slowly (%d bytes in %d s)", call->url.origin,
		(int)(call->received - call->slow_mark), HTTP_SLOW_WINDOW_MS / 1000);
	http_call_end(call);
}

static void count(struct http_call *call, size_t n)
{
	call->received += (int64_t)n;
	if (!loop_timer_armed(&call->slow) && !call->chunk) {
		call->slow_mark = call->received;
		loop_timer_in(call->client->loop, &call->slow, HTTP_SLOW_WINDOW_MS,
			      on_slow, call);
	}
}

static size_t header_cb(char *bytes, size_t size, size_t n, void *ctx)
{
	struct http_call *call = ctx;
	size_t len = size * n;
	count(call, len);
	if (http_headers_add(&call->got, bytes, len))
		return len;
	err_set(&call->error, ERR_LIMIT, 0,
		"%s: the answer's headers are longer than %d KiB", call->url.origin,
		HTTP_HEADERS_MAX / 1024);
	return 0;
}

static size_t body_cb(char *bytes, size_t size, size_t n, void *ctx)
{
	struct http_call *call = ctx;
	size_t len = size * n;
	count(call, len);
	if (buf_add(&call->got_body, bytes, len))
		return len;
	err_set(&call->error, ERR_LIMIT, 0, "%s: the answer is longer than %zu bytes",
		call->url.origin, call->got_body.max);
	return 0;
}

// Children must not inherit connections.
static curl_socket_t open_cb(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)purpose;
	struct http_call *call = ctx;
	call->fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	call->fd_errno = call->fd < 0 ? errno : 0;
	return call->fd;
}

static CURLcode tls_cb(CURL *easy, void *tls, void *ctx)
{
	(void)easy;
	struct http_call *call = ctx;
	bool skip = call->client->opts.skip_verify;
	bool ok = tls_client_hook(tls) &&
		  (skip || tls_client_check_names(tls, &call->names));
	return ok ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

// --- what is asked

static void set_general(struct setter *s, struct http_call *call)
{
	SET(s, PRIVATE, call);
	SET(s, ERRORBUFFER, call->curl_text);
	SET(s, NOSIGNAL, 1L);
	SET(s, PROTOCOLS_STR, "http,https");
	SET(s, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(s, FOLLOWLOCATION, 0L);
	if (!call->aws_sigv4) // which refuses to sign such paths
		SET(s, PATH_AS_IS, 1L);
	SET(s, CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	SET(s, TCP_KEEPALIVE, 1L); // who forwards it may forget it in silence
	SET(s, TCP_KEEPIDLE, 30L);
	SET(s, TCP_KEEPINTVL, 10L);
	SET(s, DNS_CACHE_TIMEOUT, 5L); // enough for a burst; a fault asks again
	SET(s, HEADERFUNCTION, header_cb);
	SET(s, HEADERDATA, call);
	SET(s, SUPPRESS_CONNECT_HEADERS, 1L);
	SET(s, WRITEFUNCTION, body_cb);
	SET(s, WRITEDATA, call);
	if (!call->chunk)
		SET(s, MAXFILESIZE_LARGE, (curl_off_t)call->got_body.max);
	SET(s, OPENSOCKETFUNCTION, open_cb);
	SET(s, OPENSOCKETDATA, call);
	SET(s, USERAGENT, call->client->opts.user_agent);
}

static void add_own_header(struct http_call *call, const char *line)
{
	call->own_headers = curl_slist_append(call->own_headers, line);
}

static bool has_header(const struct http_call *call, const char *name)
{
	size_t len = strlen(name);
	for (const struct curl_slist *h = call->headers; h; h = h->next)
		if (strncasecmp(h->data, name, len) == 0 &&
		    (h->data[len] == ':' || h->data[len] == ';'))
			return true;
	return false;
}

static bool sends_body(const struct http_call *call)
{
	return call->body || strcmp(call->method, "POST") == 0 ||
	       strcmp(call->method, "PUT") == 0 || strcmp(call->method, "PATCH") == 0;
}

// The caller's headers, and those that keep libcurl from adding its own (which must not
// be there when a signature is made: older ones sign them).
static void set_headers(struct setter *s, struct http_call *call)
{
	for (const struct curl_slist *h = call->headers; h; h = h->next)
		add_own_header(call, h->data);
	if (sends_body(call) && !call->aws_sigv4) {
		add_own_header(call, "Expect:");
		if (!has_header(call, "Content-Type"))
			add_own_header(call, "Content-Type:");
	}
	if (call->client->opts.server_name && call->url.https &&
	    !has_header(call, "Host")) {
		AUTO_FREE char *host =
			mem_printf("Host: %s", strstr(call->url.origin, "://") + 3);
		add_own_header(call, host);
	}
	SET(s, HTTPHEADER, call->own_headers);
	SET(s, HEADEROPT, (long)CURLHEADER_SEPARATE); // none of them to a proxy
}

static void set_method(struct setter *s, struct http_call *call)
{
	if (sends_body(call)) {
		SET(s, POST, 1L);
		SET(s, POSTFIELDS, call->body ? call->body : "");
		SET(s, POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
	} else if (strcmp(call->method, "HEAD") == 0) {
		SET(s, NOBODY, 1L);
		return;
	} else {
		SET(s, HTTPGET, 1L);
	}
	SET(s, CUSTOMREQUEST, call->method);
}

static void set_login(struct setter *s, struct http_call *call)
{
	if (!call->user)
		return;
	SET(s, USERNAME, call->user);
	SET(s, PASSWORD, call->password ? call->password : "");
	if (call->aws_sigv4)
		SET(s, AWS_SIGV4, call->aws_sigv4);
	else
		SET(s, HTTPAUTH, (long)CURLAUTH_BASIC);
}

// The call keeps the material, so libcurl need not copy it.
static struct curl_blob blob_of(const struct buf *b, size_t more)
{
	return (struct curl_blob){ .data = b->data,
				   .len = b->len + more,
				   .flags = CURL_BLOB_NOCOPY };
}

static void set_tls(struct setter *s, struct http_call *call)
{
	const struct http_client_opts *o = &call->client->opts;
	const struct http_tls *tls = call->tls;
	SET(s, SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2 |
		    (o->tls12_max ? (long)CURL_SSLVERSION_MAX_TLSv1_2 : 0L));
	SET(s, SSL_CTX_FUNCTION, tls_cb);
	SET(s, SSL_CTX_DATA, call);
	SET(s, SSL_SESSIONID_CACHE, 0L); // a session is one more secret that stays
	SET(s, SSL_VERIFYPEER, o->skip_verify ? 0L : 1L);
	SET(s, SSL_VERIFYHOST, o->skip_verify ? 0L : 2L);
	// libcurl adds the system's folder to our CA otherwise.
	SET(s, CAPATH, NULL);
	SET(s, CAINFO, tls->system_ca);
	if (tls->ca.len) {
		struct curl_blob ca = blob_of(&tls->ca, 0);
		SET(s, CAINFO_BLOB, &ca);
	}
	if (tls->cert.len) {
		struct curl_blob cert = blob_of(&tls->cert, 0);
		struct curl_blob key = blob_of(&tls->key, 1); // see tls_client_hook.h
		SET(s, SSLCERTTYPE, "PEM");
		SET(s, SSLKEYTYPE, "PEM");
		SET(s, SSLCERT_BLOB, &cert);
		SET(s, SSLKEY_BLOB, &key);
	}
}

// This machine is never asked through a proxy of the environment.
static bool is_local(const char *host)
{
	return strcmp(host, "localhost") == 0 || str_ends(host, ".localhost") ||
	       str_starts(host, "127.") || strcmp(host, "[::1]") == 0;
}

static void set_proxy(struct setter *s, struct http_call *call)
{
	const char *proxy = call->client->opts.proxy;
	if (call->unix_socket || (!proxy && is_local(call->url.host))) {
		SET(s, PROXY, "");
	} else if (proxy) {
		SET(s, PROXY, proxy);
		SET(s, NOPROXY, "");
	} else if (!call->url.https && !getenv("http_proxy")) {
		// libcurl reads the small letters only, because of CGI.
		SET(s, PROXY, getenv("HTTP_PROXY"));
	}
}

// The name that is verified comes from the URL: so the URL gets it, and the connection
// goes where the URL went before.
static bool set_url(struct setter *s, struct http_call *call, struct err *e)
{
	const char *name = call->client->opts.server_name;
	SET(s, UNIX_SOCKET_PATH, call->unix_socket);
	if (!name || !call->url.https) {
		SET(s, URL, call->url.text);
		return true;
	}
	AUTO_FREE char *url = http_url_with_host(&call->url, name);
	if (!url)
		return err_set(e, ERR_CONFIG, 0, "'%.255s' is no server name", name);
	AUTO_FREE char *to = mem_printf("::%s:%s", call->url.host, call->url.port);
	call->connect_to = curl_slist_append(NULL, to);
	SET(s, URL, url);
	SET(s, CONNECT_TO, call->connect_to);
	return true;
}

bool http_request_setup(struct http_call *call, struct err *e)
{
	struct setter s = { .easy = call->easy };
	const char *name = call->client->opts.server_name;
	call->curl_text[0] = '\0';
	call->fd = -1;
	call->fd_errno = 0;
	call->names.host = name ? name : call->url.name;
	set_general(&s, call);
	set_method(&s, call);
	set_headers(&s, call);
	set_login(&s, call);
	set_proxy(&s, call);
	if (call->url.https)
		set_tls(&s, call);
	if (!set_url(&s, call, e))
		return false;
	if (s.code == CURLE_OK)
		return true;
	return err_set(e, ERR_CONFIG, 0, "this libcurl cannot do what is needed (%s): %s",
		       s.option, curl_easy_strerror(s.code));
}
