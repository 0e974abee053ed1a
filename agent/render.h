// SPDX-License-Identifier: Apache-2.0
// Runs a template over what the cache holds. Asks for what is missing, compares, and says
// what came of it; publishing is publish.c's.
#pragma once

#include "agent/cache.h"
#include "agent/output.h"
#include "agent/side.h"

// What render needs to know of the agent.
struct render_env {
	struct loop *loop;
	const struct conf *conf;
	struct cache *cache;
	struct source *(*source_of)(void *ctx, const struct conf_store *store);
	// Fills a new entry from what is known already; false: it has to be fetched. `pki`: a
	// certificate may be in the files of before (en->reused is set then).
	bool (*restore)(void *ctx, struct entry *en, bool pki);
	struct sides sides; // where files that templates write go
	void *ctx;
};

// Reads and parses the template (again, when its file has changed). Its error is kept in
// the output too; the old template stays in use when a new one does not parse.
MUST_CHECK bool render_load(struct output *o, const struct conf *conf, struct err *e);

// Runs it. Afterwards: changed (new content), removing (its secret is gone and on_revoked
// says remove), or error tells why there is nothing new.
void render_run(const struct render_env *env, struct output *o);

// Why there is nothing new just now: what it waits for, or its own error; kind ERR_NONE when
// all is well.
void render_reason(const struct output *o, struct err *ret);
