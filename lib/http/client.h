// SPDX-License-Identifier: Apache-2.0
// HTTP client over libcurl's multi interface on our loop; the only door to libcurl.
//
// One client stands for one origin's settings (TLS files, limits); stores own one each. TLS
// material is read from files and handed over as blobs, and read again when the files
// change: then no connection made with the old material is used again. A redirect is
// followed only to the same origin; to another one it is an error and nothing is sent there.
// Response bytes never appear in an error.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/loop/loop.h"

struct http_client;

struct http_client_opts {
	const char *ca_file;	 // PEM; NULL: ca_dir, then the system's
	const char *ca_dir;	 // folder of PEM files; NULL = none
	const char *client_cert; // PEM file; NULL = none
	const char *client_key;	 // NULL: in client_cert's file
	const char *server_name; // verified and sent instead of the URL's host; NULL = URL's
	bool skip_verify;	 // only when the operator said so
	bool tls12_max;		 // for servers that dependencies.md section 2 describes
	const char *proxy;	 // NULL: HTTPS_PROXY, NO_PROXY of the environment; "" = none
	const char *user_agent;	 // NULL = "ampoule-agent/VERSION"
	unsigned max_connections; // per host; 0 = 10
	bool close_idle;	  // close connections when the last request has ended
};

// The strings are copied. Files are read at the first request and after each change.
MUST_CHECK bool http_client_new(struct loop *l, const struct http_client_opts *opts,
				struct http_client **ret, struct err *e);
// Cancels what is under way (its callbacks do not run).
void http_client_free(struct http_client *c);

struct http_header {
	const char *name;
	const char *value; // copied onto the wiping heap
};

struct http_request {
	const char *method; // "GET", "PUT", "LIST", …
	const char *url;    // http://, https://; with `unix_socket` the host is of no matter
	const char *unix_socket; // path, or NULL
	const struct http_header *headers;
	size_t n_headers;
	const void *body; // copied; NULL = none
	size_t body_len;
	int64_t timeout_ms; // whole request; 0 = 60,000
	size_t max_body;    // of the answer; 0 = 8 MiB. Beyond it: ERR_LIMIT
	bool no_redirect;   // 3xx is given to the caller
	const char *aws_sigv4; // "aws:amz:REGION:SERVICE", with user and password, or NULL
	const char *user, *password;
};

struct http_response {
	int status;
	const struct buf *body; // borrowed for the callback
	int64_t retry_after_ms; // of a Retry-After header (seconds or a date), 0 = none
	const char *content_type; // "" when absent
	bool reused; // the connection was not new
};

// The value of a response header by its name (any case), or NULL.
const char *http_response_header(const struct http_response *r, const char *name);

// Exactly one of r and e is not NULL. Any status is a response; e is for what kept the
// answer from us (DNS, refusal, TLS, deadline, limits): kind ERR_RETRY, but ERR_CONFIG for
// a certificate that does not verify or a bad URL, ERR_LIMIT for a body that is too long.
typedef void http_done_fn(void *ctx, const struct http_response *r, const struct err *e);

struct http_call;
// Starts the request. `done` runs later from the loop, never from inside this call.
// *ret_call (may be NULL) is valid until done has run or http_cancel().
MUST_CHECK bool http_send(struct http_client *c, const struct http_request *req,
			  http_done_fn *done, void *ctx, struct http_call **ret_call,
			  struct err *e);
void http_cancel(struct http_call *call);

// Forget connections (after a fault, or when credentials have changed).
void http_client_drop_idle(struct http_client *c);

// "libcurl/8.14.1 mbedTLS/3.6.6" for --version.
const char *http_version(void);
