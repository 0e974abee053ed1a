// SPDX-License-Identifier: Apache-2.0
// A login method: how a pod's own identity becomes the request that a store's login wants.
// One const struct a method, listed in auths.c.
//
// Credential files are read anew at each login, as the kubelet and others rotate them. Some
// users want a file removed once it has been used: what it held is then kept in the store's
// struct auth_memory, on the wiping heap, for the logins to come.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/secret.h"
#include "lib/conf/conf.h"

// What to send. The body lives on the wiping heap; auth_request_release() frees it.
struct auth_request {
	const char *method;     // "PUT"; "GET" for a token that only is looked up
	char *path;             // below /v1/: "auth/kubernetes/login"
	json_t *body;           // NULL = none
	struct secret *token;   // the credential is a token already (token file)
	bool wrapped_secret_id; // body.secret_id is a wrapping token: unwrap it first
	char *wrapped_path;     // creation path that the wrapping token must show
};
void auth_request_release(struct auth_request *r);

// What a store keeps for its method between logins; zero at first.
struct auth_memory {
	struct secret *id;         // role id
	struct secret *credential; // secret id, token or password whose file may be gone
	struct secret *wrapper;    // the wrapping token that `credential` came out of
};
void auth_memory_release(struct auth_memory *m);

struct auth_method {
	const char *name;
	const char *help;
	// Checks the method's own keys; at start, so that a mistake is told at once.
	bool (*check)(const struct conf_auth *conf, struct err *e);
	// Reads the credential files anew and fills the request. Called for each login. A
	// file that cannot be read now is ERR_AUTH: it may come.
	bool (*prepare)(const struct conf_auth *conf, struct auth_memory *memory,
			struct auth_request *ret, struct err *e);
	// NULL: nothing to do. The store has accepted the credentials, so files that the user
	// wants removed after use go now. One that cannot be removed (a read-only volume)
	// stays; that is no error, as with the peers.
	void (*used)(const struct conf_auth *conf);
	// Names the credential files whose change asks for a new login, for watching: ret[i],
	// borrowed from conf; returns how many.
	size_t (*files)(const struct conf_auth *conf, const char **ret, size_t max);
	// NULL = no. Whether the files are renewed all the time (by the kubelet): a change
	// asks for a login only while there is none, as each makes one more token.
	bool (*rotates)(const struct conf_auth *conf);
	// NULL, or the client certificate that the login needs: fills the two files (the key
	// may stay NULL) when the method has its own.
	void (*client_cert)(const struct conf_auth *conf, struct conf_tls *tls);
};

const struct auth_method *auth_find(const char *name);
const struct auth_method *auth_at(size_t i);
