// SPDX-License-Identifier: Apache-2.0
// Refusals in plain words. The tables below are the place to add one that users meet.
#include "stores/vault_reason.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/str.h"
#include "stores/auth/jwt_claims.h"
#include "stores/vault_said.h"

enum { WAIT_MAX_MS = 5 * 60 * 1000 };

// --- logins -------------------------------------------------------------------------------

struct phrase {
	const char *said;
	const char *reason;
};

static const struct phrase login_phrases[] = {
	{ "audience",
	  "wrong audience: the role wants another one than the token was made for "
	  "(set service-account-audience, or the role's bound_audiences)" },
	{ "token is expired",
	  "the token file's token has expired: is it still renewed?" },
	{ "expired", "the credential has expired" },
	{ "invalid role name", "there is no such role: check 'role' and the auth mount" },
	{ "could not be found",
	  "there is no such role: check 'role' and the auth mount" },
	{ "service account name not authorized",
	  "the role is not bound to this service account (bound_service_account_names)" },
	{ "namespace not authorized",
	  "the role is not bound to this namespace (bound_service_account_namespaces)" },
	{ "invalid role or secret",
	  "the role id or the secret id is wrong, used up or expired" },
	{ "invalid role_id", "the role id is wrong" },
	{ "invalid role id", "the role id is wrong" },
	{ "invalid secret", "the secret id is wrong, used up or expired" },
	{ "missing secret_id",
	  "the role wants a secret id too: set secret_id_file_path" },
	{ "secret id", "the secret id is wrong, used up, expired or missing" },
	{ "subject", "the role is bound to another subject (bound_subject)" },
	{ "claim", "the token's claims are not those that the role is bound to" },
	{ "issuer", "wrong issuer: the auth method trusts another cluster's tokens" },
	{ "signature", "the auth method does not know the key that signed the token" },
	{ "username or password", "the user name or the password is wrong" },
	{ "certificate",
	  "the client certificate is not one that the auth method accepts" },
	{ "no handler for route", "there is no auth method at this mount path" },
};

static const char *login_reason(const struct vault_refusal *r, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(login_phrases); i++)
		if (strcasestr(text, login_phrases[i].said))
			return login_phrases[i].reason;
	if (r->status == 404)
		return "there is no auth method at this mount path";
	if (r->status == 403)
		return "refused: is the auth method mounted there, the role bound to "
		       "this "
		       "account, and the token current and for this audience?";
	return "the store refuses the credential";
}

static size_t cut_utf8(const char *s, size_t max)
{
	size_t len = strlen(s);
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static bool login_refused(const struct vault_refusal *r, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_SAID_ALL_MAX);
	AUTO_BUF struct buf token = BUF_INIT(VAULT_SAID_ALL_MAX);
	vault_said(r->body, r->body_len, "errors", &b);
	const char *text = buf_str(&b);
	const char *reason = login_reason(r, text);
	const char *intro = "; the store says: ";
	if (!*text || strcmp(text, "permission denied") == 0 ||
	    !vault_said_may_be_repeated(text, r->sent))
		intro = text = "";
	jwt_describe(json_string_value(json_object_get(r->sent, "jwt")), clock_wall_ms(),
		     &token);
	return err_set(e, ERR_AUTH, r->status, "%s%s%s%s: %s (%d)%s%.*s%s%s", r->path,
		       r->role ? ", role '" : "", r->role ? r->role : "",
		       r->role ? "'" : "", reason, r->status, intro,
		       (int)cut_utf8(text, VAULT_SAID_MAX), text, token.len ? "; " : "",
		       buf_str(&token));
}

static bool unwrap_refused(const struct vault_refusal *r, struct err *e)
{
	return err_set(
		e, ERR_AUTH, r->status,
		"the wrapped secret id cannot be unwrapped (%d): it has expired, or "
		"somebody else has opened it already; make a new one, and find out who",
		r->status);
}

static bool token_refused(const struct vault_refusal *r, struct err *e)
{
	if (r->status == 403 && !vault_says_bad_token(r->body, r->body_len))
		return err_set(
			e, ERR_DENIED, 403,
			"the token may not use '%s'; a policy (the default one has it) "
			"must allow it",
			r->path);
	return err_set(e, ERR_AUTH, r->status,
		       "the token is revoked, expired or not renewable "
		       "(%d)",
		       r->status);
}

// --- secrets ------------------------------------------------------------------------------

static const char *capability(enum vault_act act)
{
	return act == VAULT_LIST    ? "\"list\""
	       : act == VAULT_WRITE ? "\"update\""
				    : "\"read\"";
}

static bool denied(const struct vault_refusal *r, struct err *e)
{
	const char *may = capability(r->act);
	if (vault_says_bad_token(r->body, r->body_len))
		return err_set(e, ERR_AUTH, 403,
			       "'%s': the token is no longer valid (403)", r->path);
	if (r->act == VAULT_LEASE)
		return err_set(e, ERR_DENIED, 403,
			       "the token may not use '%s' (403); a policy must allow "
			       "\"update\"",
			       r->path);
	if (r->kv_unknown)
		return err_set(
			e, ERR_DENIED, 403,
			"the token may use nothing at '%s' (403); a policy must say: "
			"path "
			"\"%s\" { capabilities = [%s] }, with \"data/\" behind the mount "
			"in KV version 2",
			r->path, r->path, may);
	return err_set(
		e, ERR_DENIED, 403,
		"the token may not %s '%s' (403); a policy must say: path \"%s\" { "
		"capabilities = [%s] }",
		r->act == VAULT_LIST    ? "list"
		: r->act == VAULT_WRITE ? "write"
					: "read",
		r->path, r->path, may);
}

static const struct phrase bad_phrases[] = {
	{ "beyond the expiration of the CA",
	  "the certificate would outlive its authority: a shorter ttl, or a longer "
	  "authority" },
	{ "not allowed by this role", "the role does not allow one of the names" },
	{ "common_name field is required", "the parameter common_name is missing" },
};

static bool bad_request(const struct vault_refusal *r, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_SAID_ALL_MAX);
	vault_said(r->body, r->body_len, "errors", &b);
	const char *text = buf_str(&b);
	if (r->act == VAULT_LEASE && strcasestr(text, "lease not found"))
		return err_set(e, ERR_MISSING, 410,
			       "the lease is gone: revoked or expired");
	if (r->act == VAULT_LEASE)
		return err_set(e, ERR_DENIED, 400, "the lease cannot be renewed (400)");
	if (strcasestr(text, "unknown role") || strcasestr(text, "role not found"))
		return err_set(e, ERR_DENIED, 400,
			       "'%s': the engine has no such role (400)", r->path);
	if (strcasestr(text, "missing client token"))
		return err_set(e, ERR_AUTH, 400, "'%s': the store wants a token (400)",
			       r->path);
	for (size_t i = 0; i < ARRAY_LEN(bad_phrases); i++)
		if (strcasestr(text, bad_phrases[i].said))
			return err_set(e, ERR_DENIED, r->status, "'%s': %s (%d)", r->path,
				       bad_phrases[i].reason, r->status);
	return err_set(
		e, ERR_DENIED, r->status,
		"'%s': the store refuses this request as wrong (%d); check the path and "
		"its parameters",
		r->path, r->status);
}

static bool not_found(const struct vault_refusal *r, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(VAULT_SAID_ALL_MAX);
	vault_said(r->body, r->body_len, "errors", &b);
	if (strstr(buf_str(&b), "no handler for route"))
		return err_set(e, ERR_MISSING, 404,
			       "'%s': nothing is mounted there (404)", r->path);
	return err_set(e, ERR_MISSING, 404, "there is no '%s' (404)", r->path);
}

static bool wrong_method(const struct vault_refusal *r, struct err *e)
{
	if (r->act == VAULT_READ)
		return err_set(
			e, ERR_DENIED, 405,
			"'%s' cannot be read (405); if the engine makes something there, "
			"give parameters: secret \"%s\" \"name=value\"",
			r->path, r->path);
	return err_set(e, ERR_DENIED, 405,
		       "'%s' does not take this kind of request (405)", r->path);
}

static bool secret_refused(const struct vault_refusal *r, struct err *e)
{
	switch (r->status) {
	case 401:
	case 403:
		return denied(r, e);
	case 404:
		return not_found(r, e);
	case 405:
		return wrong_method(r, e);
	case 413:
		return err_set(e, ERR_LIMIT, 413, "'%s': the request is too large (413)",
			       r->path);
	default:
		return bad_request(r, e);
	}
}

// --- the server itself --------------------------------------------------------------------

struct condition {
	int status;
	const char *reason;
};

static const struct condition conditions[] = {
	{ 412, "this replica has not caught up yet" },
	{ 429, "too many requests: the store asks to wait" },
	{ 472,
	  "this server is a disaster recovery standby: use the active one's address" },
	{ 473, "this server is a performance standby that does not answer this" },
	{ 501, "the store is not initialized" },
	{ 502, "a system behind the store, or a proxy, failed" },
	{ 504, "a proxy waited in vain for the store" },
};

static const char *condition_of(const struct vault_refusal *r)
{
	if (r->status == 503) {
		AUTO_BUF struct buf b = BUF_INIT(VAULT_SAID_ALL_MAX);
		vault_said(r->body, r->body_len, "errors", &b);
		return strcasestr(buf_str(&b), "sealed")
			       ? "the store is sealed: unseal it"
			       : "the store is not available";
	}
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		if (conditions[i].status == r->status)
			return conditions[i].reason;
	return r->status >= 500 ? "the store failed inside"
	       : r->status >= 300 && r->status < 400
		       ? "the store sends us elsewhere, which is not followed with a "
			 "token"
		       : NULL;
}

// "Come back in 30 years" is not obeyed; nor is a time that has passed.
static int64_t capped(int64_t wait_ms)
{
	return wait_ms < 0 ? 0 : wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;
}

bool vault_refused(const struct vault_refusal *r, struct err *e)
{
	const char *condition = condition_of(r);
	if (condition) {
		bool fresh = e && e->kind == ERR_NONE;
		err_set(e, ERR_RETRY, r->status, "%s: %s (%d)", r->path, condition,
			r->status);
		if (fresh)
			e->retry_ms = capped(r->retry_after_ms);
		return false;
	}
	// Each of Vault's own refusals is a JSON object; others say nothing about us.
	if (!r->body_len || r->body[0] != '{')
		return err_set(
			e, ERR_RETRY, r->status,
			"%s: answered with %d, but not by Vault; is the address wrong, "
			"http:// in place of https://, or a proxy in front?",
			r->path, r->status);
	switch (r->act) {
	case VAULT_LOGIN:
		return login_refused(r, e);
	case VAULT_UNWRAP:
		return unwrap_refused(r, e);
	case VAULT_TOKEN:
		return token_refused(r, e);
	default:
		return secret_refused(r, e);
	}
}
