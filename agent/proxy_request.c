// SPDX-License-Identifier: Apache-2.0
// Headers that travel on, whose token, and the key under which an answer is kept.
#include "agent/proxy_request.h"

#include <string.h>
#include <strings.h>

#include "agent/bounds.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/digest.h"

static bool same(struct str a, const char *b)
{
	return a.len == strlen(b) && strncasecmp(a.p, b, a.len) == 0;
}

static bool stays_here(struct str name)
{
	static const char *const names[] = {
		"Host",
		"Connection",
		"Keep-Alive",
		"Proxy-Authorization",
		"Proxy-Connection",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
		"Expect",
		"Content-Length",
		"Accept-Encoding",
		"X-Vault-Token",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (same(name, names[i]))
			return true;
	return false;
}

static void add(struct proxy_request *r, char *name, char *value)
{
	r->headers[r->n_headers++] = (struct http_header){ name, value };
}

static char *copy(struct str s)
{
	return mem_strndup(s.p, s.len);
}

// Each part with its length before it, so that no two requests run together.
static void hash_part(struct buf *to, const void *p, size_t len)
{
	buf_printf(to, "%zu:", len);
	buf_add(to, p, len);
}

static bool make_key(const struct http_incoming *in, const char *token,
		     const struct proxy_rule *rule, struct proxy_request *r,
		     struct err *e)
{
	struct str ns = http_head_field(&in->head, "X-Vault-Namespace");
	struct str wrap = http_head_field(&in->head, "X-Vault-Wrap-TTL");
	AUTO_BUF struct buf all = BUF_INIT(in->body_len + (64 << 10));
	if (!ns.len)
		ns = str_of(rule->namespace_);
	hash_part(&all, token, strlen(token));
	hash_part(&all, in->head.method.p, in->head.method.len);
	hash_part(&all, in->head.target.p, in->head.target.len);
	hash_part(&all, ns.p, ns.len);
	hash_part(&all, wrap.p, wrap.len);
	hash_part(&all, in->body, in->body_len);
	return digest_of(DIGEST_SHA256, bytes_of(all.data, all.len), r->key, e);
}

bool proxy_request_make(const struct http_incoming *in, const struct proxy_rule *rule,
			struct proxy_request *ret, struct err *e)
{
	const struct http_head *h = &in->head;
	struct proxy_request *r = ret;
	struct str token = http_head_field(h, "X-Vault-Token");
	bool has = token.len || http_head_field(h, "Authorization").len;
	bool force = rule->use == PROXY_TOKEN_FORCE;
	*r = (struct proxy_request){ .n_headers = 0 };
	r->own_token = rule->token && (force || (rule->use == PROXY_TOKEN_AUTO && !has));
	r->method = copy(h->method);
	r->path = copy(h->path);
	r->url = mem_printf("%s%.*s", rule->base, (int)h->target.len, h->target.p);
	for (size_t i = 0; i < h->n_fields; i++)
		if (!stays_here(h->fields[i].name) &&
		    !(force && same(h->fields[i].name, "Authorization")))
			add(r, copy(h->fields[i].name), copy(h->fields[i].value));
	if (rule->namespace_ && !http_head_field(h, "X-Vault-Namespace").len)
		add(r, mem_strdup("X-Vault-Namespace"), mem_strdup(rule->namespace_));
	AUTO_WIPE char *theirs = copy(force ? str_of("") : token);
	const char *goes = r->own_token ? secret_bytes(rule->token) : theirs;
	if (*goes)
		add(r, mem_strdup("X-Vault-Token"), mem_strdup(goes));
	return make_key(in, goes, rule, r, e);
}

static bool keeps_namespace(const struct http_head *h, const char *namespace_)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (same(h->fields[i].name, "X-Vault-Namespace") &&
		    !str_eq(h->fields[i].value, namespace_ ? namespace_ : ""))
			return false;
	return true;
}

// What no pattern can speak of, held against each policy that speaks of paths.
static bool cannot_tell(const struct conf *c, const char *why, struct err *e)
{
	for (size_t i = 0; i < c->n_restricts; i++) {
		struct conf_breach b = { .by = &c->restricts[i], .rule = "paths" };
		if (!b.by->allow_paths && !b.by->deny_paths)
			continue;
		err_set(&b.why, ERR_DENIED, 0, "policy '%s' speaks of paths, %s",
			b.by->name, why);
		if (!bounds_pass(&b, "listener", e))
			return false;
	}
	return true;
}

bool proxy_request_allowed(const struct conf *c, const struct conf_store *store,
			   const struct http_incoming *in, struct err *e)
{
	static const char api[] = "/v1/";
	const struct http_head *h = &in->head;
	AUTO_FREE char *path = copy(h->path);
	if (!keeps_namespace(h, store->namespace_) &&
	    !cannot_tell(c,
			 "so that the proxy takes no namespace but the store's; remove "
			 "X-Vault-Namespace",
			 e))
		return false;
	if (!str_starts(path, api))
		return cannot_tell(c, "so that the proxy passes only those below /v1/",
				   e);
	return bounds_path(c, "listener", store->name, path + strlen(api), e);
}

void proxy_request_release(struct proxy_request *r)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		mem_free((void *)(uintptr_t)r->headers[i].name);
		mem_free((void *)(uintptr_t)r->headers[i].value);
	}
	mem_free(r->method);
	mem_free(r->url);
	mem_free(r->path);
	*r = (struct proxy_request){ .n_headers = 0 };
}
