// SPDX-License-Identifier: Apache-2.0
// The listeners: stanzas, routes, metrics, quit; the rest goes to the proxy.
#include "agent/listener.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_int.h"
#include "agent/audit.h"
#include "agent/listener_tls.h"
#include "agent/metrics.h"
#include "agent/proxy.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/http/server.h"

enum { BODY_MAX = 32 << 20, CLEAR_MAX = 64 << 10, CONNECTIONS = 128, BODY_MS = 30000 };

struct listener {
	struct listener *next;
	struct listeners *owner;
	struct http_server *server;
	struct listener_tls *tls;
	const char *address;
	bool enable_quit, require_header;
};

struct listeners {
	struct loop *loop;
	struct agent *agent;
	struct listener *first;
	struct proxy *proxy; // NULL: none was asked for
};

static void answer_error(struct http_exchange *x, int status, const char *text)
{
	proxy_answer_error(x, status, text);
}

// Against requests that somebody makes a program send: such ones cannot set a header. False:
// it is refused.
static bool may_ask(const struct listener *l, struct http_exchange *x)
{
	struct str has =
		http_head_field(&http_exchange_incoming(x)->head, "X-Vault-Request");
	if (!l->require_header || str_eq(has, "true"))
		return true;
	answer_error(x, 412, "missing \"X-Vault-Request\" header");
	return false;
}

static void on_metrics(void *ctx, struct http_exchange *x)
{
	struct listener *l = ctx;
	if (!may_ask(l, x))
		return;
	struct buf text = BUF_INIT(METRICS_MAX);
	agent_metrics_write(l->owner->agent, &text);
	http_answer_take(x,
			 &(struct http_answer){
				 .status = 200,
				 .type = "text/plain; version=0.0.4; charset=utf-8" },
			 &text);
}

static void on_quit(void *ctx, struct http_exchange *x)
{
	struct listener *l = ctx;
	if (!may_ask(l, x))
		return;
	if (!l->enable_quit) {
		answer_error(x, 404, "agent_api.enable_quit is not set");
		return;
	}
	audit(AUDIT_QUIT, LOG_STR("listener", l->address));
	// The answer is on its way when this round of the loop ends; the signal comes after.
	http_answer(x, &(struct http_answer){ .status = 200, .close = true });
	kill(getpid(), SIGTERM);
}

static void on_cache_clear(void *ctx, struct http_exchange *x)
{
	struct listener *l = ctx;
	if (may_ask(l, x))
		proxy_clear(l->owner->proxy, x);
}

static void on_proxy(void *ctx, struct http_exchange *x)
{
	struct listener *l = ctx;
	if (!may_ask(l, x))
		return;
	if (!l->owner->proxy)
		answer_error(x, 404, "there is no cache and no api_proxy stanza");
	else
		proxy_serve(l->owner->proxy, x);
}

static const struct http_route routes[] = {
	{ "GET", "/agent/v1/metrics", 0, on_metrics },
	{ "POST", "/agent/v1/quit", CLEAR_MAX, on_quit },
	{ "POST", "/agent/v1/cache-clear", CLEAR_MAX, on_cache_clear },
	{ "PUT", "/agent/v1/cache-clear", CLEAR_MAX, on_cache_clear },
	{ NULL, "/*", BODY_MAX, on_proxy },
	{ .path = NULL },
};

static const struct http_route metrics_routes[] = {
	{ "GET", "/agent/v1/metrics", 0, on_metrics },
	{ "GET", "/metrics", 0, on_metrics },
	{ .path = NULL },
};

// --- stanzas

static const char *text_of(const json_t *stanza, const char *key)
{
	const char *s = json_string_value(json_object_get(stanza, key));
	return s ? s : "";
}

static bool quit_enabled(const json_t *stanza)
{
	const json_t *api = json_object_get(stanza, "agent_api");
	if (json_is_array(api))
		api = json_array_get(api, 0);
	return json_is_on(api, "enable_quit");
}

static bool own_socket(const json_t *stanza, const char *path, struct err *e)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	const json_t *user = json_object_get(stanza, "socket_user");
	const json_t *group = json_object_get(stanza, "socket_group");
	if (!output_user_id(json_string_value(user), &uid, e) ||
	    !output_group_id(json_string_value(group), &gid, e))
		return false;
	if (!user && !group)
		return true;
	return chown(path, uid, gid) == 0 ||
	       err_set(e, ERR_CONFIG, errno, "owner of socket '%s'", path);
}

static bool bind_stanza(struct listener *l, const json_t *stanza, struct err *e)
{
	struct http_listen_opts o = { .mode = 0 };
	const char *mode = text_of(stanza, "socket_mode");
	if (strcmp(text_of(stanza, "type"), "unix") != 0) {
		return (json_is_on(stanza, "tls_disable") ||
			listener_tls_new(l->owner->loop, stanza, l->server, &l->tls,
					 e)) &&
		       http_server_listen(l->server, l->address, &o, e);
	}
	if (*mode && !str_mode(mode, &o.mode, e))
		return err_wrap(e, "socket_mode");
	AUTO_FREE char *url = mem_printf("unix://%s", l->address);
	return http_server_listen(l->server, url, &o, e) &&
	       own_socket(stanza, l->address, e);
}

static bool add(struct listeners *ls, const json_t *stanza, struct err *e)
{
	struct listener *l = mem_alloc(sizeof(*l));
	const char *role = text_of(stanza, "role");
	bool metrics_only = strcmp(role, "metrics_only") == 0;
	l->owner = ls;
	l->next = ls->first;
	ls->first = l;
	l->address = text_of(stanza, "address");
	l->enable_quit = quit_enabled(stanza);
	l->require_header = !metrics_only && json_is_on(stanza, "require_request_header");
	if (*role && !metrics_only && strcmp(role, "default") != 0)
		return err_set(e, ERR_CONFIG, 0,
			       "listener: role must be default or metrics_only");
	if (!*l->address)
		return err_set(e, ERR_CONFIG, 0, "listener: address is needed");
	const struct http_server_opts o = { .routes = metrics_only ? metrics_routes
								   : routes,
					    .ctx = l,
					    .connections = CONNECTIONS,
					    .body_ms = BODY_MS,
					    .answer_ms = PROXY_TIMEOUT_MS };
	return (http_server_new(ls->loop, &o, &l->server, e) &&
		bind_stanza(l, stanza, e)) ||
	       err_wrap(e, "listener");
}

static bool add_metrics(struct listeners *ls, const char *address, struct err *e)
{
	struct listener *l = mem_alloc(sizeof(*l));
	const struct http_server_opts o = { .routes = metrics_routes,
					    .ctx = l,
					    .connections = CONNECTIONS };
	l->owner = ls;
	l->next = ls->first;
	ls->first = l;
	l->address = address;
	return (http_server_new(ls->loop, &o, &l->server, e) &&
		http_server_listen(l->server, address, NULL, e)) ||
	       err_wrap(e, "metrics_address");
}

bool listeners_new(struct loop *l, const struct conf *conf, struct agent *a,
		   struct listeners **ret, struct err *e)
{
	struct listeners *ls = mem_alloc(sizeof(*ls));
	const json_t *stanzas = json_object_get(conf->other, "listener");
	bool ok = true;
	*ret = ls;
	ls->loop = l;
	ls->agent = a;
	if (json_array_size(stanzas) > 0)
		ok = proxy_new(l, conf, a, &ls->proxy, e);
	for (size_t i = 0; ok && i < json_array_size(stanzas); i++)
		ok = add(ls, json_array_get(stanzas, i), e);
	return ok &&
	       (!conf->metrics_address || add_metrics(ls, conf->metrics_address, e));
}

void listeners_free(struct listeners *ls)
{
	if (!ls)
		return;
	proxy_free(ls->proxy); // its exchanges end before their servers
	while (ls->first) {
		struct listener *l = ls->first;
		ls->first = l->next;
		http_server_free(l->server);
		listener_tls_free(l->tls);
		mem_free(l);
	}
	mem_free(ls);
}
