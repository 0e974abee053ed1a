// SPDX-License-Identifier: Apache-2.0
// Why a call has failed, for people: the origin, the reason, and what to do about it. The
// two TLS libraries' words are turned into ours by one table. libcurl's own text is shown
// only where no row knows better; it never holds bytes of the answer.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/http/client_int.h"

struct reason {
	const char *needle; // in libcurl's text
	enum err_kind kind;
	const char *text;
};

// The first row that fits wins: an untrusted certificate comes before its other faults.
static const struct reason certificate[] = {
	{ "self-signed certificate", ERR_CONFIG, NULL },
	{ "self signed certificate", ERR_CONFIG, NULL },
	{ "unable to get local issuer", ERR_CONFIG, NULL },
	{ "unable to get issuer", ERR_CONFIG, NULL },
	{ "unable to verify the first", ERR_CONFIG, NULL },
	{ "not correctly signed by the trusted CA", ERR_CONFIG, NULL },
	{ "has expired", ERR_CONFIG, "has expired" },
	{ "not yet valid", ERR_CONFIG, "is not valid yet (are both clocks right?)" },
	{ "starts in the future", ERR_CONFIG,
	  "is not valid yet (are both clocks right?)" },
	{ "revoked", ERR_CONFIG, "has been revoked" },
	{ "too weak", ERR_CONFIG, "has a key or a signature that is too weak" },
	{ "too small", ERR_CONFIG, "has a key or a signature that is too weak" },
	{ "unacceptable", ERR_CONFIG, "has a key or a signature that is too weak" },
	{ "purpose", ERR_CONFIG, "is not made for a server" },
	{ "keyUsage", ERR_CONFIG, "is not made for a server" },
	{ "KeyUsage", ERR_CONFIG, "is not made for a server" },
};

static const struct reason handshake[] = {
	{ "alert certificate required", ERR_CONFIG,
	  "the server wants a client certificate" },
	{ "alert bad certificate", ERR_CONFIG,
	  "the server refuses the client certificate" },
	{ "alert unknown ca", ERR_CONFIG, "the server refuses the client certificate" },
	{ "alert certificate", ERR_CONFIG, "the server refuses the client certificate" },
	{ "alert unsupported certificate", ERR_CONFIG,
	  "the server refuses the client certificate" },
	{ "alert access denied", ERR_CONFIG,
	  "the server refuses the client certificate" },
	{ "unrecognized name", ERR_CONFIG, "the server does not know this name" },
	{ "protocol version", ERR_CONFIG,
	  "no common TLS version: the server must speak 1.2" },
	{ "unsupported protocol", ERR_CONFIG,
	  "no common TLS version: the server must speak 1.2" },
	{ "wrong ssl version", ERR_CONFIG,
	  "no common TLS version: the server must speak 1.2" },
	{ "-0x6E80", ERR_CONFIG, "no common TLS version: the server must speak 1.2" },
	{ "wrong version number", ERR_CONFIG,
	  "the server does not speak TLS; is http:// meant?" },
	{ "packet length too long", ERR_CONFIG,
	  "the server does not speak TLS; is http:// meant?" },
	{ "-0x7200", ERR_CONFIG, "the server does not speak TLS; is http:// meant?" },
	{ "-0x6600", ERR_CONFIG,
	  "the TLS handshake failed; if the server speaks TLS 1.2 with an RSA key, "
	  "tls12_max "
	  "may help" },
};

// Through the wall of libcurl's text: mbedTLS cannot tell which alert it was.
static const char *const alerts[] = { "alert handshake failure", "-0x7780",
				      "alert number" };

static const struct reason *find(const struct reason *rows, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(text, rows[i].needle))
			return &rows[i];
	return NULL;
}

// Libcurl's text, one line, printable, not too long.
static const char *tidy(const struct http_call *call, char *to, size_t size)
{
	size_t n = 0;
	for (const char *p = call->curl_text; *p && *p != '\n' && n + 1 < size; p++)
		to[n++] = *p >= ' ' && *p < 0x7f ? *p : '?';
	to[n] = '\0';
	return to;
}

static bool name_mismatch(const char *text)
{
	return strstr(text, "subject name") || strstr(text, "mismatch") ||
	       strstr(text, "expected CN") || strstr(text, "common name");
}

static void explain_certificate(struct http_call *call, const char *who)
{
	const struct http_client_opts *o = &call->client->opts;
	struct err *e = &call->error;
	char text[160];
	const struct reason *r =
		find(certificate, ARRAY_LEN(certificate), call->curl_text);
	const char *ca = o->ca_file ? o->ca_file : o->ca_dir;
	if (r && !r->text && ca)
		err_set(e, ERR_CONFIG, 0,
			"%s: the certificate is not signed by the CA in '%s'", who, ca);
	else if (r && !r->text)
		err_set(e, ERR_CONFIG, 0,
			"%s: the certificate is not signed by a CA that this system "
			"trusts; "
			"set a CA file",
			who);
	else if (r)
		err_set(e, r->kind, 0, "%s: the certificate %s", who, r->text);
	else if (name_mismatch(call->curl_text))
		err_set(e, ERR_CONFIG, 0,
			"%s: the certificate is for another name, it does not match '%s'",
			who, o->server_name ? o->server_name : call->url.host);
	else
		err_set(e, ERR_CONFIG, 0, "%s: the certificate cannot be verified: %s",
			who, tidy(call, text, sizeof(text)));
}

// True when the text is one of the handshake's; other failures have other words.
static bool explain_handshake(struct http_call *call, const char *who)
{
	struct err *e = &call->error;
	const struct reason *r = find(handshake, ARRAY_LEN(handshake), call->curl_text);
	if (r) {
		err_set(e, r->kind, 0, "%s: %s", who, r->text);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
		if (!strstr(call->curl_text, alerts[i]))
			continue;
		err_set(e, ERR_CONFIG, 0, "%s: the server refused the TLS connection%s",
			who,
			call->client->opts.client_cert
				? " (the client certificate, perhaps)"
				: "; it may want a client certificate");
		return true;
	}
	return false;
}

static void explain_connect(struct http_call *call, const char *who)
{
	long cause = 0;
	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &cause);
	size_t skip = call->url.host[0] == '[';
	AUTO_FREE char *host =
		mem_strndup(call->url.host + skip, strlen(call->url.host) - 2 * skip);
	bool direct = call->unix_socket || strstr(call->curl_text, host);
	const char *how = direct ? "" : " to the proxy";
	if (cause == ECONNREFUSED)
		err_set(&call->error, ERR_RETRY, 0, "%s: connection refused%s", who, how);
	else
		err_set(&call->error, ERR_RETRY, (int)cause, "%s: no connection%s", who,
			how);
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

// Which part of the way has taken too long.
static void explain_timeout(struct http_call *call, const char *who, int64_t limit_ms)
{
	curl_off_t name = 0, connect = 0, tls = 0;
	curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &name);
	curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &connect);
	curl_easy_getinfo(call->easy, CURLINFO_APPCONNECT_TIME_T, &tls);
	bool numeric = call->unix_socket ||
		       strspn(call->url.host, "0123456789.[:]") == strlen(call->url.host);
	const char *what = "did not answer";
	if (call->received > 0)
		what = "the answer was not complete";
	else if (connect == 0 && name == 0 && !numeric)
		what = "the name was not resolved";
	else if (connect == 0)
		what = "no connection";
	else if (call->url.https && tls == 0)
		what = "the TLS handshake was not finished";
	err_set(&call->error, ERR_RETRY, 0, "%s: %s within %g s", who, what,
		seconds(limit_ms));
}

static void who_is(const struct http_call *call, char to[static 256])
{
	if (call->unix_socket)
		snprintf(to, 256, "socket %s", call->unix_socket);
	else
		snprintf(to, 256, "%s", call->url.origin);
}

void http_explain_deadline(struct http_call *call)
{
	char who[256];
	who_is(call, who);
	if (call->easy)
		explain_timeout(call, who, call->timeout_ms);
	else
		err_set(&call->error, ERR_RETRY, 0,
			"%s: no connection was free within %g s (%u are in use)", who,
			seconds(call->timeout_ms), call->client->n_active);
}

struct simple {
	CURLcode code;
	enum err_kind kind;
	const char *text;
};

static const struct simple simple[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_RETRY,
	  "the host name cannot be resolved; is the address right, does DNS work?" },
	{ CURLE_COULDNT_RESOLVE_PROXY, ERR_RETRY, "the proxy's name cannot be resolved" },
	{ CURLE_URL_MALFORMAT, ERR_CONFIG, "the address is no URL" },
	{ CURLE_GOT_NOTHING, ERR_RETRY,
	  "the server closed the connection without an answer" },
	{ CURLE_PARTIAL_FILE, ERR_RETRY, "the answer was cut off" },
	{ CURLE_SEND_ERROR, ERR_RETRY, "the connection broke while sending" },
	{ CURLE_RECV_ERROR, ERR_RETRY, "the connection broke" },
	{ CURLE_WEIRD_SERVER_REPLY, ERR_RETRY, "the answer is not HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_RETRY, "the answer is not HTTP" },
	{ CURLE_BAD_CONTENT_ENCODING, ERR_RETRY, "the answer is garbled" },
	{ (CURLcode)100 /* CURLE_TOO_LARGE, since 8.6 */, ERR_LIMIT,
	  "the answer's headers are too long" },
	{ CURLE_SSL_CERTPROBLEM, ERR_CONFIG,
	  "the CA file, client certificate or key cannot be used" },
	{ CURLE_SSL_CACERT_BADFILE, ERR_CONFIG, "the CA file cannot be read" },
};

// False for what no table knows.
static bool explain_simple(struct http_call *call, CURLcode code, const char *who)
{
	char text[160];
	for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
		if (simple[i].code != code)
			continue;
		bool files = code == CURLE_SSL_CERTPROBLEM;
		err_set(&call->error, simple[i].kind, 0, "%s: %s%s%s", who,
			simple[i].text, files ? ": " : "",
			files ? tidy(call, text, sizeof(text)) : "");
		return true;
	}
	return false;
}

void http_explain(struct http_call *call, CURLcode code)
{
	char who[256], text[160];
	who_is(call, who);
	long proxy_status = 0;
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (call->error.kind != ERR_NONE) // a limit of ours, said already
		return;
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		explain_certificate(call, who);
	else if (code == CURLE_FILESIZE_EXCEEDED)
		err_set(&call->error, ERR_LIMIT, 0,
			"%s: the answer is longer than %zu bytes", who,
			call->got_body.max);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		explain_timeout(call, who, HTTP_CONNECT_MS);
	else if (proxy_status >= 300)
		err_set(&call->error, ERR_RETRY, (int)proxy_status,
			"%s: the proxy answered with HTTP status %ld", who, proxy_status);
	else if (code == CURLE_COULDNT_CONNECT)
		explain_connect(call, who);
	else if (!(call->url.https && explain_handshake(call, who)) &&
		 !explain_simple(call, code, who))
		err_set(&call->error, ERR_RETRY, 0, "%s: %s (%s)", who,
			curl_easy_strerror(code), tidy(call, text, sizeof(text)));
}
