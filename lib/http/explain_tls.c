// SPDX-License-Identifier: Apache-2.0
// The two TLS libraries' words for what is wrong with a server, turned into ours.
#include <string.h>

#include "lib/http/client_int.h"

struct reason {
	const char *needle; // in libcurl's text
	const char *text;
};

#define NOT_SIGNED NULL // the text names the CA
#define WEAK "has a key or a signature that is too weak"
#define PURPOSE "is not made for a server"
#define FUTURE "is not valid yet (are both clocks right?)"

// The first row that fits wins: an untrusted certificate comes before its other faults.
static const struct reason certificate[] = {
	{ "self-signed certificate", NOT_SIGNED },
	{ "self signed certificate", NOT_SIGNED },
	{ "unable to get local issuer", NOT_SIGNED },
	{ "unable to get issuer", NOT_SIGNED },
	{ "unable to verify the first", NOT_SIGNED },
	{ "not correctly signed by the trusted CA", NOT_SIGNED },
	{ "has expired", "has expired" },
	{ "not yet valid", FUTURE },
	{ "starts in the future", FUTURE },
	{ "revoked", "has been revoked" },
	{ "too weak", WEAK },
	{ "too small", WEAK },
	{ "unacceptable", WEAK },
	{ "purpose", PURPOSE },
	{ "eyUsage", PURPOSE },
};

#define NO_VERSION "no common TLS version: the server must speak TLS 1.2 or 1.3"
#define NO_TLS "the server does not speak TLS; is http:// meant?"
#define REFUSES_OURS "the server refuses the client certificate"
#define TOO_LONG "the server's certificate chain is too long"

// What the user must change; the rest may pass by itself.
static const struct reason handshake[] = {
	{ "alert certificate required", "the server wants a client certificate" },
	{ "alert bad certificate", REFUSES_OURS },
	{ "alert unsupported certificate", REFUSES_OURS },
	{ "alert unknown ca", REFUSES_OURS },
	{ "alert certificate", REFUSES_OURS },
	{ "alert access denied", REFUSES_OURS },
	{ "unrecognized name", "the server does not know this name" },
	{ "protocol version", NO_VERSION },
	{ "unsupported protocol", NO_VERSION },
	{ "wrong ssl version", NO_VERSION },
	{ "-0x6E80", NO_VERSION },
	{ "wrong version number", NO_TLS },
	{ "packet length too long", NO_TLS },
	{ "-0x7200", NO_TLS },
	{ "excessive message size", TOO_LONG },
	{ "-0x7100", TOO_LONG }, // a message larger than mbedTLS's buffer
	{ "-0x7A00", "the certificate " PURPOSE },
	{ "(-0x2", // the codes of mbedTLS' X.509 module, without its texts
	  "the certificate cannot be read or asks for what is not supported" },
	{ "-0x6600",
	  "the TLS handshake failed; if the server speaks only TLS 1.2 and has an "
	  "RSA key, set tls12_max" },
};

static const struct reason *find(const struct reason *rows, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(text, rows[i].needle))
			return &rows[i];
	return NULL;
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
	char text[HTTP_TIDY_LEN];
	const struct reason *r =
		find(certificate, ARRAY_LEN(certificate), call->curl_text);
	const char *ca = o->ca_file ? o->ca_file : o->ca_dir;
	if (r && !r->text && ca)
		err_set(e, ERR_CONFIG, 0,
			"%s: the certificate is not signed by the CA in '%s'", who, ca);
	else if (r && !r->text)
		err_set(e, ERR_CONFIG, 0,
			"%s: the certificate is not signed by a CA that this system "
			"trusts; set a CA file",
			who);
	else if (r)
		err_set(e, ERR_CONFIG, 0, "%s: the certificate %s", who, r->text);
	else if (name_mismatch(call->curl_text))
		err_set(e, ERR_CONFIG, 0,
			"%s: the certificate is for another name, it does not match '%s'",
			who, call->names.host);
	else
		err_set(e, ERR_CONFIG, 0, "%s: the certificate cannot be verified: %s",
			who, http_tidy(call, text));
}

// A server that wants a client certificate, or another one, may just go away; its alert
// can be lost with the connection. mbedTLS does not tell which alert it got.
static const char *suspicion(const struct http_call *call)
{
	return call->client->opts.client_cert ? " (the client certificate, perhaps)"
					      : "; it may want a client certificate";
}

bool http_explain_tls(struct http_call *call, CURLcode code, const char *who)
{
	struct err *e = &call->error;
	const struct reason *r = find(handshake, ARRAY_LEN(handshake), call->curl_text);
	bool broke = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
		     code == CURLE_GOT_NOTHING || code == CURLE_SSL_CONNECT_ERROR;
	bool alert = strstr(call->curl_text, "alert handshake failure") ||
		     strstr(call->curl_text, "-0x7780") ||
		     strstr(call->curl_text, " alert ");
	if (code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE)
		return false; // files of ours
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		explain_certificate(call, who);
	else if (r)
		err_set(e, ERR_CONFIG, 0, "%s: %s", who, r->text);
	else if (alert)
		err_set(e, ERR_CONFIG, 0,
			"%s: the server refused the TLS connection%s or another TLS "
			"version",
			who, suspicion(call));
	else if (broke && call->received == 0 && !call->reused)
		err_set(e, ERR_RETRY, 0,
			"%s: the server ended the fresh TLS connection%s", who,
			suspicion(call));
	else
		return false;
	return true;
}
