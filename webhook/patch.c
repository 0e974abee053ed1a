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

static bool do_add(json_t **doc, const char *path, json_t *value, struct err *e)
{
	struct place at;
	size_t index;
	if (!find_place(*doc, path, &at, e))
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
	if (!find_place(*doc, path, &at, e))
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

static bool do_move(json_t **doc, const char *from, const char *path, bool keep,
		    struct err *e)
{
	size_t len = strlen(from);
	json_t *there = value_at(*doc, from, e);
	if (!there)
		return false;
	if (!keep && strncmp(path, from, len) == 0 && path[len] == '/')
		return err_set(e, ERR_CONFIG, 0, "a value cannot move into itself");
	// Copies of copies double the container each time.
	if (keep &&
	    json_dumpb(there, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) > PATCH_COPY_MAX)
		return err_set(e, ERR_LIMIT, 0, "a copied value has at most %d bytes",
			       PATCH_COPY_MAX);
	AUTO_JSON json_t *value = json_deep_copy(there);
	return (keep || do_remove(*doc, from, e)) && do_add(doc, path, value, e);
}

static bool do_test(json_t *doc, const char *path, const json_t *value, struct err *e)
{
	const json_t *there = value_at(doc, path, e);
	return there && (json_equal(there, value) ||
			 err_set(e, ERR_CONFIG, 0, "the test says no"));
}

static bool do_op(const json_t *op, json_t **doc, struct err *e)
{
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
		return do_move(doc, from, path, copies, e);
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
	AUTO_JSON json_t *work = json_deep_copy(*doc);
	if (!json_is_array(patch) || json_array_size(patch) > PATCH_OPS_MAX)
		return err_set(e, ERR_CONFIG, 0,
			       "a JSON patch is a list of at most %d operations",
			       PATCH_OPS_MAX);
	for (size_t i = 0; i < json_array_size(patch); i++) {
		const json_t *op = json_array_get(patch, i);
		const char *path = json_string_value(json_object_get(op, "path"));
		if (!do_op(op, &work, e))
			return err_wrap(e, "operation %zu at %.200s", i,
					path ? path : "?");
	}
	json_decref(*doc);
	*doc = TAKE(work);
	return true;
}
