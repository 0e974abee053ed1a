// SPDX-License-Identifier: Apache-2.0
// The Kubernetes API, as a pod sees it: one request at a time becomes one object or one
// error. Collections that shall be followed are in watch.h.
//
//	struct kube_opts opts = { .user_agent = "me/1" };	// all from the pod
//	struct kube_request req = { .verb = KUBE_GET, .path = "/api/v1/namespaces/x" };
//	if (!kube_new(loop, &opts, &k, e) || !kube_send(k, &req, on_done, me, NULL, e)) …
//
// Who we are: the service account's token, read from its file before each request, since
// the kubelet replaces it. The API server is trusted by its CA file alone, and no redirect
// and no proxy is followed.
//
// Errors name verb, resource and remedy, never a byte of the answer. Their kind:
//   ERR_DENIED   403: the text says which rule of which Role is missing
//   ERR_AUTH     401
//   ERR_MISSING  404
//   ERR_RETRY    409 (cause 409: changed meanwhile, read it again), 410 (cause 410: too old a
//                version), 429, 5xx, and whatever kept the answer from us
//   ERR_CONFIG   another 4xx; files and addresses that are wrong
//   ERR_LIMIT    an answer above KUBE_ANSWER_MAX
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/loop/loop.h"

// Where the kubelet puts the service account.
#define KUBE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

enum {
	KUBE_TIMEOUT_MS = 15000,
	KUBE_ANSWER_MAX = 16 << 20, // an object has at most 3 MiB, a page of a list more
};

enum { KUBE_CONFLICT = 409, KUBE_GONE = 410 }; // err.cause

struct kube;

struct kube_opts {
	// https://host:port; http:// for this machine only (`kubectl proxy`). NULL: from
	// KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT.
	const char *server;
	const char *ca_file;    // NULL: the account's
	const char *token_file; // NULL: the account's
	const char *user_agent;
};

// Opens no connection yet. The strings are copied.
MUST_CHECK bool kube_new(struct loop *l, const struct kube_opts *opts, struct kube **ret,
			 struct err *e);
// Cancels what is under way. Watches go first. NULL is fine.
void kube_free(struct kube *k);

enum kube_verb {
	KUBE_GET,
	KUBE_LIST,
	KUBE_WATCH,  // used by watch.c
	KUBE_CREATE, // POST to the collection
	KUBE_UPDATE, // PUT: the body's metadata.resourceVersion must be the present one
	KUBE_MERGE,  // PATCH, RFC 7396
	KUBE_STRATEGIC, // PATCH, lists merged by their key
	KUBE_JSON,      // PATCH, RFC 6902
	KUBE_APPLY, // PATCH, server-side apply; creates what is missing. Needs a query
		    // "fieldManager=NAME"
};

struct kube_request {
	enum kube_verb verb;
	const char *path; // "/api/v1/namespaces/x/secrets/y"
	const char
		*about; // for messages: the path of the one object that is meant; or NULL
	const char *query;  // without '?', or NULL
	const json_t *body; // or NULL; serialized at once
	const char *accept; // NULL: application/json
};

// Exactly one of object and e is not NULL; both are borrowed for the call. The client may
// not be freed in it.
typedef void kube_done_fn(void *ctx, const json_t *object, const struct err *e);

struct kube_call;
// `done` runs later from the loop. *ret (may be NULL) is valid until then, or kube_cancel().
MUST_CHECK bool kube_send(struct kube *k, const struct kube_request *req,
			  kube_done_fn *done, void *ctx, struct kube_call **ret,
			  struct err *e);
void kube_cancel(struct kube_call *call); // NULL is fine

// How far our wall clock was ahead of the API server's at its last answer; below a second it is
// noise. 0 before the first answer.
int64_t kube_clock_ahead_ms(const struct kube *k);

struct kube_stats {
	uint64_t requests, failures;
};
struct kube_stats kube_stats(const struct kube *k);

// Parts of an object's metadata; "" and NULL when absent.
const char *kube_name(const json_t *object);
const char *kube_version(const json_t *object); // resourceVersion
const json_t *kube_metadata(const json_t *object, const char *key);
