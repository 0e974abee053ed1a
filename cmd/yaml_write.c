// SPDX-License-Identifier: Apache-2.0
// JSON values as YAML, by libyaml's events: two blanks a level, texts with several lines in
// block form, quotes where a reader would take a text for something else.
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "cmd/yaml_json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "templates/yaml.h"

struct writing {
	yaml_emitter_t emitter;
	struct buf *to;
	bool ok;
};

static void put(struct writing *w, const json_t *v);

static int on_bytes(void *ctx, unsigned char *bytes, size_t len)
{
	return buf_add(ctx, bytes, len);
}

static void emit(struct writing *w, yaml_event_t *event, int made)
{
	w->ok = w->ok && made && yaml_emitter_emit(&w->emitter, event);
}

static void put_text(struct writing *w, const char *text, size_t len,
		     yaml_scalar_style_t style)
{
	yaml_event_t event;
	emit(w, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const unsigned char *)text,
					  (int)len, 1, 1, style));
}

static void put_string(struct writing *w, const char *text, size_t len)
{
	struct val unused;
	struct str s = { text, len };
	yaml_scalar_style_t style = YAML_ANY_SCALAR_STYLE;
	if (memchr(text, '\n', len))
		style = YAML_LITERAL_SCALAR_STYLE;
	else if (len == 0 || yaml_resolve(s, &unused) != YAML_STR || yaml_is_base60(s))
		style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	put_text(w, text, len, style);
}

static void put_plain(struct writing *w, const char *text)
{
	put_text(w, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
}

// As few digits as give the same number again.
static void put_number(struct writing *w, const json_t *v)
{
	AUTO_FREE char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	double back = 0;
	if (json_is_real(v) && text && str_double(text, &back, NULL) &&
	    (back < json_real_value(v) || back > json_real_value(v))) {
		mem_free(text);
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
	}
	put_plain(w, text ? text : "0");
}

static void put_list(struct writing *w, const json_t *v)
{
	yaml_event_t event;
	yaml_sequence_style_t style =
		json_array_size(v) ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE;
	emit(w, &event,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
	for (size_t i = 0; i < json_array_size(v); i++)
		put(w, json_array_get(v, i));
	emit(w, &event, yaml_sequence_end_event_initialize(&event));
}

static void put_object(struct writing *w, const json_t *v)
{
	yaml_event_t event;
	const char *key;
	json_t *value;
	yaml_mapping_style_t style =
		json_object_size(v) ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE;
	emit(w, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style));
	json_object_foreach((json_t *)(uintptr_t)v, key, value)
	{
		if (strcmp(key, "<<") == 0) // without quotes it means a merge
			put_text(w, key, 2, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
		else
			put_string(w, key, strlen(key));
		put(w, value);
	}
	emit(w, &event, yaml_mapping_end_event_initialize(&event));
}

static void put(struct writing *w, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		put_object(w, v);
		break;
	case JSON_ARRAY:
		put_list(w, v);
		break;
	case JSON_STRING:
		put_string(w, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		put_number(w, v);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		put_plain(w, json_is_true(v) ? "true" : "false");
		break;
	case JSON_NULL:
		put_plain(w, "null");
		break;
	}
}

bool yaml_write(const json_t *doc, struct buf *to, struct err *e)
{
	struct writing w = { .to = to, .ok = true };
	yaml_event_t event;
	if (!yaml_emitter_initialize(&w.emitter))
		return err_set(e, ERR_BUG, 0, "libyaml does not start");
	yaml_emitter_set_output(&w.emitter, on_bytes, to);
	yaml_emitter_set_unicode(&w.emitter, 1);
	yaml_emitter_set_width(&w.emitter, -1);
	emit(&w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(&w, &event,
	     yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	put(&w, doc);
	emit(&w, &event, yaml_document_end_event_initialize(&event, 1));
	emit(&w, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&w.emitter);
	return (w.ok && !buf_failed(to)) ||
	       err_set(e, ERR_LIMIT, 0, "the document is too long to be written");
}
