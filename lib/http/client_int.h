// SPDX-License-Identifier: Apache-2.0
// Inside lib/http's client only: a client, its calls, and what its files offer each
// other.
//
//	client.c    the face: clients, the queue of calls, idle connections
//	call.c      one call: from start over redirects to its end
//	request.c   a call's options on libcurl's easy handle
//	multi.c     libcurl's multi handle on our loop
//	material.c  TLS files
//	url.c       origins, and where a redirect may go
//	explain.c   libcurl's failures in plain words; explain_tls.c the TLS libraries'
//
// A multi handle owns connections and looked-up names. To forget them the client takes a
// new one; the old one goes when the last call on it has ended.
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/http/client.h"
#include "lib/http/headers.h"
#include "lib/loop/loop.h"
#include "lib/tls/tls_client_hook.h"

// --- url.c

struct http_url {
	char *text;   // whole
	char *origin; // "https://host:port", for comparison and for people
	char *host;   // an IPv6 address in its brackets
	char *name;   // and without
	char *port;
	bool https;
};

MUST_CHECK bool http_url_parse(const char *text, struct http_url *ret, struct err *e);
// What a Location header means at base.
MUST_CHECK bool http_url_follow(const struct http_url *base, const char *location,
				struct http_url *ret, struct err *e);
// The URL with another host, for server_name. mem_free() it.
char *http_url_with_host(const struct http_url *u, const char *host);
void http_url_release(struct http_url *u);

// --- material.c

struct http_tls {
	unsigned refs;
	struct buf ca, cert, key;  // PEM; empty = none
	char *system_ca;           // the system's bundle is named, not copied
	struct http_stamp *stamps; // of all files and folders that were looked at
	size_t n_stamps;
};

// Looks at the client's files; *material becomes new when their content has changed.
MUST_CHECK bool http_tls_refresh(const struct http_client_opts *opts,
				 struct http_tls **material, bool *ret_changed,
				 struct err *e);
struct http_tls *http_tls_ref(struct http_tls *t); // NULL is fine, as for unref
void http_tls_unref(struct http_tls *t);

// --- multi.c

struct http_multi {
	unsigned refs;
	struct loop *loop;
	CURLM *curl;
	struct loop_timer timer;
	struct http_socket *sockets;
	struct http_call *active;
};

MUST_CHECK bool http_multi_new(struct loop *l, unsigned max_connections,
			       struct http_multi **ret, struct err *e);
struct http_multi *http_multi_ref(struct http_multi *m);
void http_multi_unref(struct http_multi *m); // NULL is fine
MUST_CHECK bool http_multi_add(struct http_multi *m, struct http_call *call,
			       struct err *e);
void http_multi_remove(struct http_call *call);

// --- client.c

struct http_client {
	struct loop *loop;
	struct http_client_opts opts; // owns its strings
	struct http_tls *tls;
	struct http_multi *multi;
	CURL **spare; // easy handles without a call, max_connections at most
	unsigned n_spare;
	struct http_call *calls;              // all of them
	struct http_call *queue, **queue_end; // those that wait for a connection
	unsigned n_queued, n_active;
	unsigned n_open;  // connections of `multi`, about: the most calls at once
	unsigned n_extra; // that may be opened because somebody has waited
	struct loop_timer ramp;
	bool starting; // http_client_next() is at work
	struct loop_timer idle;
};

MUST_CHECK bool http_client_easy(struct http_client *c, CURL **ret, struct err *e);
void http_client_spare(struct http_client *c, CURL *take_easy);
// A call has left its connection: the next one may have it.
void http_client_next(struct http_client *c);
// A call has ended: perhaps it was the last one.
void http_client_settle(struct http_client *c);
// Takes a call out of the client's lists.
void http_client_forget(struct http_client *c, struct http_call *call);

// --- call.c

enum http_state { HTTP_WAITING, HTTP_ACTIVE, HTTP_DONE };

struct http_call {
	struct http_client *client;
	struct http_call *next, **at; // in client->calls
	struct http_call *queued;     // next in client->queue
	struct http_call *also;       // next in multi->active
	enum http_state state;

	char *method;
	struct http_url url;
	char *unix_socket, *aws_sigv4, *user, *password;
	struct curl_slist *headers;
	char *body; // NULL = none
	size_t body_len;
	int64_t timeout_ms, sent_ms, started_ms;
	bool no_redirect;
	unsigned redirects;

	CURL *easy; // while active
	struct http_multi *multi;
	struct http_tls *tls;
	struct curl_slist *own_headers, *connect_to; // made by request.c
	struct tls_client_names names;
	int fd;       // of the latest connection, for messages; not ours
	int fd_errno; // why there is none
	char curl_text[CURL_ERROR_SIZE];
	struct loop_timer deadline, slow;
	int64_t slow_mark; // bytes that had come when the window began

	struct http_headers got;
	struct buf got_body;
	int64_t received; // of the body
	int status;
	bool reused;
	struct err error;

	http_chunk_fn *chunk;
	http_done_fn *done;
	void *ctx;
};

void http_call_start(struct http_call *call);
// From multi.c: libcurl is through with it.
void http_call_finished(struct http_call *call, CURLcode code);
// Ends it with call->error or the answer; its callback runs later.
void http_call_end(struct http_call *call);
// Gives the bytes of a chunked call away. The call may be gone afterwards.
void http_call_give_chunk(struct http_call *call);
void http_call_free(struct http_call *call);

// --- request.c

MUST_CHECK bool http_request_check(const struct http_request *req, struct err *e);
MUST_CHECK bool http_request_setup(struct http_call *call, struct err *e);

// --- explain.c

// Why the call has failed; fills call->error unless it is set.
void http_explain(struct http_call *call, CURLcode code);
// The deadline has passed.
void http_explain_deadline(struct http_call *call);
enum { HTTP_TIDY_LEN = 160 };
// libcurl's own text, fit to be shown.
const char *http_tidy(const struct http_call *call, char to[static HTTP_TIDY_LEN]);

// --- explain_tls.c

// The same for an https call; false when TLS is not the reason.
bool http_explain_tls(struct http_call *call, CURLcode code, const char *who);
