// SPDX-License-Identifier: Apache-2.0
// The option table as one: stanzas, look-up by key and flag.
#include "lib/conf/options.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"
#include "lib/conf/options_int.h"

enum { NAMES_MAX = 128, ROWS_MAX = 400 };

static const struct option_part *const parts[] = { &options_agent,    &options_store,
						   &options_template, &options_exec,
						   &options_peer,     &options_pod };

static const struct option_stanza_info stanzas[STANZA_COUNT] = {
	[STANZA_TOP] = { .name = "",
			 .help = "at the top of the file",
			 .size = sizeof(struct conf) },
	[STANZA_VAULT] = { .name = "vault",
			   .block = "vault {",
			   .help = "the peer's connection: the store named vault; also "
				   "address to "
				   "max_connections of store",
			   .size = sizeof(struct conf_store) },
	[STANZA_RETRY] = { .name = "vault.retry",
			   .block = "retry {",
			   .help = "inside of vault and store",
			   .size = sizeof(struct conf_store) },
	[STANZA_STORE] = { .name = "store",
			   .block = "store \"name\" {",
			   .help = "a store of secrets; further keys are those of its "
				   "type",
			   .unknown = UNKNOWN_KEEP,
			   .size = sizeof(struct conf_store) },
	[STANZA_AUTO_AUTH] = { .name = "auto_auth",
			       .block = "auto_auth {",
			       .help = "the peer's login and token sinks" },
	[STANZA_AUTH] = { .name = "auth",
			  .block = "method \"kubernetes\" {",
			  .help = "inside of auto_auth as method, inside of store as "
				  "auth",
			  .size = sizeof(struct conf_auth) },
	[STANZA_SINK] = { .name = "sink",
			  .block = "sink \"file\" {",
			  .help = "inside of auto_auth, or at the top",
			  .size = sizeof(struct conf_sink) },
	[STANZA_SINK_CONFIG] = { .name = "sink.config",
				 .block = "config {",
				 .help = "inside of sink",
				 .size = sizeof(struct conf_sink) },
	[STANZA_TEMPLATE] = { .name = "template",
			      .block = "template {",
			      .help = "a file to render",
			      .unknown = UNKNOWN_FATAL,
			      .strict = true,
			      .size = sizeof(struct conf_template) },
	[STANZA_TEMPLATE_EXEC] = { .name = "template.exec",
				   .block = "exec {",
				   .help = "inside of template",
				   .unknown = UNKNOWN_FATAL,
				   .strict = true,
				   .size = sizeof(struct conf_template) },
	[STANZA_TEMPLATE_CONFIG] = { .name = "template_config",
				     .block = "template_config {",
				     .help = "what holds for all templates",
				     .size = sizeof(struct conf_template_config) },
	[STANZA_DELIVER] = { .name = "deliver",
			     .block = "deliver \"container\" {",
			     .help = "a container and the folder that it sees",
			     .unknown = UNKNOWN_FATAL,
			     .size = sizeof(struct conf_deliver) },
	[STANZA_OBSERVE] = { .name = "observe",
			     .block = "observe {",
			     .help = "whether the application has read what changed",
			     .size = sizeof(struct conf_observe) },
	[STANZA_POLICY] = { .name = "policy",
			    .block = "policy {",
			    .help = "what the agent must refuse",
			    .unknown = UNKNOWN_FATAL,
			    .size = sizeof(struct conf_policy) },
	[STANZA_RESTRICT] = { .name = "restrict",
			      .block = "restrict \"policy\" {",
			      .help = "what a policy of the webhook leaves to the agent",
			      .unknown = UNKNOWN_FATAL,
			      .size = sizeof(struct conf_restrict) },
	[STANZA_STATE] = { .name = "state",
			   .block = "state {",
			   .help = "what a restart and the container behind --once take "
				   "over",
			   .unknown = UNKNOWN_FATAL,
			   .size = sizeof(struct conf_state) },
	[STANZA_EXEC] = { .name = "exec",
			  .block = "exec {",
			  .help = "the command of exec mode; instead of `-- COMMAND`",
			  .unknown = UNKNOWN_FATAL,
			  .size = sizeof(struct conf_exec) },
	[STANZA_ENV_TEMPLATE] = { .name = "env_template",
				  .block = "env_template \"NAME\" {",
				  .help = "a variable of that command",
				  .unknown = UNKNOWN_FATAL,
				  .strict = true,
				  .size = sizeof(struct conf_template) },
	[STANZA_CACHE] = { .name = "cache",
			   .block = "cache {",
			   .help = "the caching proxy" },
	[STANZA_CACHE_PERSIST] = { .name = "cache.persist",
				   .block = "persist \"kubernetes\" {",
				   .help = "inside of cache" },
	[STANZA_API_PROXY] = { .name = "api_proxy",
			       .block = "api_proxy {",
			       .help = "the proxy" },
	[STANZA_LISTENER] = { .name = "listener",
			      .block = "listener \"tcp\" {",
			      .help = "where metrics, quit and the proxy listen" },
	[STANZA_TELEMETRY] = { .name = "telemetry",
			       .block = "telemetry {",
			       .help = "the peer's metrics settings",
			       .unknown = UNKNOWN_KEEP },
	[STANZA_POD] = { .name = "annotations", .help = "what only the webhook obeys" },
};

const struct option_stanza_info *options_stanza(enum option_stanza stanza)
{
	return &stanzas[stanza];
}

static const struct option_row *first_of(size_t part)
{
	return part < ARRAY_LEN(parts) ? parts[part]->rows : NULL;
}

const struct option_row *options_next(const struct option_row *after)
{
	static const struct option_part *recent; // where the last call was
	if (!after)
		return first_of(0);
	if (recent && after >= recent->rows && after + 1 < recent->rows + recent->n)
		return after + 1;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct option_part *p = parts[i];
		if (after >= p->rows && after < p->rows + p->n) {
			recent = p;
			return after + 1 < p->rows + p->n ? after + 1 : first_of(i + 1);
		}
	}
	return NULL;
}

// The rows of each stanza side by side, made at the first look.
static struct {
	const struct option_row *rows[ROWS_MAX];
	uint16_t first[STANZA_COUNT + 1];
} sorted;

static bool is_of(const struct option_row *r, unsigned stanza)
{
	return r->stanza == stanza || (stanza == STANZA_VAULT && r->vault);
}

static void sort_rows(void)
{
	uint16_t n = 0;
	for (unsigned stanza = 0; stanza < STANZA_COUNT; stanza++) {
		sorted.first[stanza] = n;
		for (const struct option_row *r = NULL; (r = options_next(r));)
			if (is_of(r, stanza)) {
				assert(n < ROWS_MAX);
				sorted.rows[n++] = r;
			}
	}
	sorted.first[STANZA_COUNT] = n;
}

size_t options_of(enum option_stanza stanza, const struct option_row *const **ret)
{
	if (sorted.first[STANZA_COUNT] == 0)
		sort_rows();
	*ret = sorted.rows + sorted.first[stanza];
	return sorted.first[stanza + 1] - sorted.first[stanza];
}

const struct option_row *options_find(enum option_stanza stanza, const char *key)
{
	const struct option_row *const *rows;
	size_t n = options_of(stanza, &rows);
	for (size_t i = 0; i < n; i++)
		if (rows[i]->key && !((*rows[i]->key ^ *key) & ~0x20) && // hardly any
		    strcasecmp(rows[i]->key, key) == 0)
			return rows[i];
	return NULL;
}

const char *options_nearest(enum option_stanza stanza, const char *key)
{
	const char *names[NAMES_MAX];
	const struct option_row *const *rows;
	size_t n = 0, all = options_of(stanza, &rows);
	for (size_t i = 0; i < all && n < NAMES_MAX; i++)
		if (rows[i]->key)
			names[n++] = rows[i]->key;
	return str_nearest(key, names, n);
}

const struct option_row *options_by_flag(const char *flag)
{
	for (const struct option_row *r = NULL; (r = options_next(r));)
		if (r->flag && strcmp(r->flag, flag) == 0)
			return r;
	return NULL;
}

bool options_is_switch(const struct option_row *row)
{
	return row->type == OPTION_BOOL || row->type == OPTION_BOOL_STRICT;
}

char *options_override(const struct option_row *row, const char *value)
{
	return mem_printf("%s=%s", row->flag, value);
}
