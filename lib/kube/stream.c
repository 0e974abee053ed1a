// SPDX-License-Identifier: Apache-2.0
// Lines of a watch.
#include "lib/kube/stream.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

void kube_stream_init(struct kube_stream *s)
{
	*s = (struct kube_stream){ .pending = BUF_INIT(KUBE_LINE_MAX) };
}

void kube_stream_release(struct kube_stream *s)
{
	buf_release(&s->pending);
	json_decref(s->line);
	kube_stream_init(s);
}

bool kube_stream_add(struct kube_stream *s, const void *bytes, size_t len, struct err *e)
{
	// What was taken goes first, so that the maximum is that of a line.
	if (s->taken > 0) {
		size_t left = s->pending.len - s->taken;
		memmove(s->pending.data, s->pending.data + s->taken, left);
		buf_truncate(&s->pending, left);
		s->scanned -= s->taken;
		s->taken = 0;
	}
	return buf_add(&s->pending, bytes, len) ||
	       err_set(e, ERR_LIMIT, 0, "an event of a watch is longer than %d MiB",
		       KUBE_LINE_MAX >> 20);
}

static bool read_type(const json_t *line, struct kube_event *ret)
{
	static const struct {
		const char *word;
		enum kube_event_type type;
	} types[] = { { "ADDED", KUBE_PUT },
		      { "MODIFIED", KUBE_PUT },
		      { "DELETED", KUBE_DELETED },
		      { "BOOKMARK", KUBE_BOOKMARK },
		      { "ERROR", KUBE_ERROR } };
	const char *word = json_string_value(json_object_get(line, "type"));
	for (size_t i = 0; word && i < ARRAY_LEN(types); i++)
		if (strcmp(word, types[i].word) == 0) {
			ret->type = types[i].type;
			return true;
		}
	return false;
}

static bool read_line(json_t *line, struct kube_event *ret, struct err *e)
{
	const char *kind = json_string_value(json_object_get(line, "kind"));
	ret->object = json_object_get(line, "object");
	// The answer of a refused watch is one Status.
	if (kind && strcmp(kind, "Status") == 0) {
		ret->type = KUBE_ERROR;
		ret->object = line;
	} else if (!read_type(line, ret) || !json_is_object(ret->object)) {
		ret->object = NULL;
		return err_set(e, ERR_RETRY, 0, "the API server's answer is no watch");
	}
	if (ret->type == KUBE_ERROR)
		ret->code = (int)json_integer_value(json_object_get(ret->object, "code"));
	return true;
}

bool kube_stream_next(struct kube_stream *s, struct kube_event *ret, struct err *e)
{
	*ret = (struct kube_event){ .object = NULL };
	json_decref(TAKE(s->line));
	while (s->scanned < s->pending.len) {
		const char *begin = s->pending.data + s->taken,
			   *from = s->pending.data + s->scanned;
		const char *end = memchr(from, '\n', s->pending.len - s->scanned);
		if (!end) {
			s->scanned = s->pending.len;
			return true;
		}
		size_t len = (size_t)(end - begin);
		s->taken = s->scanned = s->taken + len + 1;
		if (len == 0)
			continue;
		return (json_parse(begin, len, KUBE_LINE_MAX, JSON_PLAIN, &s->line, e) ||
			err_wrap(e, "watch")) &&
		       read_line(s->line, ret, e);
	}
	return true;
}
