// SPDX-License-Identifier: Apache-2.0
// What kube.c, explain.c and watch.c share.
#pragma once

#include "lib/http/client.h"
#include "lib/kube/kube.h"

struct kube {
	struct loop *loop;
	struct http_client *http;
	char *server; // without a slash at its end
	char *token_file;
	struct kube_call *calls;
	struct kube_stats stats;
	int64_t ahead_ms;
};

struct kube_call {
	struct kube *kube;
	struct kube_call *prev, *next;
	struct http_call *http;
	enum kube_verb verb;
	char *path; // for messages
	kube_done_fn *done;
	void *ctx;
};

// How bytes of an answer without an end are taken (KUBE_WATCH): all of it by chunk, and
// then done with an empty object or an error.
struct kube_streaming {
	http_chunk_fn *chunk;
	int64_t timeout_ms;
};
MUST_CHECK bool kube_send_streaming(struct kube *k, const struct kube_request *req,
				    const struct kube_streaming *streaming,
				    kube_done_fn *done, void *ctx, struct kube_call **ret,
				    struct err *e);

// What a status above 299 means. Always false.
bool kube_explain(enum kube_verb verb, const char *path, int status, struct err *e);
