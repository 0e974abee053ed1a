// SPDX-License-Identifier: Apache-2.0
// Annotations as rows of the option table.
#include "webhook/asked.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/notes.h"

const char *asked_name(const struct option_row *row)
{
	return row->peer ? row->peer : row->annotation;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static void warn_unknown(enum annotation_prefix prefix, const char *key,
			 const char *suffix, json_t *warnings)
{
	// The nearest name costs a look at every row: not for thousands of them.
	bool room = json_array_size(warnings) < NOTES_MAX;
	AUTO_FREE char *near = room ? annotation_nearest(prefix, suffix) : NULL;
	if (near)
		notes_add(warnings, "annotation %s is unknown (did you mean %s?)", key,
			  near);
	else
		notes_add(warnings, "annotation %s is unknown and has no effect", key);
}

// Who wins when both are the same wish.
static bool is_stronger(const struct asked_entry *a, const struct asked_entry *b)
{
	return a->layer != b->layer ? a->layer > b->layer : a->prefix > b->prefix;
}

static void add(struct asked *a, const struct asked_entry *entry)
{
	for (size_t i = 0; i < a->n; i++) {
		struct asked_entry *o = &a->entries[i];
		if (o->row != entry->row || !same_text(o->n, entry->n))
			continue;
		struct asked_entry winner = is_stronger(entry, o) ? *entry : *o;
		const char *loser = winner.key == o->key ? entry->key : o->key;
		if (o->layer == LAYER_POD) { // the last one: both are the pod's
			winner.beside = o->beside ? pool_printf(&a->pool, "%s, %s",
								o->beside, loser)
						  : loser;
			winner.differs =
				o->differs || strcmp(o->value, entry->value) != 0;
		}
		*o = winner;
		return;
	}
	a->entries = pool_append(&a->pool, a->entries, &a->n, sizeof(*a->entries));
	a->entries[a->n - 1] = *entry;
}

void asked_warn_beside(const struct asked_entry *counts, const char *others,
		       json_t *warnings)
{
	notes_add(warnings,
		  "annotation %s counts; without effect beside it: %s; keep one of them",
		  counts->key, others);
}

static int by_name(const void *left, const void *right)
{
	const struct asked_entry *a = left, *b = right;
	int order = strcmp(a->n ? a->n : "", b->n ? b->n : "");
	return order ? order : strcmp(asked_name(a->row), asked_name(b->row));
}

static void read_layer(struct asked *a, const json_t *annotations, enum asked_layer layer,
		       json_t *warnings)
{
	const char *key, *suffix;
	json_t *value;
	size_t unknown = 0; // bytes
	json_object_foreach((json_t *)(uintptr_t)annotations, key, value)
	{
		struct asked_entry entry = { .layer = layer,
					     .prefix =
						     annotation_prefix_of(key, &suffix) };
		if (entry.prefix == PREFIX_NONE || !json_is_string(value))
			continue;
		if ((a->n > ASKED_MAX || unknown > ASKED_BYTES_MAX) &&
		    !str_ends(suffix, "inject"))
			continue; // it is refused by us, or by Kubernetes for its size
		entry.row = annotation_find(entry.prefix, suffix, &entry.n);
		entry.key = key;
		entry.value = json_string_value(value);
		if (layer == LAYER_POD && entry.row)
			a->bytes += strlen(key) + json_string_length(value);
		if (!entry.row)
			unknown += strlen(suffix);
		if (entry.row)
			add(a, &entry);
		else
			warn_unknown(entry.prefix, key, suffix, warnings);
	}
}

void asked_read(const json_t *const layers[LAYER_COUNT], struct asked *ret,
		json_t *warnings)
{
	*ret = (struct asked){ .n = 0 };
	for (enum asked_layer layer = 0; layer < LAYER_COUNT; layer++)
		read_layer(ret, layers[layer], layer, warnings);
	if (ret->n > 1)
		qsort(ret->entries, ret->n, sizeof(*ret->entries), by_name);
	for (size_t i = 0; i < ret->n; i++)
		if (ret->entries[i].differs)
			asked_warn_beside(&ret->entries[i], ret->entries[i].beside,
					  warnings);
}

void asked_release(struct asked *a)
{
	pool_release(&a->pool);
	*a = (struct asked){ .n = 0 };
}

const struct asked_entry *asked_find(const struct asked *a, const char *name,
				     const char *n)
{
	for (size_t i = 0; i < a->n; i++)
		if (same_text(a->entries[i].n, n) &&
		    strcmp(asked_name(a->entries[i].row), name) == 0)
			return &a->entries[i];
	return NULL;
}

bool asked_wrong(const struct asked_entry *entry, struct err *e, const char *fmt, ...)
{
	char reason[ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_CONFIG, 0, "annotation %.253s: %s", entry->key, reason);
}

const char *asked_text(const struct asked *a, const char *name, const char *usual)
{
	const struct asked_entry *entry = asked_find(a, name, NULL);
	return entry ? entry->value : usual;
}

bool asked_value(const struct asked_entry *entry, json_t **ret, struct err *e)
{
	struct err why = ERR_INIT;
	return annotation_value(entry->row, entry->value, ret, &why) ||
	       asked_wrong(entry, e, "%s", why.text);
}

bool asked_bool(const struct asked *a, const char *name, bool *ret, struct err *e)
{
	const struct asked_entry *entry = asked_find(a, name, NULL);
	AUTO_JSON json_t *value = NULL;
	if (!entry)
		return true;
	if (!asked_value(entry, &value, e))
		return false;
	*ret = json_is_true(value);
	return true;
}

bool asked_number(const struct asked *a, const char *name, int64_t *ret, struct err *e)
{
	const struct asked_entry *entry = asked_find(a, name, NULL);
	AUTO_JSON json_t *value = NULL;
	if (!entry || !*entry->value)
		return true;
	if (!asked_value(entry, &value, e))
		return false;
	*ret = json_integer_value(value);
	return true;
}

bool asked_list(const struct asked *a, const char *name, json_t **ret, struct err *e)
{
	const struct asked_entry *entry = asked_find(a, name, NULL);
	*ret = NULL;
	return !entry || asked_value(entry, ret, e);
}
