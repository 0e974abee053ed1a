// SPDX-License-Identifier: Apache-2.0
// The lines of a sealed file: found, added, sorted, counted, written.
#include "stores/sealed_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "stores/sealed_file_int.h"

void sealed_file_init(struct sealed_file *f, const char *name)
{
	*f = (struct sealed_file){ .name = mem_strdup(name) };
}

void sealed_file_release(struct sealed_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		sealed_line_release(&f->lines[i]);
	for (size_t i = 0; i < f->n_recipients; i++)
		mem_free(f->recipients[i].name);
	mem_free(f->lines);
	mem_free(f->comments);
	mem_free(f->name);
	*f = (struct sealed_file){ 0 };
}

// --- order: by path, then version. A damaged line that names no entry stays behind the
// version that it stood behind.

struct place {
	const char *path;
	uint64_t version;
	size_t index;
	struct sealed_line line;
};

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int by_path = strcmp(x->path, y->path);
	if (by_path != 0)
		return by_path;
	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	if (!x->line.entry.path != !y->line.entry.path)
		return x->line.entry.path ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

void sealed_file_sort(struct sealed_file *f)
{
	if (f->n < 2)
		return;
	AUTO_FREE struct place *places = mem_calloc(f->n, sizeof(*places));
	struct place last = { .path = "" };
	for (size_t i = 0; i < f->n; i++) {
		const struct sealed_entry *entry = &f->lines[i].entry;
		if (entry->path) {
			last.path = entry->path;
			last.version = entry->version;
		}
		places[i] = (struct place){ last.path, last.version, i, f->lines[i] };
	}
	qsort(places, f->n, sizeof(*places), compare);
	for (size_t i = 0; i < f->n; i++)
		f->lines[i] = places[i].line;
}

void sealed_file_append(struct sealed_file *f, struct sealed_line *take_line)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->lines = mem_realloc(f->lines, f->cap * sizeof(*f->lines));
	}
	f->lines[f->n++] = *take_line;
	*take_line = (struct sealed_line){ 0 };
}

void sealed_file_add(struct sealed_file *f, struct sealed_line *take_line)
{
	// Found from the end: the order holds already.
	struct place new = { take_line->entry.path, take_line->entry.version, SIZE_MAX,
			     *take_line };
	size_t at = f->n;
	for (size_t i = f->n; i > 0; i--) {
		const struct sealed_entry *entry = &f->lines[i - 1].entry;
		struct place old = { entry->path, entry->version, i, f->lines[i - 1] };
		if (!entry->path)
			continue;
		if (compare(&new, &old) > 0)
			break;
		at = i - 1;
	}
	// Damaged lines behind the predecessor stay behind it.
	while (at < f->n && !f->lines[at].entry.path)
		at++;
	sealed_file_append(f, take_line);
	struct sealed_line line = f->lines[f->n - 1];
	memmove(&f->lines[at + 1], &f->lines[at], (f->n - 1 - at) * sizeof(line));
	f->lines[at] = line;
}

void sealed_file_remove(struct sealed_file *f, size_t i)
{
	sealed_line_release(&f->lines[i]);
	memmove(&f->lines[i], &f->lines[i + 1], (f->n - 1 - i) * sizeof(f->lines[0]));
	f->n--;
}

bool sealed_file_add_recipient(struct sealed_file *f, const struct age_recipient *key,
			       const char *name, struct err *e)
{
	size_t at = 0;
	for (; at < f->n_recipients; at++) {
		int order = memcmp(f->recipients[at].key.key, key->key, X25519_LEN);
		if (order == 0)
			return true;
		if (order > 0)
			break;
	}
	if (f->n_recipients == AGE_KEYS_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d recipients", AGE_KEYS_MAX);
	memmove(&f->recipients[at + 1], &f->recipients[at],
		(f->n_recipients - at) * sizeof(f->recipients[0]));
	f->recipients[at] = (struct sealed_recipient){ *key, mem_strdup(name) };
	f->n_recipients++;
	return true;
}

const struct sealed_line *sealed_file_find(const struct sealed_file *f, const char *path,
					   uint64_t version)
{
	const struct sealed_line *best = NULL;
	for (size_t i = 0; i < f->n; i++) {
		const struct sealed_entry *entry = &f->lines[i].entry;
		if (!entry->path || strcmp(entry->path, path) != 0)
			continue;
		if (version > 0 && entry->version != version)
			continue;
		// Of several for one version a damaged one wins: it must not be overlooked.
		if (!best || entry->version > best->entry.version ||
		    (entry->version == best->entry.version && f->lines[i].damage))
			best = &f->lines[i];
	}
	return best;
}

bool sealed_line_check(const struct sealed_file *f, const struct sealed_line *l,
		       struct err *e)
{
	if (!l->damage)
		return true;
	return err_set(
		e, ERR_CONFIG, 0,
		"%s line %u is damaged: %s; restore it from Git, or delete the line and "
		"put the value again",
		f->name, l->number, l->damage);
}

bool sealed_file_is_newest(const struct sealed_file *f, size_t i)
{
	const char *path = f->lines[i].entry.path;
	if (!path)
		return false;
	for (size_t k = i + 1; k < f->n; k++)
		if (f->lines[k].entry.path)
			return strcmp(f->lines[k].entry.path, path) != 0;
	return true;
}

uint64_t sealed_file_generation(const struct sealed_file *f, sealed_counts_fn *counts,
				void *ctx)
{
	uint64_t sum = 0, newest = 0;
	const char *path = "";
	for (size_t i = 0; i < f->n; i++) {
		const struct sealed_line *l = &f->lines[i];
		if (l->damage || (counts && !counts(ctx, l)))
			continue;
		if (strcmp(l->entry.path, path) != 0) {
			sum += newest;
			path = l->entry.path;
		}
		newest = l->entry.version;
	}
	return sum + newest;
}
