// SPDX-License-Identifier: Apache-2.0
// The frame of an answer, logins, mounts. Secrets and how long they live: vault_life.c.
#include "stores/vault_answer.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"

enum { TOKEN_MAX = 64 * 1024 };

bool vault_refuse(struct err *e, const struct err *why)
{
	return err_set(
		e, why->kind == ERR_LIMIT ? ERR_LIMIT : ERR_RETRY, 200,
		"the answer is not one of Vault's (%s); is a proxy in front of it, or "
		"the address wrong?",
		why->text);
}

// An optional object; null is the same as absent.
static bool get_object(const json_t *o, const char *key, json_t **ret, struct err *e)
{
	return json_is_null(json_object_get(o, key)) || json_get_obj(o, key, ret, e);
}

bool vault_get_seconds(const json_t *o, const char *key, int64_t *ret, struct err *e)
{
	int64_t s = 0;
	if (!json_is_null(json_object_get(o, key)) && !json_get_int(o, key, &s, e))
		return false;
	*ret = s < 0 ? 0 : s > VAULT_SECONDS_MAX ? VAULT_SECONDS_MAX : s;
	return true;
}

static bool read_frame(struct vault_reply *r, struct err *e)
{
	r->lease_id = "";
	return json_get_str(r->json, "lease_id", &r->lease_id, e) &&
	       vault_get_seconds(r->json, "lease_duration", &r->lease_s, e) &&
	       json_get_bool(r->json, "renewable", &r->renewable, e) &&
	       get_object(r->json, "data", &r->data, e) &&
	       get_object(r->json, "auth", &r->auth, e) &&
	       get_object(r->json, "wrap_info", &r->wrap_info, e);
}

bool vault_reply_parse(const char *text, size_t len, struct vault_reply *ret,
		       struct err *e)
{
	AUTO_VAULT_REPLY struct vault_reply r = { .lease_id = "" };
	struct err why = ERR_INIT;
	if (len == 0) {
		*ret = r;
		return true;
	}
	bool ok = json_parse(text, len, len, JSON_KEEP_NUMBERS, &r.json, &why);
	if (ok && !json_is_object(r.json))
		ok = err_set(&why, ERR_RETRY, 0, "not an object");
	if (!ok || !read_frame(&r, &why))
		return vault_refuse(e, &why);
	*ret = r;
	r.json = NULL;
	return true;
}

void vault_reply_release(struct vault_reply *r)
{
	json_decref(r->json);
	*r = (struct vault_reply){ .lease_id = "" };
}

// --- logins -------------------------------------------------------------------------------

bool vault_token_ok(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return false;
	return len > 0 && len <= TOKEN_MAX;
}

bool vault_answer_auth(const struct vault_reply *r, struct vault_grant *ret,
		       struct err *e)
{
	struct err why = ERR_INIT;
	struct vault_grant g = { .ttl_ms = 0 };
	const char *token = NULL;
	int64_t seconds = 0;
	if (!r->auth)
		return err_set(e, ERR_RETRY, 200,
			       "the answer to the login holds no token");
	if (!json_get_str(r->auth, "client_token", &token, &why) ||
	    !vault_get_seconds(r->auth, "lease_duration", &seconds, &why) ||
	    !json_get_bool(r->auth, "renewable", &g.renewable, &why))
		return vault_refuse(e, &why);
	if (!token || !vault_token_ok(token, strlen(token)))
		return err_set(e, ERR_RETRY, 200,
			       "the answer to the login holds no usable token");
	g.ttl_ms = seconds * 1000;
	g.token = secret_from_str(token);
	*ret = g;
	return true;
}

bool vault_answer_wrapped(const struct vault_reply *r, struct vault_grant *ret,
			  struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(TOKEN_MAX);
	const char *token = NULL;
	struct err why = ERR_INIT;
	// The peer's sinks have this field, also when there is nothing in it.
	if (r->wrap_info && !json_object_get(r->wrap_info, "wrapped_accessor"))
		json_object_set_new(r->wrap_info, "wrapped_accessor", json_string(""));
	if (!json_get_str(r->wrap_info, "token", &token, &why) ||
	    (token && !json_write(r->wrap_info, &text, &why)))
		return vault_refuse(e, &why);
	if (!token || !vault_token_ok(token, strlen(token)))
		return err_set(e, ERR_RETRY, 200,
			       "the answer to the login is not wrapped");
	*ret = (struct vault_grant){ .token = secret_new(buf_str(&text), text.len) };
	return true;
}

bool vault_answer_lookup(const struct vault_reply *r, struct vault_grant *ret,
			 struct err *e)
{
	struct err why = ERR_INIT;
	struct vault_grant g = { .ttl_ms = 0 };
	int64_t seconds = 0;
	if (!r->data)
		return err_set(e, ERR_RETRY, 200,
			       "the answer to the token's look-up is empty");
	if (!vault_get_seconds(r->data, "ttl", &seconds, &why) ||
	    !json_get_bool(r->data, "renewable", &g.renewable, &why))
		return vault_refuse(e, &why);
	g.ttl_ms = seconds * 1000;
	*ret = g;
	return true;
}

// --- mounts and wrapping ------------------------------------------------------------------

static bool mount_path_ok(const char *s)
{
	for (size_t i = 0; s[i]; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return s[0] != '/' && str_ends(s, "/");
}

bool vault_answer_mount(const struct vault_reply *r, struct vault_mount_info *ret,
			struct err *e)
{
	struct err why = ERR_INIT;
	const char *path = NULL, *type = "", *version = "";
	json_t *options = NULL;
	if (!json_get_str(r->data, "path", &path, &why) ||
	    !json_get_str(r->data, "type", &type, &why) ||
	    !get_object(r->data, "options", &options, &why) ||
	    !json_get_str(options, "version", &version, &why))
		return vault_refuse(e, &why);
	if (!path || !mount_path_ok(path))
		return err_set(e, ERR_RETRY, 200, "the store names no mount");
	bool kv = strcmp(type, "kv") == 0 || strcmp(type, "generic") == 0;
	ret->path = path;
	ret->kv = strcmp(version, "2") == 0 ? VAULT_KV_2
		  : kv                      ? VAULT_KV_1
					    : VAULT_KV_NONE;
	return true;
}

bool vault_answer_text(const struct vault_reply *r, const char *key, const char **ret,
		       struct err *e)
{
	const char *s = NULL;
	if (!json_get_str(r->data, key, &s, NULL) || !s || !*s)
		return err_set(e, ERR_RETRY, 200, "the answer holds no '%s'", key);
	*ret = s;
	return true;
}
