// SPDX-License-Identifier: Apache-2.0
// The cache: a list that is searched by key. A pod has tens of secrets; with 500 a search
// is 500 pointer compares after one hash compare each.
#include "agent/cache.h"

#include <string.h>

#include "agent/source.h"
#include "lib/base/buf.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

enum { N_BUCKETS = 256, KEY_MAX = 1 << 20 };

struct cache {
	struct entry *buckets[N_BUCKETS];
};

struct cache *cache_new(void)
{
	return mem_alloc(sizeof(struct cache));
}

static void entry_free(struct entry *en)
{
	loop_timer_cancel(&en->timer);
	json_decref(en->body);
	json_decref(en->params);
	mem_free(en->key);
	mem_free(en->path);
	mem_free(en->version);
	mem_free(en->lease_id);
	mem_free(en);
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < N_BUCKETS; i++)
		while (c->buckets[i]) {
			struct entry *en = c->buckets[i];
			c->buckets[i] = en->next;
			entry_free(en);
		}
	mem_free(c);
}

static char *make_key(const struct cache_ask *ask)
{
	struct buf b = BUF_INIT(KEY_MAX);
	buf_printf(&b, "%d %s:%s", (int)ask->verb, source_name(ask->source), ask->path);
	if (ask->params) {
		buf_putc(&b, '\n');
		if (!json_write(ask->params, &b, NULL))
			buf_puts(&b, "?"); // over 1 MiB of parameters: no two share it
	}
	return buf_take(&b, NULL);
}

static struct entry **bucket_of(struct cache *c, const char *key)
{
	uint32_t h = 2166136261u; // FNV-1a; the keys are the user's own templates
	for (const char *p = key; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return &c->buckets[h % N_BUCKETS];
}

struct entry *cache_get(struct cache *c, const struct cache_ask *ask, bool *ret_new)
{
	AUTO_FREE char *key = make_key(ask);
	struct entry **bucket = bucket_of(c, key);
	*ret_new = false;
	for (struct entry *en = *bucket; en; en = en->next)
		if (strcmp(en->key, key) == 0)
			return en;
	struct entry *en = mem_alloc(sizeof(*en));
	en->key = TAKE(key);
	en->source = ask->source;
	en->verb = ask->verb;
	en->path = mem_strdup(ask->path);
	en->params = ask->params ? json_deep_copy(ask->params) : NULL;
	en->version = mem_strdup("");
	en->lease_id = mem_strdup("");
	en->next = *bucket;
	*bucket = en;
	*ret_new = true;
	return en;
}

struct entry *cache_next(const struct cache *c, const struct entry *after)
{
	size_t i = 0;
	if (after) {
		if (after->next)
			return after->next;
		i = (size_t)(bucket_of((struct cache *)(uintptr_t)c, after->key) -
			     c->buckets) +
		    1;
	}
	for (; i < N_BUCKETS; i++)
		if (c->buckets[i])
			return c->buckets[i];
	return NULL;
}

void cache_drop(struct cache *c, struct entry *en)
{
	struct entry **p = bucket_of(c, en->key);
	while (*p != en)
		p = &(*p)->next;
	*p = en->next;
	entry_free(en);
}
