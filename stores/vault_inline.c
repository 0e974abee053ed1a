// SPDX-License-Identifier: Apache-2.0
// OpenBao's inline authentication (`inline_auth = true`): each request carries the login, so
// that a secret costs one request, and the server stores no token and no lease. It serves
// reads; whatever it does not serve ends it, and the store logs in as usual from then on: a
// refused login (which is told best by a login), an engine that makes leases, a Vault.
//
// The question for a path's mount cannot be asked that way: paths of KV version 2 are written
// with their data/.
// Source: OpenBao's documentation, "Support inline authentication"; seen on OpenBao 2.7.2.
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "stores/store_options.h"
#include "stores/vault_int.h"
#include "stores/vault_said.h"

static const char option[] = "inline_auth";

bool vault_inline_open(struct vault *v, struct err *e)
{
	static const char *const names[] = { option };
	const struct conf_auth *auth = &v->conf->auth;
	const json_t *on = json_object_get(v->conf->options, option);
	bool is_on = json_is_true(on);
	if (!store_options_known(v->conf->options, names, ARRAY_LEN(names), e))
		return false;
	if (on && !json_is_boolean(on) &&
	    !(json_is_string(on) && str_bool(json_string_value(on), &is_on, NULL)))
		return err_set(e, ERR_CONFIG, 0, "option '%s' must be true or false",
			       option);
	if (is_on && (auth->wrap_ttl || v->method->client_cert ||
		      json_object_get(auth->config, "token_file_path") ||
		      json_object_get(auth->config, "secret_id_response_wrapping_path")))
		return err_set(e, ERR_CONFIG, 0,
			       "option '%s' wants a login by a token, secret id or "
			       "password that is not wrapped",
			       option);
	v->inline_auth = is_on;
	return true;
}

static bool add(struct vault_headers *h, const char *name, const char *value)
{
	if (h->n == ARRAY_LEN(h->list))
		return false;
	h->list[h->n++] = (struct http_header){ name, value };
	return true;
}

// One field of the login: its name is part of the value, the header's own only differs.
static bool add_field(struct vault_headers *h, const char *key, json_t *value)
{
	static const char *const names[] = { "X-Vault-Inline-Auth-Parameter-1",
					     "X-Vault-Inline-Auth-Parameter-2" };
	AUTO_BUF struct buf text = BUF_INIT(VAULT_INLINE_MAX);
	AUTO_JSON json_t *pair = json_pack("{s:s, s:O}", "key", key, "value", value);
	if (h->n_fields == ARRAY_LEN(names) || !json_write(pair, &text, NULL))
		return false;
	const char *name = names[h->n_fields];
	struct buf *to = &h->fields[h->n_fields++]; // released from now on
	to->max = 2 * VAULT_INLINE_MAX;
	return codec_b64_encode(text.data, text.len, B64_URL | B64_NOPAD, to) &&
	       add(h, name, buf_str(to));
}

bool vault_inline_headers(struct vault_op *op, struct vault_headers *h, struct err *e)
{
	struct vault *v = op->vault;
	const struct conf_auth *auth = &v->conf->auth;
	const char *key;
	json_t *value;
	auth_request_release(&op->request);
	if (!v->method->prepare(auth, &v->memory, &op->request, e))
		return false;
	bool fits = add(h, "X-Vault-Inline-Auth-Path", op->request.path);
	if (auth->namespace_ && *auth->namespace_)
		fits = fits && add(h, "X-Vault-Inline-Auth-Namespace", auth->namespace_);
	json_object_foreach(op->request.body, key, value)
	{
		fits = fits && add_field(h, key, value);
	}
	return fits || err_set(e, ERR_LIMIT, 0, "the login's credential is too long");
}

void vault_headers_release(struct vault_headers *h)
{
	for (size_t i = 0; i < h->n_fields; i++)
		buf_release(&h->fields[i]);
}

static bool makes_leases(const struct http_response *r)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_SAID_ALL_MAX);
	vault_said(buf_str(r->body), r->body->len, "errors", &b);
	return strstr(buf_str(&b), "inline authentication");
}

bool vault_inline_ended(struct vault_op *op, const struct http_response *r, struct err *e)
{
	struct vault *v = op->vault;
	const char *body = buf_str(r->body);
	if (r->status >= 200 && r->status < 300 && v->method->used)
		v->method->used(&v->conf->auth);
	if (http_response_header(r, "X-Vault-Inline-Auth-Failed")) {
		struct vault_got got = { .status = r->status,
					 .body = body,
					 .body_len = r->body->len,
					 .retry_after_ms = r->retry_after_ms };
		struct vault_refusal why = { .act = VAULT_LOGIN,
					     .path = op->request.path,
					     .sent = op->request.body };
		vault_got_refused(&got, why, e);
	} else if (r->status >= 400 && makes_leases(r)) {
		err_set(e, ERR_AUTH, r->status,
			"inline authentication makes no leases: logging in");
	} else if ((r->status == 400 || r->status == 403) &&
		   vault_says_bad_token(body, r->body->len)) {
		err_set(e, ERR_AUTH, r->status,
			"the store knows no inline authentication: logging in");
	} else {
		return false;
	}
	v->inline_auth = e->kind != ERR_AUTH;
	return true;
}
