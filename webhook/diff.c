// SPDX-License-Identifier: Apache-2.0
// RFC 6902 patches from two documents.
#include "webhook/diff.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

enum { PATH_MAX_BYTES = 64 * 1024 };

struct diff {
	json_t *ops;
	struct buf path;
};

static void compare(struct diff *d, const json_t *from, const json_t *to);

static void op(struct diff *d, const char *what, const json_t *value)
{
	json_t *o = json_object();
	json_object_set_new(o, "op", json_string(what));
	json_object_set_new(o, "path", json_str(buf_str(&d->path), d->path.len));
	if (value)
		json_object_set(o, "value", (json_t *)(uintptr_t)value);
	json_array_append_new(d->ops, o);
}

// RFC 6901: '~' is "~0" and '/' is "~1".
static size_t enter(struct diff *d, const char *key)
{
	size_t before = d->path.len;
	buf_putc(&d->path, '/');
	for (; *key; key++) {
		if (*key == '~')
			buf_puts(&d->path, "~0");
		else if (*key == '/')
			buf_puts(&d->path, "~1");
		else
			buf_putc(&d->path, *key);
	}
	return before;
}

static size_t enter_index(struct diff *d, size_t index)
{
	size_t before = d->path.len;
	buf_printf(&d->path, "/%zu", index);
	return before;
}

static void leave(struct diff *d, size_t before)
{
	buf_truncate(&d->path, before);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void compare_member(struct diff *d, const json_t *from, const json_t *to,
			   const char *key)
{
	const json_t *old = json_object_get(from, key), *new = json_object_get(to, key);
	if (old == new) // as most are
		return;
	size_t before = enter(d, key);
	if (!old)
		op(d, "add", new);
	else if (!new)
		op(d, "remove", NULL);
	else
		compare(d, old, new);
	leave(d, before);
}

// Members in the order of their names, so that the patch does not depend on the documents'.
static void compare_objects(struct diff *d, const json_t *from, const json_t *to)
{
	size_t n = 0, room = json_object_size(from) + json_object_size(to);
	AUTO_FREE const char **keys = mem_calloc(room + 1, sizeof(*keys));
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)to, key, value) keys[n++] = key;
	json_object_foreach((json_t *)(uintptr_t)from, key, value)
	{
		if (!json_object_get(to, key))
			keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), by_text);
	for (size_t i = 0; i < n; i++)
		compare_member(d, from, to, keys[i]);
}

static const json_t *identity(const json_t *element)
{
	static const char *const keys[] = { "name", "mountPath", "containerPort" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const json_t *id = json_object_get(element, keys[i]);
		if (id)
			return id;
	}
	return element;
}

static bool same_element(const json_t *a, const json_t *b)
{
	return json_equal(identity(a), identity(b));
}

static bool stands_later(const json_t *list, size_t from, const json_t *element)
{
	for (size_t i = from; i < json_array_size(list); i++)
		if (same_element(json_array_get(list, i), element))
			return true;
	return false;
}

static void insert(struct diff *d, size_t at, bool last, const json_t *value)
{
	size_t before = last ? enter(d, "-") : enter_index(d, at);
	op(d, "add", value);
	leave(d, before);
}

static void compare_arrays(struct diff *d, const json_t *from, const json_t *to)
{
	size_t i = 0, j = 0, n_from = json_array_size(from), n_to = json_array_size(to);
	while (i < n_from || j < n_to) {
		const json_t *old = json_array_get(from, i), *new = json_array_get(to, j);
		if (old && new &&same_element(old, new)) {
			size_t before = enter_index(d, j);
			compare(d, old, new);
			leave(d, before);
			i++;
			j++;
		} else if (old && !stands_later(to, j, old)) {
			size_t before = enter_index(d, j);
			op(d, "remove", NULL);
			leave(d, before);
			i++;
		} else {
			insert(d, j, i == n_from, new);
			j++;
		}
	}
}

static void compare(struct diff *d, const json_t *from, const json_t *to)
{
	if (from == to || json_equal(from, to))
		return;
	if (json_is_object(from) && json_is_object(to))
		compare_objects(d, from, to);
	else if (json_is_array(from) && json_is_array(to))
		compare_arrays(d, from, to);
	else
		op(d, "replace", to);
}

json_t *diff_make(const json_t *from, const json_t *to)
{
	struct diff d = { .ops = json_array(), .path = BUF_INIT(PATH_MAX_BYTES) };
	compare(&d, from, to);
	buf_release(&d.path);
	return d.ops;
}
