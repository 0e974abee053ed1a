// SPDX-License-Identifier: Apache-2.0
// The bytes of a watch: one JSON object a line, {"type": "ADDED", "object": {…}}. Pure.
//
//	if (!kube_stream_add(&s, bytes, len, e)) …
//	while ((ok = kube_stream_next(&s, &event, e)) && event.object) …
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { KUBE_LINE_MAX = 4 << 20 }; // an object has at most 3 MiB

enum kube_event_type {
	KUBE_PUT, // ADDED, MODIFIED
	KUBE_DELETED,
	KUBE_BOOKMARK, // nothing but a newer resourceVersion
	KUBE_ERROR,    // the object is a Status
};

struct kube_event {
	enum kube_event_type type;
	int code;       // of KUBE_ERROR
	json_t *object; // of the event; owned by the stream until the next call. NULL: none
			// is whole yet
};

struct kube_stream {
	struct buf pending;
	size_t taken;   // bytes of pending that were handed out
	size_t scanned; // and in which no line end is left to find
	json_t *line;
};

void kube_stream_init(struct kube_stream *s);
void kube_stream_release(struct kube_stream *s);
// Bytes as they come. ERR_LIMIT: a line is too long.
MUST_CHECK bool kube_stream_add(struct kube_stream *s, const void *bytes, size_t len,
				struct err *e);
// The next event. False: what came is no watch.
MUST_CHECK bool kube_stream_next(struct kube_stream *s, struct kube_event *ret,
				 struct err *e);
