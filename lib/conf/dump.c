// SPDX-License-Identifier: Apache-2.0
// A struct conf back into its own language, as JSON: what conf_load() would read to the same
// result. Values that are the defaults are left out.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/conf/load.h"

static const void *field(const struct option_row *row, const void *at)
{
	return (const char *)at + row->offset;
}

static const void *also(const struct option_row *row, const void *at)
{
	return (const char *)at + row->also;
}

static json_t *text_or_null(const char *s)
{
	return s ? json_str(s, strlen(s)) : NULL;
}

static json_t *take_text(char *s)
{
	json_t *j = json_str(s, strlen(s));
	mem_free(s);
	return j;
}

static char *duration_text(int64_t ms)
{
	return ms % 1000 ? mem_printf("%lldms", (long long)ms)
			 : mem_printf("%llds", (long long)(ms / 1000));
}

static json_t *list_json(const char *const *list)
{
	if (!list)
		return NULL;
	json_t *j = json_array();
	for (; *list; list++)
		json_array_append_new(j, json_str(*list, strlen(*list)));
	return j;
}

// --- notifications in their text form

static void put_target(const struct conf_notify *n, struct buf *to)
{
	switch (n->target) {
	case TARGET_CONTAINER:
		buf_puts(to, n->name);
		break;
	case TARGET_PROCESS:
		buf_printf(to, "process=%s", n->name);
		break;
	case TARGET_PIDFILE:
		buf_printf(to, "pidfile=%s", n->name);
		break;
	case TARGET_UID:
		buf_printf(to, "uid=%lld", (long long)n->uid);
		break;
	case TARGET_CHILD:
		buf_puts(to, "child");
		break;
	}
}

static void put_notify(const struct conf_notify *n, struct buf *to)
{
	AUTO_JSON json_t *argv = n->kind == NOTIFY_COMMAND ? list_json(n->argv) : NULL;
	AUTO_FREE char *text = argv ? json_text(argv) : NULL;
	const char *signal = notify_signal_name(n->signal);
	switch (n->kind) {
	case NOTIFY_SIGNAL:
		if (signal)
			buf_printf(to, "signal:%s@", signal);
		else
			buf_printf(to, "signal:%d@", n->signal);
		put_target(n, to);
		break;
	case NOTIFY_HTTP:
		buf_printf(to, "http:%u%s", n->port, n->path);
		break;
	case NOTIFY_RESTART:
		buf_printf(to, "restart@%s", n->name);
		break;
	case NOTIFY_COMMAND:
		buf_printf(to, "command:%s", text ? text : "[]");
		break;
	}
}

static json_t *notify_json(const struct conf_notify *list, size_t n)
{
	if (n == 0)
		return NULL;
	json_t *j = json_array();
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 20);
		put_notify(&list[i], &b);
		json_array_append_new(j, json_str(buf_str(&b), b.len));
	}
	return j;
}

// --- one row

static json_t *unread_json(const struct option_row *row, const void *at)
{
	static const char *const words[] = { [UNREAD_ALARM] = "alarm",
					     [UNREAD_UNREADY] = "unready",
					     [UNREAD_ROLLBACK] = "rollback" };
	int64_t ms = *(const int64_t *)field(row, at);
	AUTO_FREE char *duration = duration_text(ms);
	const enum conf_unread *then = also(row, at);
	return ms ? take_text(mem_printf("%s:%s", duration, words[*then])) : NULL;
}

static json_t *wait_json(const struct option_row *row, const void *at)
{
	AUTO_FREE char *least = duration_text(*(const int64_t *)field(row, at));
	AUTO_FREE char *most = duration_text(*(const int64_t *)also(row, at));
	return take_text(mem_printf("%s:%s", least, most));
}

static json_t *word_json(const struct option_row *row, const void *at)
{
	unsigned i;
	memcpy(&i, field(row, at), sizeof(i));
	bool given = !row->also || *(const bool *)also(row, at);
	return given ? text_or_null(row->words[i]) : NULL;
}

static json_t *log_json(const struct option_row *row, const void *at)
{
	static const char *const levels[] = { "trace", "debug", "info",
					      "warn",  "error", "error" };
	if (row->type == OPTION_LOG_LEVEL)
		return text_or_null(levels[*(const enum log_level *)field(row, at)]);
	bool json = *(const enum log_format *)field(row, at) == LOG_FORMAT_JSON;
	return text_or_null(json ? "json" : "text");
}

static json_t *mode_json(const struct option_row *row, const void *at)
{
	if (row->also && !*(const bool *)also(row, at))
		return NULL;
	return take_text(mem_printf("%04o", *(const unsigned *)field(row, at)));
}

// NULL when there is no value.
static json_t *value_json(const struct option_row *row, const void *at)
{
	const void *f = field(row, at);
	switch (row->type) {
	case OPTION_STRING:
	case OPTION_ID:
	case OPTION_TTL:
		return text_or_null(*(const char *const *)f);
	case OPTION_BOOL:
	case OPTION_BOOL_STRICT:
		return json_boolean(*(const bool *)f);
	case OPTION_DURATION:
		return take_text(duration_text(*(const int64_t *)f));
	case OPTION_MODE:
		return mode_json(row, at);
	case OPTION_COUNT:
		return json_integer(*(const unsigned *)f);
	case OPTION_NUMBER:
		return json_integer(*(const int64_t *)f);
	case OPTION_REAL:
		return json_real(*(const double *)f);
	case OPTION_LIST:
	case OPTION_ARGV:
		return list_json(*(const char *const *const *)f);
	case OPTION_WORD:
		return word_json(row, at);
	case OPTION_LOG_LEVEL:
	case OPTION_LOG_FORMAT:
		return log_json(row, at);
	case OPTION_NOTIFY:
		return notify_json(*(const struct conf_notify *const *)f,
				   *(const size_t *)also(row, at));
	case OPTION_UNREAD:
		return unread_json(row, at);
	case OPTION_WAIT:
		return wait_json(row, at);
	case OPTION_COMMAND: // part of notify
	case OPTION_BLOCK:
	case OPTION_ANY:
	case OPTION_IGNORED:
		break;
	}
	return NULL;
}

// The rows of a stanza whose values are not the defaults.
static void dump_stanza(enum option_stanza stanza, const void *at, json_t *to)
{
	AUTO_POOL struct pool pool = { 0 };
	struct conf_load_opts opts = { .strict = false };
	struct err ignored = ERR_INIT;
	struct load l = { .pool = &pool, .opts = &opts, .e = &ignored };
	void *plain = pool_alloc(&pool, options_stanza(stanza)->size);
	stanza_defaults(&l, stanza, plain);
	for (const struct option_row *r = NULL; (r = options_next(r));) {
		if (r->stanza != stanza || !r->key || r->alias ||
		    json_object_get(to, r->key))
			continue;
		AUTO_JSON json_t *usual = value_json(r, plain);
		json_t *value = value_json(r, at);
		bool same = value && usual && json_equal(value, usual);
		if (value && !same)
			json_object_set(to, r->key, value);
		json_decref(value);
	}
}

static json_t *dumped(enum option_stanza stanza, const void *at)
{
	json_t *o = json_object();
	dump_stanza(stanza, at, o);
	return o;
}

// Puts `value` under `key` unless it is empty.
static void put(json_t *to, const char *key, json_t *value)
{
	if (json_object_size(value) > 0 || json_array_size(value) > 0)
		json_object_set(to, key, value);
	json_decref(value);
}

// --- the stanzas

static json_t *auth_json(const struct conf_auth *a)
{
	if (!a->method)
		return json_object();
	json_t *o = dumped(STANZA_AUTH, a);
	put(o, "config", json_incref(a->config));
	return o;
}

static json_t *store_json(const struct conf_store *s)
{
	json_t *o = dumped(STANZA_STORE, s);
	put(o, "retry", dumped(STANZA_RETRY, s));
	put(o, "auth", auth_json(&s->auth));
	json_object_update(o, s->options);
	return o;
}

static json_t *sink_json(const struct conf_sink *s)
{
	json_t *o = dumped(STANZA_SINK, s);
	put(o, "config", dumped(STANZA_SINK_CONFIG, s));
	return o;
}

static json_t *stanza_list(enum option_stanza stanza, const void *list, size_t n)
{
	size_t size = options_stanza(stanza)->size;
	json_t *j = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(j, dumped(stanza, (const char *)list + i * size));
	return j;
}

json_t *conf_to_json(const struct conf *c)
{
	json_t *o = dumped(STANZA_TOP, c);
	json_t *stores = json_array(), *sinks = json_array();
	// Its default depends on the peer's stanzas, which come out as stores here.
	json_object_set_new(
		o, "on_revoked",
		json_string(c->on_revoked == REVOKED_KEEP ? "keep" : "remove"));
	for (size_t i = 0; i < c->n_stores; i++)
		json_array_append_new(stores, store_json(&c->stores[i]));
	for (size_t i = 0; i < c->n_sinks; i++)
		json_array_append_new(sinks, sink_json(&c->sinks[i]));
	put(o, "store", stores);
	put(o, "sink", sinks);
	put(o, "template", stanza_list(STANZA_TEMPLATE, c->templates, c->n_templates));
	put(o, "template_config", dumped(STANZA_TEMPLATE_CONFIG, &c->template_config));
	put(o, "env_template",
	    stanza_list(STANZA_ENV_TEMPLATE, c->variables, c->n_variables));
	put(o, "exec", dumped(STANZA_EXEC, &c->exec));
	put(o, "deliver", stanza_list(STANZA_DELIVER, c->deliver, c->n_deliver));
	put(o, "observe", dumped(STANZA_OBSERVE, &c->observe));
	put(o, "policy", dumped(STANZA_POLICY, &c->policy));
	put(o, "restrict", stanza_list(STANZA_RESTRICT, c->restricts, c->n_restricts));
	put(o, "state", dumped(STANZA_STATE, &c->state));
	json_object_update(o, c->other);
	return o;
}

bool conf_equal(const struct conf *a, const struct conf *b)
{
	AUTO_JSON json_t *one = conf_to_json(a);
	AUTO_JSON json_t *two = conf_to_json(b);
	return json_equal(one, two);
}
