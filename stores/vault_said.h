// SPDX-License-Identifier: Apache-2.0
// The words of a refusal's `errors`, and which of them may be repeated. Pure.
#pragma once

#include <jansson.h>

#include "lib/base/buf.h"

enum { VAULT_SAID_ALL_MAX = 4096 };

// Appends the texts of the list `key` ("errors", "warnings") in one line with single blanks;
// nothing when the body is none of Vault's.
void vault_said(const char *body, size_t len, const char *key, struct buf *to);

// Whether words of the server may stand in a message: they hold no piece of what was sent
// (`sent`, an object of texts; NULL = nothing) and no word that looks like a token.
bool vault_said_may_be_repeated(const char *text, const json_t *sent);

// What the `errors` of an answer say about our token: that it is no token any more (true),
// or nothing. A policy's refusal is worded otherwise by Vault and OpenBao alike.
bool vault_says_bad_token(const char *body, size_t len);
// Whether a 404 is Vault's own with no errors in it: an empty list, an absent secret.
bool vault_says_nothing(const char *body, size_t len);
// Whether a 404 says that the mount has KV version 2 and the path was version 1's.
bool vault_says_kv2(const char *body, size_t len);
