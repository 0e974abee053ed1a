// SPDX-License-Identifier: Apache-2.0
// Static roles whose rotation is due: since when. A path is in the list only while it is, so
// that the list stays short.
#include <string.h>

#include "lib/base/mem.h"
#include "stores/vault_int.h"

static struct vault_due **find(struct vault *v, const char *path)
{
	struct vault_due **p = &v->dues;
	while (*p && strcmp((*p)->path, path) != 0)
		p = &(*p)->next;
	return p;
}

int64_t vault_due_of(const struct vault *v, const char *path)
{
	const struct vault_due *d = v->dues;
	while (d && strcmp(d->path, path) != 0)
		d = d->next;
	return d ? d->since_ms : 0;
}

static void drop(struct vault_due **p)
{
	struct vault_due *d = *p;
	*p = d->next;
	mem_free(d->path);
	mem_free(d);
}

void vault_due_set(struct vault *v, const char *path, int64_t since_ms)
{
	struct vault_due **p = find(v, path);
	if (*p && !since_ms) {
		drop(p);
	} else if (*p) {
		(*p)->since_ms = since_ms;
	} else if (since_ms) {
		*p = mem_alloc(sizeof(**p));
		(*p)->path = mem_strdup(path);
		(*p)->since_ms = since_ms;
	}
}

void vault_dues_free(struct vault *v)
{
	while (v->dues)
		drop(&v->dues);
}
