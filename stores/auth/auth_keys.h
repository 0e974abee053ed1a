// SPDX-License-Identifier: Apache-2.0
// What the login methods share: their configuration keys and credential files. Inside
// stores/auth/ only.
#pragma once

#include <stdbool.h>

#include "stores/auth/auth.h"

// A key of conf->config: its text, or `otherwise` when it is absent.
const char *auth_key(const struct conf_auth *conf, const char *key,
		     const char *otherwise);
// The peers take true and "true" alike.
bool auth_key_bool(const struct conf_auth *conf, const char *key, bool otherwise);

// Checks of .check: a text (wanted), a boolean, the mount path. The message names method
// and key.
MUST_CHECK bool auth_want_str(const struct conf_auth *conf, const char *key,
			      struct err *e);
MUST_CHECK bool auth_may_str(const struct conf_auth *conf, const char *key,
			     struct err *e);
MUST_CHECK bool auth_may_bool(const struct conf_auth *conf, const char *key,
			      struct err *e);
MUST_CHECK bool auth_want_mount(const struct conf_auth *conf, struct err *e);

// "auth/kubernetes" + "/login" (+ "/" + name, escaped later with the whole path).
char *auth_login_path(const struct conf_auth *conf, const char *name);

// The token in a file. When the file is gone and `kept` holds one from before, that; else
// the error is ERR_AUTH and names what it is ("service account token") and the file. A
// token that was read replaces *kept when kept is not NULL.
MUST_CHECK bool auth_credential(const char *path, const char *what, struct secret **kept,
				struct secret **ret, struct err *e);
// {"key": value} for a request; the secret's copy lives on the wiping heap.
void auth_put(json_t *body, const char *key, const struct secret *value);

extern const struct auth_method auth_kubernetes, auth_jwt, auth_approle, auth_token_file,
	auth_cert, auth_userpass, auth_ldap;
