// SPDX-License-Identifier: Apache-2.0
// One mark an entry that was asked for: few, so a plain array.
#include "stores/sealed_marks.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

struct sealed_mark {
	char *path;
	uint64_t newest;
};

void sealed_marks_release(struct sealed_marks *m)
{
	for (size_t i = 0; i < m->n; i++)
		mem_free(m->marks[i].path);
	mem_free(m->marks);
	*m = (struct sealed_marks){ 0 };
}

static struct sealed_mark *find(struct sealed_marks *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->marks[i].path, path) == 0)
			return &m->marks[i];
	return NULL;
}

static void add(struct sealed_marks *m, const char *path, uint64_t newest)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 8;
		m->marks = mem_realloc(m->marks, m->cap * sizeof(*m->marks));
	}
	m->marks[m->n++] = (struct sealed_mark){ mem_strdup(path), newest };
}

bool sealed_marks_raise(struct sealed_marks *m, const char *path, uint64_t newest,
			struct err *e)
{
	struct sealed_mark *mark = find(m, path);
	if (mark && newest < mark->newest)
		return err_set(
			e, ERR_DENIED, 0,
			"'%s' was at version %" PRIu64 " already, and the newest is now "
			"%" PRIu64 ": an older file was put in place; to return to an "
			"older value use 'ampoule seal rollback', which is a new version",
			path, mark->newest, newest);
	if (mark)
		mark->newest = newest;
	else if (newest > 0)
		add(m, path, newest);
	return true;
}

json_t *sealed_marks_save(const struct sealed_marks *m)
{
	json_t *o = m->n ? json_object() : NULL;
	for (size_t i = 0; i < m->n; i++)
		json_object_set_new(o, m->marks[i].path,
				    json_integer((json_int_t)m->marks[i].newest));
	return o;
}

void sealed_marks_load(struct sealed_marks *m, const json_t *saved)
{
	const char *path;
	json_t *one;
	json_object_foreach((json_t *)(uintptr_t)saved, path, one)
	{
		int64_t newest = 0;
		if (json_get_int(saved, path, &newest, NULL) && newest > 0 &&
		    !find(m, path))
			add(m, path, (uint64_t)newest);
	}
}
