// SPDX-License-Identifier: Apache-2.0
// From a path to its value.
#include "stores/sealed_read.h"

#include <inttypes.h>

#include "lib/base/clock.h"
#include "stores/store.h"

void sealed_value_release(struct sealed_value *v)
{
	buf_release(&v->bytes);
}

bool sealed_read_line(const struct sealed_reader *r, const struct sealed_line *l,
		      struct buf *ret, struct err *e)
{
	if (!sealed_line_check(r->file, l, e))
		return false;
	struct sealed_writer writer;
	bool ok = !r->writers || sealed_verify(l, r->writers, &writer, e);
	ok = ok && (!r->place || sealed_scope_allows(l->entry.scope, r->place, e));
	if (ok && sealed_open(l, r->ring, ret, e))
		return true;
	return err_wrap(e, "%s line %u, version %" PRIu64, r->file->name, l->number,
			l->entry.version);
}

// A version that must be there because another line or the asker names it.
static bool find_version(const struct sealed_reader *r, const char *path,
			 uint64_t version, const struct sealed_line **ret, struct err *e)
{
	*ret = sealed_file_find(r->file, path, version);
	return *ret || err_set(e, ERR_MISSING, 0, "%s has no version %" PRIu64 " of it",
			       r->file->name, version);
}

// Opens the line, and through a rollback the line that it names.
static bool read_through(const struct sealed_reader *r, const struct sealed_line *l,
			 struct buf *ret, struct err *e)
{
	if (!sealed_read_line(r, l, ret, e))
		return false;
	if (l->entry.action == SEALED_REMOVE)
		return err_set(e, ERR_MISSING, 0, "version %" PRIu64 " is its removal",
			       l->entry.version);
	if (l->entry.action == SEALED_PUT)
		return true;
	const struct sealed_line *source;
	if (!find_version(r, l->entry.path, l->entry.source, &source, e))
		return err_wrap(e, "rolled back by version %" PRIu64, l->entry.version);
	if (source->entry.action != SEALED_PUT && !source->damage)
		return err_set(e, ERR_CONFIG, 0,
			       "%s line %u rolls back to version %" PRIu64
			       ", which holds no value",
			       r->file->name, l->number, source->entry.version);
	buf_reset(ret);
	return sealed_read_line(r, source, ret, e);
}

bool sealed_read(const struct sealed_reader *r, const char *path, uint64_t version,
		 struct sealed_value *ret, struct err *e)
{
	const struct sealed_line *newest = sealed_file_find(r->file, path, 0);
	if (!newest)
		return err_set(e, ERR_MISSING, 0, "%s has no entry '%s'", r->file->name,
			       path);
	AUTO_BUF struct buf value = BUF_INIT(SEALED_VALUE_MAX);
	if (!sealed_read_line(r, newest, &value, e))
		return err_wrap(e, "'%s'", path);
	ret->newest = newest->entry.version;
	if (newest->entry.action == SEALED_REMOVE)
		return err_set(e, ERR_MISSING, STORE_GONE,
			       "'%s' was removed in version %" PRIu64 " (%s line %u)",
			       path, newest->entry.version, r->file->name,
			       newest->number);
	const struct sealed_line *l = newest;
	if (version > 0 && !find_version(r, path, version, &l, e))
		return err_wrap(e, "'%s'", path);
	buf_reset(&value);
	if (!read_through(r, l, &value, e))
		return err_wrap(e, "'%s'", path);
	ret->version = l->entry.version;
	clock_rfc3339_parse(l->entry.time, &ret->made_ms);
	buf_release(&ret->bytes);
	ret->bytes = value;
	value = (struct buf)BUF_INIT(0);
	return true;
}
