// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 client over libcurl's multi interface on our loop; the only door to libcurl.
//
//	struct http_client_opts opts = { .ca_file = "/etc/ca.pem" };
//	struct http_request req = { .method = "GET", .url = "https://vault:8200/v1/x" };
//	if (!http_client_new(loop, &opts, &c, e) ||
//	    !http_send(c, &req, on_done, me, NULL, e)) …
//
// One client stands for one origin's settings (TLS files, limits); stores own one each.
//
// Connections. At most max_connections at once; more requests wait their turn (their
// deadline runs). A TLS handshake costs the time of several requests: so while one
// connection serves fast, a further one is opened only for each HTTP_RAMP_QUEUE requests
// that wait, and when somebody has waited for HTTP_RAMP_MS, then for twice that, and so on.
// They are kept alive between requests, and closed HTTP_IDLE_MS after the last one, or at
// once with close_idle: a TLS library's buffers may hold what came last.
//
// TLS. Material is read from files and handed over as blobs. Before each request the
// files are looked at; when one has changed it is read again, and no connection made with
// the old material is used any more. TLS 1.2 is the least; certificates and names are
// verified, for IP addresses too, unless skip_verify says otherwise.
//
// Redirects are followed to the same scheme, host and port, and to the origins that the
// operator names (redirect_to; never from https:// to http://), at most three times; to
// another place they are an error that names it, and nothing is sent there.
//
// Memory. Everything lies on the wiping heap (mem.h), libcurl's own copies included, and
// is freed with the call or the connection. Errors name host and reason in plain words,
// never a query, a header's value or a byte of the answer.
//
// A host name is looked up in a short-lived thread of libcurl: a process that forks must
// not touch the heap in the child before exec, and a seccomp filter must allow clone and
// futex.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/loop/loop.h"

enum {
	HTTP_TIMEOUT_MS = 60000,
	HTTP_CONNECT_MS = 10000, // name, connection, TLS handshake, all together
	HTTP_IDLE_MS = 3000,
	HTTP_BODY_MAX = 8 << 20,
	HTTP_CONNECTIONS = 10,
	HTTP_RAMP_QUEUE = 16,
	HTTP_RAMP_MS = 20,
	HTTP_RAMP_DOUBLINGS = 3,
	HTTP_REDIRECTS = 3,
	HTTP_RETRY_AFTER_MAX_MS = 3600000,
	// An answer that has begun must bring this much in each window.
	HTTP_SLOW_WINDOW_MS = 15000,
	HTTP_SLOW_BYTES = 1500,
};

struct http_client;

struct http_client_opts {
	// PEM files, the leaf first. Without ca_file ca_dir, a folder of PEM files; without both
	// the system's (SSL_CERT_FILE, SSL_CERT_DIR, the usual places).
	const char *ca_file;
	const char *ca_dir;
	const char *client_cert; // NULL = none
	const char *client_key;  // NULL: in client_cert's file
	const char *server_name; // verified and sent in place of the URL's host
	bool skip_verify;        // only when the operator said so
	bool tls12_max;          // offers no TLS 1.3; see lib/tls/tls_client_hook.h
	// http://host:port. NULL: HTTPS_PROXY, HTTP_PROXY, NO_PROXY of the environment,
	// never for this machine itself; "" = none.
	const char *proxy;
	const char *const *redirect_to; // addresses, NULL-ended, borrowed; NULL = none
	const char *user_agent;         // NULL = "ampoule-agent/VERSION"
	unsigned max_connections;       // 0 = HTTP_CONNECTIONS
	bool close_idle; // close connections when the last request has ended
};

// The strings are copied; "" counts as NULL (but for proxy). Files are read at the first
// https request. Fails when this libcurl lacks what we need.
MUST_CHECK bool http_client_new(struct loop *l, const struct http_client_opts *opts,
				struct http_client **ret, struct err *e);
// Cancels what is under way (its callbacks do not run). NULL is fine.
void http_client_free(struct http_client *c);

struct http_header {
	const char *name;
	const char *value; // copied onto the wiping heap
};

// Bytes of the answer's body as they come, instead of a whole body at the end.
typedef void http_chunk_fn(void *ctx, const void *bytes, size_t len);

// All is copied.
struct http_request {
	const char *method;      // "GET", "PUT", "LIST", …
	const char *url;         // http://, https://
	const char *unix_socket; // path, or NULL; then the URL's host is of no matter
	const struct http_header *headers;
	size_t n_headers;
	const void *body; // NULL = none
	size_t body_len;
	int64_t timeout_ms; // whole request, redirects included; 0 = HTTP_TIMEOUT_MS
	size_t max_body;    // of the answer; 0 = HTTP_BODY_MAX. Beyond it: ERR_LIMIT
	bool no_redirect;   // 3xx is given to the caller
	// For answers without an end (a watch): runs for each piece, from the loop, with
	// done's ctx; it may cancel the call. max_body then limits one piece, slowness is no
	// error, and timeout_ms INT64_MAX means no deadline but that of the connection.
	http_chunk_fn *chunk;
	const char *user, *password; // Basic, but
	const char *aws_sigv4;       // "aws:amz:REGION:SERVICE": keys of that signature
};

struct http_headers;

struct http_response {
	int status;
	const struct buf *body;             // borrowed for the callback
	const struct http_headers *headers; // for http_response_header()
	int64_t retry_after_ms;   // of a Retry-After header (seconds or a date), 0 = none
	const char *content_type; // "" when absent
	bool reused;              // the connection was not new
};

// The value of a response header by its name (any case), or NULL. The first one counts.
const char *http_response_header(const struct http_response *r, const char *name);

// Exactly one of r and e is not NULL. Any status is a response; e is for what kept the
// answer from us. Its kind:
//   ERR_RETRY   DNS, refusal, reset, deadline, a cut or garbled answer, a proxy's refusal
//   ERR_CONFIG  a certificate that does not verify, TLS files, no common TLS version, a
//               bad URL or header, a redirect to elsewhere or in a circle
//   ERR_LIMIT   a body or header that is too long
// The client may be freed in the callback.
typedef void http_done_fn(void *ctx, const struct http_response *r, const struct err *e);

struct http_call;
// Starts the request. `done` runs later from the loop, never from inside this call.
// *ret_call (may be NULL) is valid until done has run or http_cancel().
MUST_CHECK bool http_send(struct http_client *c, const struct http_request *req,
			  http_done_fn *done, void *ctx, struct http_call **ret_call,
			  struct err *e);
void http_cancel(struct http_call *call); // NULL is fine

// Forget connections and looked-up names (after a fault, or when credentials have
// changed). Requests under way go on; new ones get new connections.
void http_client_drop_idle(struct http_client *c);

// "libcurl/8.14.1 mbedTLS/3.6.6" for --version.
const char *http_version(void);
