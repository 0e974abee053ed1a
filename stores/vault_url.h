// SPDX-License-Identifier: Apache-2.0
// Addresses and paths of the vault store: from what a person wrote to a URL that means
// exactly that. Pure; nothing here talks to anybody.
//
// A path is taken as the peers take it: percent escapes are decoded, slashes at both ends
// fall away, everything behind the first '?' is the query. What the server or libcurl would
// quietly turn into another path ("..", ".", "//") is refused, so that a policy which
// allows "kv/*" means it.
#pragma once

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { VAULT_PATH_MAX = 4096, VAULT_URL_MAX = 16 * 1024 };

// Where the server is. unix:///run/vault.sock has a socket and a base for the Host header.
struct vault_addr {
	char *base; // "https://host:8200" or with a folder behind it; no slash at the end
	char *unix_socket; // NULL = TCP
};
// NULL and "" are the peers' default, https://127.0.0.1:8200.
MUST_CHECK bool vault_addr_parse(const char *text, struct vault_addr *ret, struct err *e);
void vault_addr_release(struct vault_addr *a);

struct vault_path {
	char *path;  // decoded: "kv/my app"
	char *query; // encoded: "version=3", "" = none
};
MUST_CHECK bool vault_path_parse(const char *text, struct vault_path *ret, struct err *e);
void vault_path_release(struct vault_path *p);

// Whether `path` is the mount ("kv/") or lies below it.
bool vault_path_below(const char *path, const char *mount);
// The path in KV version 2: `part` ("data", "metadata") behind the mount, unless the path
// has data/, metadata/ or subkeys/ there already. A list of data/ is one of metadata/. A path
// that is not below the mount stays as it is.
char *vault_path_kv2(const char *path, const char *mount, const char *part);

// "https://host:8200/v1/kv/data/my%20app?version=3"
MUST_CHECK bool vault_url(const struct vault_addr *a, const char *path, const char *query,
			  struct buf *to, struct err *e);
