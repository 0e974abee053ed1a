// SPDX-License-Identifier: Apache-2.0
// Where others may talk to the agent: the peer's `listener` stanzas and our metrics_address.
//
//	GET  /agent/v1/metrics	   text for Prometheus (also /metrics where only metrics are)
//	POST /agent/v1/quit	   the end, as by SIGTERM; 404 unless agent_api.enable_quit
//	POST /agent/v1/cache-clear what the proxy keeps
//	     /…			   the proxy, where there is a cache or api_proxy stanza
//
// A listener speaks TLS unless tls_disable says otherwise (TCP) or it is a unix socket; a
// build without a TLS server (listener_tls.h) says so.
#pragma once

#include "agent/agent.h"

struct listeners;

// Binds everything that the configuration names.
MUST_CHECK bool listeners_new(struct loop *l, const struct conf *conf, struct agent *a,
			      struct listeners **ret, struct err *e);
void listeners_free(struct listeners *ls);
