// SPDX-License-Identifier: Apache-2.0
// YAML events into JSON trees, with limits.
#include "stores/manifest.h"

#include <string.h>
#include <yaml.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

enum { DOCS_MAX = 10000 };

// Parents of the node that is read, innermost last.
struct level {
	json_t *node; // borrowed from its parent; the root from the document
	char *key;    // of an object: the key whose value comes next, or NULL
};

struct reader {
	yaml_parser_t parser;
	const char *name;
	struct manifest *out;
	struct level levels[MANIFEST_DEPTH_MAX];
	size_t depth, nodes;
	json_t *root;
	unsigned root_line;
};

static void reader_release(struct reader *r)
{
	for (size_t i = 0; i < r->depth; i++)
		mem_free(r->levels[i].key);
	json_decref(r->root);
	yaml_parser_delete(&r->parser);
}

static bool fail(struct reader *r, size_t line, const char *why, struct err *e)
{
	return err_set(e, ERR_CONFIG, 0, "%s line %zu: %s", r->name, line + 1, why);
}

// Puts a node into its place. Takes it.
static bool place(struct reader *r, json_t *take_node, size_t line, struct err *e)
{
	struct level *up = r->depth ? &r->levels[r->depth - 1] : NULL;
	if (!up) {
		r->root = take_node;
		r->root_line = (unsigned)line + 1;
		return true;
	}
	if (json_is_array(up->node))
		return json_array_append_new(up->node, take_node) == 0;
	bool twice = json_object_get(up->node, up->key) != NULL;
	json_object_set_new_nocheck(up->node, up->key, take_node);
	mem_free(up->key);
	up->key = NULL;
	return !twice || fail(r, line, "a key is there twice", e);
}

static json_t *scalar(const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_str(text, len);
	if (len == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
		return json_null();
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	return json_str(text, len);
}

static bool on_scalar(struct reader *r, const yaml_event_t *ev, struct err *e)
{
	struct level *up = r->depth ? &r->levels[r->depth - 1] : NULL;
	const char *text = (const char *)ev->data.scalar.value;
	if (!str_valid_utf8(text, ev->data.scalar.length) ||
	    memchr(text, '\0', ev->data.scalar.length))
		return fail(r, ev->start_mark.line, "text that is not UTF-8, or a NUL",
			    e);
	if (up && json_is_object(up->node) && !up->key) {
		up->key = mem_strdup(text);
		return true;
	}
	return place(r, scalar(ev), ev->start_mark.line, e);
}

static bool on_start(struct reader *r, json_t *take_node, size_t line, struct err *e)
{
	struct level *up = r->depth ? &r->levels[r->depth - 1] : NULL;
	if (r->depth == MANIFEST_DEPTH_MAX ||
	    (up && json_is_object(up->node) && !up->key)) {
		json_decref(take_node);
		return fail(r, line,
			    r->depth == MANIFEST_DEPTH_MAX ? "nested too deeply"
							   : "a key that is no text",
			    e);
	}
	if (!place(r, take_node, line, e))
		return false;
	r->levels[r->depth++] = (struct level){ .node = take_node };
	return true;
}

static void add_doc(struct reader *r, json_t *take_root)
{
	struct manifest *m = r->out;
	m->docs = mem_realloc(m->docs, (m->n + 1) * sizeof(*m->docs));
	m->docs[m->n++] = (struct manifest_doc){ take_root, r->root_line };
}

// kubectl prints several objects as one of kind List.
static bool on_document_end(struct reader *r, size_t line, struct err *e)
{
	json_t *root = TAKE(r->root);
	const json_t *items = json_object_get(root, "items");
	const char *kind = manifest_str(root, NULL, "kind");
	if (r->out->n + json_array_size(items) + 1 > DOCS_MAX) {
		json_decref(root);
		return fail(r, line, "too many documents", e);
	}
	if (!kind || strcmp(kind, "List") != 0 || !json_is_array(items)) {
		if (root && !json_is_null(root))
			add_doc(r, root);
		else
			json_decref(root);
		return true;
	}
	for (size_t i = 0; i < json_array_size(items); i++)
		add_doc(r, json_incref(json_array_get(items, i)));
	json_decref(root);
	return true;
}

static bool on_event(struct reader *r, const yaml_event_t *ev, struct err *e)
{
	size_t line = ev->start_mark.line;
	if (++r->nodes > MANIFEST_NODES_MAX)
		return fail(r, line, "too many nodes", e);
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev, e);
	case YAML_MAPPING_START_EVENT:
		return on_start(r, json_object(), line, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, json_array(), line, e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		mem_free(r->levels[--r->depth].key);
		return true;
	case YAML_ALIAS_EVENT:
		return fail(r, line, "an alias; write the text out", e);
	case YAML_DOCUMENT_END_EVENT:
		return on_document_end(r, line, e);
	default:
		return true;
	}
}

static bool read_all(struct reader *r, struct err *e)
{
	for (bool end = false; !end;) {
		yaml_event_t ev;
		if (!yaml_parser_parse(&r->parser, &ev))
			return fail(r, r->parser.problem_mark.line,
				    r->parser.problem ? r->parser.problem : "no YAML", e);
		end = ev.type == YAML_STREAM_END_EVENT;
		bool ok = on_event(r, &ev, e);
		yaml_event_delete(&ev);
		if (!ok)
			return false;
	}
	return true;
}

bool manifest_parse(struct str text, const char *name, struct manifest *ret,
		    struct err *e)
{
	*ret = (struct manifest){ 0 };
	if (text.len > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, 0, "%s is longer than %d bytes", name,
			       MANIFEST_MAX);
	AUTO(reader_release) struct reader r = { .name = name, .out = ret };
	if (!yaml_parser_initialize(&r.parser))
		return err_set(e, ERR_BUG, 0, "%s: the YAML parser does not start", name);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.len);
	if (read_all(&r, e))
		return true;
	manifest_release(ret);
	return false;
}

void manifest_release(struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++)
		json_decref(m->docs[i].root);
	mem_free(m->docs);
	*m = (struct manifest){ 0 };
}

const char *manifest_str(const json_t *o, const char *key, const char *below)
{
	if (key)
		o = json_object_get(o, key);
	return json_string_value(json_object_get(o, below));
}
