// SPDX-License-Identifier: Apache-2.0
// A login method: how a pod's own identity becomes the request that a store's login wants.
// One const struct a method, listed in auths.c.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/conf/conf.h"

// What to send. The body lives on the wiping heap; auth_request_release() frees it.
struct auth_request {
	const char *method;	 // "PUT"; "GET" for a token that only is looked up
	char *path;		 // below /v1/: "auth/kubernetes/login"
	json_t *body;		 // NULL = none
	struct secret *token;	 // the credential is a token already (token file)
	bool wrapped_secret_id;	 // body.secret_id is a wrapping token: unwrap it first
	char *wrapped_path;	 // creation path that the wrapping token must show
};
void auth_request_release(struct auth_request *r);

struct auth_method {
	const char *name;
	const char *help;
	// Checks the method's own keys; at start, so that a mistake is told at once.
	bool (*check)(const struct conf_auth *conf, struct err *e);
	// Reads the credential files anew and fills the request. Called for each login.
	bool (*prepare)(const struct conf_auth *conf, struct auth_request *ret, struct err *e);
	// Names the credential files, for watching: ret[i] until NULL, borrowed from conf.
	size_t (*files)(const struct conf_auth *conf, const char **ret, size_t max);
};

const struct auth_method *auth_find(const char *name);
const struct auth_method *auth_at(size_t i);
