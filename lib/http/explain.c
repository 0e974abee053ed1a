// SPDX-License-Identifier: Apache-2.0
// Why a call has failed, for people: the origin, the reason, and what to do about it.
// libcurl's own text is shown only where no row knows better; it never holds bytes of the
// answer.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/http/client_int.h"

// libcurl's text, one line, printable, not too long.
const char *http_tidy(const struct http_call *call, char to[static HTTP_TIDY_LEN])
{
	size_t n = 0;
	for (const char *p = call->curl_text; *p && *p != '\n' && n + 1 < HTTP_TIDY_LEN;
	     p++)
		to[n++] = *p >= ' ' && *p < 0x7f ? *p : '?';
	to[n] = '\0';
	return to;
}

static void explain_connect(struct http_call *call, const char *who)
{
	long cause = 0;
	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &cause);
	bool direct = call->unix_socket || strstr(call->curl_text, call->url.name);
	const char *how = direct ? "" : " to the proxy";
	if (call->fd_errno)
		err_set(&call->error, ERR_RETRY, call->fd_errno, "%s: no socket", who);
	else if (cause == ECONNREFUSED)
		err_set(&call->error, ERR_RETRY, 0, "%s: connection refused%s", who, how),
			call->error.cause = ECONNREFUSED; // said already
	else
		err_set(&call->error, ERR_RETRY, (int)cause, "%s: no connection%s", who,
			how);
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

// Which part of the way has taken too long. `limit_ms` is libcurl's, when it has ended
// the call itself, and the descriptor is gone: then its text tells.
static void explain_timeout(struct http_call *call, const char *who, int64_t limit_ms)
{
	curl_off_t sent = 0;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	const char *text = call->curl_text, *what;
	curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
	bool connected =
		*text ? strstr(text, "SSL") != NULL
		      : call->fd >= 0 && getpeername(call->fd, (void *)&peer, &len) == 0;
	bool resolving = *text ? strstr(text, "Resolving") != NULL : call->fd < 0;
	if (call->received > 0)
		what = "the answer was not complete";
	else if (sent > 0)
		what = "did not answer";
	else if (connected && call->url.https)
		what = "the TLS handshake was not finished";
	else
		what = resolving ? "the name was not resolved" : "no connection";
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
	// It may have got its connection just now, from one whose time was up as well.
	int64_t now_ms = clock_mono_ms();
	if (call->easy && now_ms - call->started_ms > call->started_ms - call->sent_ms)
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
	bool more; // libcurl's own text behind it
};

static const struct simple simple[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_RETRY,
	  "the host name cannot be resolved; is the address right, does DNS work?",
	  false },
	{ CURLE_COULDNT_RESOLVE_PROXY, ERR_RETRY, "the proxy's name cannot be resolved",
	  false },
	{ CURLE_URL_MALFORMAT, ERR_CONFIG, "the address is no URL", false },
	{ CURLE_GOT_NOTHING, ERR_RETRY,
	  "the server closed the connection without an answer", false },
	{ CURLE_PARTIAL_FILE, ERR_RETRY, "the answer was cut off", false },
	{ CURLE_SEND_ERROR, ERR_RETRY, "the connection broke while sending", false },
	{ CURLE_RECV_ERROR, ERR_RETRY, "the connection broke", false },
	{ CURLE_WEIRD_SERVER_REPLY, ERR_RETRY, "the answer is not HTTP", false },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_RETRY, "the answer is not HTTP", false },
	{ CURLE_BAD_CONTENT_ENCODING, ERR_RETRY, "the answer is garbled", false },
	// Our memory never ends without ending the process: this is a limit of libcurl's
	// own.
	{ CURLE_OUT_OF_MEMORY, ERR_LIMIT, "the answer's headers are too long", false },
	{ (CURLcode)100 /* CURLE_TOO_LARGE, since 8.6 */, ERR_LIMIT,
	  "the answer's headers are too long", false },
	{ CURLE_SSL_CERTPROBLEM, ERR_CONFIG,
	  "the CA file, client certificate or key cannot be used", true },
	{ CURLE_SSL_CACERT_BADFILE, ERR_CONFIG, "the CA file cannot be used", true },
	{ CURLE_BAD_FUNCTION_ARGUMENT, ERR_CONFIG, "the request cannot be made", true },
};

// False for what no row knows.
static bool explain_simple(struct http_call *call, CURLcode code, const char *who)
{
	char text[HTTP_TIDY_LEN];
	for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
		if (simple[i].code != code)
			continue;
		bool more = simple[i].more;
		err_set(&call->error, simple[i].kind, 0, "%s: %s%s%s", who,
			simple[i].text, more ? ": " : "",
			more ? http_tidy(call, text) : "");
		return true;
	}
	return false;
}

void http_explain(struct http_call *call, CURLcode code)
{
	char who[256], text[HTTP_TIDY_LEN];
	who_is(call, who);
	long proxy_status = 0;
	curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (call->error.kind != ERR_NONE) // a limit of ours, said already
		return;
	if (code == CURLE_FILESIZE_EXCEEDED)
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
	else if (!(call->url.https && http_explain_tls(call, code, who)) &&
		 !explain_simple(call, code, who))
		err_set(&call->error, ERR_RETRY, 0, "%s: %s (%s)", who,
			curl_easy_strerror(code), http_tidy(call, text));
}
