// SPDX-License-Identifier: Apache-2.0
// Maps: a sorted array, unfolded from JSON only when more than one key is asked for.
#include <stdlib.h>
#include <string.h>

#include "templates/value.h"

struct map *map_new(struct arena *a, enum map_type type)
{
	struct map *m = arena_alloc(a, sizeof(*m));
	m->type = type;
	return m;
}

size_t map_len(const struct map *m)
{
	return m ? m->n : 0;
}

// Kinds in the order in which mixed keys of a YAML map are sorted.
static int key_rank(const struct val *v)
{
	return v->kind == VAL_NUMBER ? VAL_STR : v->kind;
}

int val_compare_keys(const struct val *a, const struct val *b)
{
	if (key_rank(a) != key_rank(b))
		return key_rank(a) < key_rank(b) ? -1 : 1;
	switch ((enum val_kind)a->kind) {
	case VAL_BOOL:
		return a->b - b->b;
	case VAL_INT:
		return a->i < b->i ? -1 : a->i > b->i;
	case VAL_FLOAT:
		return a->f < b->f ? -1 : a->f > b->f;
	case VAL_STR:
	case VAL_NUMBER: {
		size_t least = a->s.len < b->s.len ? a->s.len : b->s.len;
		int c = least ? memcmp(a->s.p, b->s.p, least) : 0;
		return c ? c : a->s.len < b->s.len ? -1 : a->s.len > b->s.len;
	}
	default:
		return 0;
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return val_compare_keys(&x->key, &y->key);
}

static void map_unfold(struct arena *a, struct map *m)
{
	json_t *json =
		(json_t *)(uintptr_t)m->json; // jansson's iterators want it writable
	m->cap = m->n;
	m->entries = arena_calloc(a, m->cap, sizeof(*m->entries));
	size_t i = 0;
	for (void *it = json_object_iter(json); it && i < m->n;
	     it = json_object_iter_next(json, it), i++) {
		m->entries[i].key =
			val_str(json_object_iter_key(it), json_object_iter_key_len(it));
		m->entries[i].value = val_json(a, json_object_iter_value(it));
	}
	qsort(m->entries, i, sizeof(*m->entries), compare_entries);
	m->json = NULL;
}

const struct entry *map_entries(struct arena *a, struct map *m)
{
	if (m && m->json)
		map_unfold(a, m);
	return m ? m->entries : NULL;
}

// Where key is, or where it would go.
static size_t find(const struct map *m, const struct val *key, bool *ret_found)
{
	size_t lo = 0, hi = m->n;
	*ret_found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = val_compare_keys(&m->entries[mid].key, key);
		if (c == 0) {
			*ret_found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool map_get(struct arena *a, struct map *m, const struct val *key, struct val *ret)
{
	if (!m)
		return false;
	if (m->json && key->kind == VAL_STR) {
		const json_t *j = json_object_getn(m->json, key->s.p, key->s.len);
		if (!j)
			return false;
		if (!val_is_container(j)) {
			*ret = val_json(a, j);
			return true;
		}
	}
	(void)map_entries(a, m);
	bool found = false;
	size_t i = find(m, key, &found);
	if (found)
		*ret = m->entries[i].value;
	return found;
}

bool map_get_str(struct arena *a, struct map *m, const char *key, size_t len,
		 struct val *ret)
{
	struct val k = val_str(key, len);
	return map_get(a, m, &k, ret);
}

static void make_room(struct arena *a, struct map *m)
{
	if (m->n < m->cap)
		return;
	m->cap = m->cap ? m->cap * 2 : 8;
	m->entries = arena_grow(a, m->entries, m->n, m->cap, sizeof(*m->entries));
}

void map_append(struct arena *a, struct map *m, struct val key, struct val value)
{
	make_room(a, m);
	m->entries[m->n++] = (struct entry){ key, value };
}

// Merges the sorted runs [at, mid) and [mid, end) of `from`.
static void merge_runs(const struct entry *from, size_t at, size_t mid, size_t end,
		       struct entry *to)
{
	size_t i = at, k = mid;
	for (size_t o = at; o < end; o++)
		to[o] = i < mid && (k == end || compare_entries(&from[i], &from[k]) <= 0)
				? from[i++]
				: from[k++];
}

void map_sort(struct arena *a, struct map *m)
{
	struct entry *from = m->entries, *swap;
	struct entry *to = arena_calloc(a, m->n, sizeof(*to));
	size_t kept = 0;
	for (size_t run = 1; run < m->n; run *= 2, swap = from, from = to, to = swap)
		for (size_t at = 0; at < m->n; at += 2 * run) {
			size_t mid = at + run < m->n ? at + run : m->n;
			size_t end = mid + run < m->n ? mid + run : m->n;
			merge_runs(from, at, mid, end, to);
		}
	for (size_t i = 0; i < m->n; i++)
		if (i + 1 == m->n || compare_entries(&from[i], &from[i + 1]) != 0)
			from[kept++] = from[i];
	m->entries = from;
	m->n = m->cap = kept;
}

void map_set(struct arena *a, struct map *m, struct val key, struct val value)
{
	(void)map_entries(a, m);
	bool found = false;
	size_t i = find(m, &key, &found);
	if (found) {
		m->entries[i].value = value;
		return;
	}
	make_room(a, m);
	memmove(m->entries + i + 1, m->entries + i, (m->n - i) * sizeof(*m->entries));
	m->entries[i] = (struct entry){ key, value };
	m->n++;
}

bool map_remove(struct arena *a, struct map *m, const struct val *key)
{
	(void)map_entries(a, m);
	bool found = false;
	size_t i = find(m, key, &found);
	if (!found)
		return false;
	m->n--;
	memmove(m->entries + i, m->entries + i + 1, (m->n - i) * sizeof(*m->entries));
	return true;
}
