// SPDX-License-Identifier: Apache-2.0
// RFC 6902 (JSON Patch) with RFC 6901 (JSON Pointer).
#include "webhook/patch.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { POINTER_MAX = 4096, SEGMENT_MAX = 1024 };

// The next segment of a pointer, unescaped.
static bool next_segment(const char **at, char *to, struct err *e)
{
	size_t n = 0;
	if (**at != '/')
		return err_set(e, ERR_CONFIG, 0, "a path begins with '/'");
	for (++*at; **at && **at != '/'; ++*at) {
		char c = **at;
		if (c == '~') {
			++*at;
			if (**at != '0' && **at != '1')
				return err_set(e, ERR_CONFIG, 0,
					       "'~' is written ~0 in a path, '/' ~1");
			c = **at == '0' ? '~' : '/';
		}
		if (n + 1 >= SEGMENT_MAX)
			return err_set(e, ERR_LIMIT, 0, "too long a path");
		to[n++] = c;
	}
	to[n] = '\0';
	return true;
}

// An index without leading zeros, at most `max`.
static bool read_index(const char *text, size_t max, size_t *ret, struct err *e)
{
	uint64_t n;
	if ((text[0] == '0' && text[1]) || !str_uint64(text, &n, NULL) || n > max)
		return err_set(e, ERR_CONFIG, 0, "there is no element '%.20s'", text);
	*ret = (size_t)n;
	return true;
}

static json_t *child(json_t *at, const char *segment, struct err *e)
{
	size_t index;
	json_t *c = NULL;
	if (json_is_object(at))
		c = json_object_get(at, segment);
	else if (json_is_array(at) && json_array_size(at) > 0 &&
		 read_index(segment, json_array_size(at) - 1, &index, e))
		c = json_array_get(at, index);
	if (!c)
		err_set(e, ERR_CONFIG, 0, "there is no '%.60s'", segment);
	return c;
}

// The place that a pointer means: its parent, and the last segment. parent is NULL for "".
struct place {
	json_t *parent;
	char last[SEGMENT_MAX];
};

static bool find_place(json_t *doc, const char *path, struct place *ret, struct err *e)
{
	ret->parent = NULL;
	if (strlen(path) > POINTER_MAX)
		return err_set(e, ERR_LIMIT, 0, "too long a path");
	for (json_t *at = doc; *path;) {
		if (!next_segment(&path, ret->last, e))
			return false;
		ret->parent = at;
		if (*path && !(at = child(at, ret->last, e)))
			return false;
	}
	return true;
}

static json_t *value_at(json_t *doc, const char *path, struct err *e)
{
	struct place at;
	if (!find_place(doc, path, &at, e))
		return NULL;
	return at.parent ? child(at.parent, at.last, e) : doc;
}

// Whether a value is at most so deep; it looks no deeper.
static bool is_flat(const json_t *value, size_t most)
{
	const char *key;
	json_t *one;
	size_t i;
	if (most == 0)
		return false;
	json_object_foreach((json_t *)(uintptr_t)value, key,
			    one) if (!is_flat(one, most - 1)) return false;
	json_array_foreach(value, i, one) if (!is_flat(one, most - 1)) return false;
	return true;
}

// Moves and copies can build what no parser would take: whoever walks it would need as much
// stack.
static bool check_depth(const char *path, const json_t *value, struct err *e)
{
	size_t at = 0;
	for (const char *c = path; *c; c++)
		at += *c == '/';
	return (at < PATCH_DEPTH_MAX && is_flat(value, PATCH_DEPTH_MAX - at)) ||
	       err_set(e, ERR_LIMIT, 0, "more than %d levels", PATCH_DEPTH_MAX);
}

static bool do_add(json_t **doc, const char *path, json_t *value, struct err *e)
{
	struct place at;
	size_t index;
	if (!check_depth(path, value, e) || !find_place(*doc, path, &at, e))
		return false;
	if (!at.parent) {
		json_incref(value);
		json_decref(*doc);
		*doc = value;
		return true;
	}
	if (json_is_object(at.parent))
		return json_object_set(at.parent, at.last, value) == 0 ||
		       err_set(e, ERR_CONFIG, 0, "'%.60s' is no name", at.last);
	if (!json_is_array(at.parent))
		return err_set(e, ERR_CONFIG, 0, "its parent is no object and no list");
	if (strcmp(at.last, "-") == 0)
		return json_array_append(at.parent, value) == 0;
	return read_index(at.last, json_array_size(at.parent), &index, e) &&
	       json_array_insert(at.parent, index, value) == 0;
}

static bool do_remove(json_t *doc, const char *path, struct err *e)
{
	struct place at;
	size_t index;
	if (!find_place(doc, path, &at, e))
		return false;
	if (!at.parent)
		return err_set(e, ERR_CONFIG, 0, "the whole cannot be removed");
	if (!child(at.parent, at.last, e))
		return false;
	if (json_is_object(at.parent))
		return json_object_del(at.parent, at.last) == 0;
	return read_index(at.last, json_array_size(at.parent), &index, e) &&
	       json_array_remove(at.parent, index) == 0;
}

static bool do_replace(json_t **doc, const char *path, json_t *value, struct err *e)
{
	struct place at;
	size_t index;
	if (!check_depth(path, value, e) || !find_place(*doc, path, &at, e))
		return false;
	if (!at.parent)
		return do_add(doc, path, value, e);
	if (!child(at.parent, at.last, e))
		return false;
	if (json_is_object(at.parent))
		return json_object_set(at.parent, at.last, value) == 0;
	return read_index(at.last, json_array_size(at.parent), &index, e) &&
	       json_array_set(at.parent, index, value) == 0;
}

// The document, and what may still be copied.
struct work {
	json_t *doc;
	size_t copy_left;
};

// Copies of copies double the container each time.
static json_t *copy_of(struct work *w, const json_t *there, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(w->copy_left);
	if (!json_put(there, &text)) {
		err_set(e, ERR_LIMIT, 0, "copied values have at most %d bytes together",
			PATCH_COPY_MAX);
		return NULL;
	}
	w->copy_left -= text.len;
	return json_deep_copy(there);
}

static bool do_move(struct work *w, const char *from, const char *path, bool keep,
		    struct err *e)
{
	size_t len = strlen(from);
	json_t *there = value_at(w->doc, from, e);
	if (!there)
		return false;
	if (!keep && strncmp(path, from, len) == 0 && path[len] == '/')
		return err_set(e, ERR_CONFIG, 0, "a value cannot move into itself");
	AUTO_JSON json_t *value = keep ? copy_of(w, there, e) : json_incref(there);
	return value && (keep || do_remove(w->doc, from, e)) &&
	       do_add(&w->doc, path, value, e);
}

static bool do_test(json_t *doc, const char *path, const json_t *value, struct err *e)
{
	const json_t *there = value_at(doc, path, e);
	return there && (json_equal(there, value) ||
			 err_set(e, ERR_CONFIG, 0, "the test says no"));
}

static bool do_op(const json_t *op, struct work *w, struct err *e)
{
	json_t **doc = &w->doc;
	const char *word = json_string_value(json_object_get(op, "op"));
	const char *path = json_string_value(json_object_get(op, "path"));
	const char *from = json_string_value(json_object_get(op, "from"));
	AUTO_JSON json_t *value = json_deep_copy(json_object_get(op, "value"));
	if (!word || !path)
		return err_set(e, ERR_CONFIG, 0, "op and path are wanted, both strings");
	bool moves = strcmp(word, "move") == 0, copies = strcmp(word, "copy") == 0;
	if ((moves || copies) && !from)
		return err_set(e, ERR_CONFIG, 0, "from is wanted");
	if (moves || copies)
		return do_move(w, from, path, copies, e);
	if (strcmp(word, "remove") == 0)
		return do_remove(*doc, path, e);
	if (!value)
		return err_set(e, ERR_CONFIG, 0, "a value is wanted");
	if (strcmp(word, "add") == 0)
		return do_add(doc, path, value, e);
	if (strcmp(word, "replace") == 0)
		return do_replace(doc, path, value, e);
	if (strcmp(word, "test") == 0)
		return do_test(*doc, path, value, e);
	return err_set(e, ERR_CONFIG, 0, "'%.20s' is no operation", word);
}

bool patch_apply(const json_t *patch, json_t **doc, struct err *e)
{
	struct work work = { .copy_left = PATCH_COPY_MAX };
	if (!json_is_array(patch) || json_array_size(patch) > PATCH_OPS_MAX)
		return err_set(e, ERR_CONFIG, 0,
			       "a JSON patch is a list of at most %d operations",
			       PATCH_OPS_MAX);
	work.doc = json_deep_copy(*doc);
	for (size_t i = 0; i < json_array_size(patch); i++) {
		const json_t *op = json_array_get(patch, i);
		const char *path = json_string_value(json_object_get(op, "path"));
		if (!do_op(op, &work, e)) {
			json_decref(work.doc);
			return err_wrap(e, "operation %zu at %.200s", i,
					path ? path : "?");
		}
	}
	json_decref(*doc);
	*doc = work.doc;
	return true;
}
