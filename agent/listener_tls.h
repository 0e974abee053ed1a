// SPDX-License-Identifier: Apache-2.0
// TLS of a listener. The release's agent has no TLS server (20 KB that a pod's agent never
// needs): there image/start/client_only.c stands for this file and refuses.
#pragma once

#include "lib/http/server.h"
#include "lib/loop/loop.h"

struct json_t;
struct listener_tls;

// From tls_cert_file, tls_key_file, tls_client_ca_file, … of the stanza. The files are read
// again when they change; connections keep what they began with.
MUST_CHECK bool listener_tls_new(struct loop *l, const struct json_t *stanza,
				 struct http_server *s, struct listener_tls **ret,
				 struct err *e);
// After the server.
void listener_tls_free(struct listener_tls *t);
