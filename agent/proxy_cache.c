// SPDX-License-Identifier: Apache-2.0
// A list is enough: a pod holds a handful of leases.
#include "agent/proxy_cache.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

enum { ORDER_MAX = 64 << 10 };

struct proxy_kept *proxy_cache_get(const struct proxy_cache *c, const unsigned char *key)
{
	for (struct proxy_kept *k = c->first; k; k = k->next)
		if (memcmp(k->key, key, PROXY_KEY_LEN) == 0)
			return k->until_ms > clock_mono_ms() ? k : NULL;
	return NULL;
}

static const char *word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

struct proxy_kept *proxy_cache_put(struct proxy_cache *c, const struct proxy_request *r,
				   const char *type, const struct buf *body)
{
	AUTO_JSON json_t *doc = NULL;
	struct err e = ERR_INIT;
	if (c->n >= PROXY_KEPT_MAX || c->bytes + body->len > PROXY_KEPT_BYTES ||
	    !json_parse(buf_str(body), body->len, PROXY_KEPT_BYTES, JSON_PLAIN, &doc, &e))
		return NULL;
	int64_t seconds = json_integer_value(json_object_get(doc, "lease_duration"));
	if (!*word(doc, "lease_id") || seconds <= 0 || seconds > INT32_MAX ||
	    !json_is_true(json_object_get(doc, "renewable")))
		return NULL;
	struct proxy_kept *k = mem_alloc(sizeof(*k));
	memcpy(k->key, r->key, PROXY_KEY_LEN);
	k->path = mem_strdup(r->path);
	k->lease_id = mem_strdup(word(doc, "lease_id"));
	k->type = mem_strdup(type);
	k->body.max = body->len;
	buf_add(&k->body, body->data, body->len);
	k->lease_ms = k->granted_ms = seconds * 1000;
	k->got_ms = clock_mono_ms();
	k->until_ms = k->got_ms + k->lease_ms;
	k->seed = (uint64_t)k->got_ms | 1;
	k->renewable = true;
	k->next = c->first;
	k->prev = &c->first;
	if (k->next)
		k->next->prev = &k->next;
	c->first = k;
	c->n++;
	c->bytes += k->body.len;
	return k;
}

void proxy_cache_drop(struct proxy_cache *c, struct proxy_kept *k)
{
	loop_timer_cancel(&k->timer);
	http_cancel(k->call);
	*k->prev = k->next;
	if (k->next)
		k->next->prev = k->prev;
	c->n--;
	c->bytes -= k->body.len;
	buf_release(&k->body);
	mem_free(k->path);
	mem_free(k->lease_id);
	mem_free(k->type);
	mem_free(k);
}

void proxy_cache_drop_all(struct proxy_cache *c)
{
	while (c->first)
		proxy_cache_drop(c, c->first);
}

static bool is_lease(const struct proxy_kept *k, const char *what)
{
	return strcmp(k->lease_id, what) == 0;
}

static bool is_lease_below(const struct proxy_kept *k, const char *what)
{
	return str_starts(k->lease_id, what);
}

static bool is_path(const struct proxy_kept *k, const char *what)
{
	return str_starts(k->path, what);
}

static void drop_if(struct proxy_cache *c,
		    bool (*fits)(const struct proxy_kept *k, const char *what),
		    const char *what)
{
	for (struct proxy_kept *k = c->first, *next; k; k = next) {
		next = k->next;
		if (fits(k, what))
			proxy_cache_drop(c, k);
	}
}

void proxy_cache_after(struct proxy_cache *c, const char *path, struct str body)
{
	static const char revoke[] = "/v1/sys/leases/revoke",
			  prefix[] = "/v1/sys/leases/revoke-prefix/",
			  force[] = "/v1/sys/leases/revoke-force/",
			  tokens[] = "/v1/auth/token/revoke";
	AUTO_JSON json_t *doc = NULL;
	struct err e = ERR_INIT;
	if (str_starts(path, prefix)) {
		drop_if(c, is_lease_below, path + strlen(prefix));
	} else if (str_starts(path, force)) {
		drop_if(c, is_lease_below, path + strlen(force));
	} else if (str_starts(path, revoke)) {
		if (path[strlen(revoke)] == '/')
			drop_if(c, is_lease, path + strlen(revoke) + 1);
		else if (json_parse(body.p, body.len, ORDER_MAX, JSON_PLAIN, &doc, &e))
			drop_if(c, is_lease, word(doc, "lease_id"));
	} else if (str_starts(path, tokens)) {
		proxy_cache_drop_all(c); // one of them may be the one that they hang on
	}
}

bool proxy_cache_order(struct proxy_cache *c, struct str body, const struct secret *token,
		       struct err *e)
{
	AUTO_JSON json_t *doc = NULL;
	if (!json_parse(body.p, body.len, ORDER_MAX, JSON_PLAIN, &doc, e))
		return err_wrap(e, "body");
	const char *type = word(doc, "type"), *value = word(doc, "value");
	if (strcmp(type, "all") == 0) {
		proxy_cache_drop_all(c);
	} else if (!*value) {
		return err_set(
			e, ERR_CONFIG, 0,
			"type must be all, or one of request_path, lease and token "
			"with a value");
	} else if (strcmp(type, "request_path") == 0) {
		drop_if(c, is_path, value);
	} else if (strcmp(type, "lease") == 0) {
		drop_if(c, is_lease, value);
	} else if (strcmp(type, "token") == 0) {
		AUTO_SECRET struct secret *given = secret_from_str(value);
		if (token && secret_equal(given, token))
			proxy_cache_drop_all(c);
	} else {
		return err_set(e, ERR_CONFIG, 0, "type '%.32s' is not known", type);
	}
	return true;
}

// A shorter one might stand anywhere by chance; the stores' have two dozen bytes and more.
enum { TOKEN_LEN_MIN = 16 };

bool proxy_shows_token(const struct secret *token, const struct buf *body)
{
	return token && secret_len(token) >= TOKEN_LEN_MIN &&
	       memmem(body->data, body->len, secret_bytes(token), secret_len(token));
}

bool proxy_hide_token(const struct secret *token, const struct buf *body, struct buf *to)
{
	AUTO_JSON json_t *doc = NULL;
	if (!token || !json_parse(buf_str(body), body->len, ORDER_MAX, JSON_KEEP_NUMBERS,
				  &doc, NULL))
		return false;
	json_t *data = json_object_get(doc, "data"), *auth = json_object_get(doc, "auth");
	const char *own = secret_bytes(token);
	bool found = false;
	if (strcmp(word(data, "id"), own) == 0)
		found = json_object_del(data, "id") == 0;
	if (strcmp(word(auth, "client_token"), own) == 0)
		found = json_object_set_new(auth, "client_token", json_string("")) == 0;
	return found && json_write(doc, to, NULL);
}
