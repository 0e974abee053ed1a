// SPDX-License-Identifier: Apache-2.0
// What the webhook has to do with the API server beyond answering it: its own certificates
// (certs.h), the defaults that namespaces carry (namespaces.h). Without either there is no
// cluster here, and no connection is ever opened.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"
#include "lib/loop/loop.h"
#include "webhook/namespaces.h"
#include "webhook/settings.h"

struct cluster;

struct cluster_opts {
	struct loop *loop;
	const struct settings *settings; // read at the start only
	bool (*serve)(void *ctx, struct bytes cert_pem, struct bytes key_pem,
		      struct err *e);
	void *ctx;
};

// *ret is NULL when the settings want nothing of it.
MUST_CHECK bool cluster_new(const struct cluster_opts *o, struct cluster **ret,
			    struct err *e);
// All of these take NULL.
void cluster_free(struct cluster *c);
const char *cluster_not_ready(struct cluster *c); // a reason, or NULL
void cluster_metrics(const struct cluster *c, struct buf *to);
// For settings.world: empty where namespaces are not looked at.
struct settings_world cluster_world(struct cluster *c);
// As namespaces_ask(); only with such a world.
void cluster_ask_namespace(struct cluster *c, const char *name, namespaces_fn *done,
			   void *ctx);
